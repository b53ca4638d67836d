//! The layer of tower, around hyper's client and around services that misbehave.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use keyless::tower::{AuthorizeLayer, BoxError, Kept};
use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};
use tokio::sync::mpsc;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::world::{PATIENCE, World, layered};

type Pieces = StreamBody<futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

/// A body that comes in these pieces, without a length.
fn pieces(pieces: &[&'static str]) -> Pieces {
    let data = pieces.iter().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
    StreamBody::new(futures_util::stream::iter(data.collect::<Vec<_>>()))
}

type Channel = UnsyncBoxBody<Bytes, Infallible>;

/// A body that comes as it is sent.
fn channel() -> (mpsc::UnboundedSender<Frame<Bytes>>, Channel) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let frames = futures_util::stream::unfold(receiver, async |mut receiver: mpsc::UnboundedReceiver<_>| {
        receiver.recv().await.map(|frame| (Ok(frame), receiver))
    });
    (sender, StreamBody::new(frames).boxed_unsync())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_body_is_sent_again_up_to_the_limit_and_never_beyond() {
    let body = ["{\"model\":\"sandbox-1\",", "\"input\":\"in three\",", "\"n\":1}"];
    let length: usize = body.iter().map(|piece| piece.len()).sum();
    for (limit, requests) in [(1 << 20, 2), (length, 2), (length - 1, 1), (0, 1)] {
        let world = World::new().await;
        world.sandbox.fault(ServiceName::Upstream, Fault::status(401), 1);
        let layer = AuthorizeLayer::new(world.connection.clone()).replay_limit(limit);
        let client = layered(layer, &world.sandbox);
        let request = Request::post(world.url("/responses")).body(pieces(&body)).unwrap();
        let response = client.oneshot(request).await.unwrap();
        let answered = if requests == 2 { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!((response.status(), world.calls().len()), (answered, requests), "limit {limit}");
        assert!(world.calls().iter().all(|call| call.body["input"] == "in three"));
        // Also where nothing is sent again, the next request has another credential.
        assert_eq!(world.generation(2).await.generation(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_known_length_beyond_the_limit_is_not_kept_and_keeps_its_length() {
    let world = World::new().await;
    world.sandbox.fault(ServiceName::Upstream, Fault::status(401), 1);
    let layer = AuthorizeLayer::new(world.connection.clone()).replay_limit(10);
    let client = layered(layer, &world.sandbox);
    let body = Full::<Bytes>::from(r#"{"model":"sandbox-1","input":"longer than ten"}"#);
    let length = http_body::Body::size_hint(&body).exact().unwrap();
    let response = client.oneshot(Request::post(world.url("/responses")).body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let calls = world.calls();
    assert_eq!(calls.len(), 1);
    // HTTP/2 needs no `content-length`; where there is one it is right.
    assert!(calls[0].header("content-length").is_none_or(|sent| sent == length.to_string()));
}

/// The client is in the middle of its body when the answer comes, and goes on only when that is sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_before_the_end_of_the_body_ends_the_first_sending_and_the_second_is_whole() {
    let world = World::new().await;
    let (frames, body) = channel();
    let (first_ended, mut first_end) = mpsc::channel(1);
    frames.send(Frame::data(Bytes::from_static(b"one "))).unwrap();
    let frames = Arc::new(Mutex::new(Some(frames)));
    let turns = Arc::new(AtomicUsize::new(0));
    let service = service_fn({
        let turns = turns.clone();
        move |request: Request<Kept<Channel>>| {
            let (turn, first_ended) = (turns.fetch_add(1, Ordering::SeqCst), first_ended.clone());
            let frames = frames.clone();
            async move {
                let mut body = request.into_body();
                if turn == 0 {
                    let first = body.frame().await.unwrap()?.into_data().unwrap();
                    assert_eq!(first, "one ");
                    tokio::spawn(async move { first_ended.send(body.frame().await).await.unwrap() });
                    let refused = Response::builder().status(StatusCode::UNAUTHORIZED);
                    return Ok::<_, BoxError>(refused.body(Bytes::new())?);
                }
                // Taken out, so that the body ends.
                let frames = frames.lock().unwrap().take().unwrap();
                frames.send(Frame::data(Bytes::from_static(b"two "))).unwrap();
                frames.send(Frame::data(Bytes::from_static(b"three"))).unwrap();
                let trailer = (HeaderName::from_static("x-pieces"), HeaderValue::from_static("3"));
                frames.send(Frame::trailers(HeaderMap::from_iter([trailer]))).unwrap();
                drop(frames);
                let whole = body.collect().await?;
                assert_eq!(whole.trailers().unwrap()["x-pieces"], "3");
                Ok(Response::new(whole.to_bytes()))
            }
        }
    });
    let service = AuthorizeLayer::new(world.connection.clone()).layer(service);
    let request = Request::post(world.url("/responses")).body(body).unwrap();
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.into_body(), "one two three");
    assert_eq!(turns.load(Ordering::SeqCst), 2);
    let first = tokio::time::timeout(PATIENCE, first_end.recv()).await.expect("it waits still").unwrap();
    assert!(first.expect("it ended as if it were whole").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_is_the_layer_s() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.fault_until_cleared(ServiceName::Exchange, Fault::Stall);
    let world = World::on(sandbox).await;
    let layer = AuthorizeLayer::new(world.connection.clone()).patience(Duration::from_millis(300));
    let client = layered(layer, &world.sandbox);
    let request = Request::get(world.url("/models")).body(Full::<Bytes>::default()).unwrap();
    let error = client.oneshot(request).await.unwrap_err();
    let error = error.downcast_ref::<keyless::Error>().unwrap();
    assert_eq!(error.code, "connection-deadline");
    assert!(world.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relative_request_is_refused_with_the_way_out() {
    let world = World::new().await;
    let request = Request::get("/v1/models").body(Full::<Bytes>::default()).unwrap();
    let error = world.tower().oneshot(request).await.unwrap_err().to_string();
    assert!(error.starts_with("request-elsewhere") && error.contains(&world.url("/models")), "{error}");
}

/// The pause after the first event is longer than the test: an answer that is collected somewhere never comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_answer_passes_as_it_comes() {
    let world = World::with(Options { stream_pause: Duration::from_secs(3_600), ..Options::default() }).await;
    let question = r#"{"model":"sandbox-1","input":"Wait","stream":true}"#;
    let request = Request::post(world.url("/responses")).body(Full::from(question)).unwrap();
    let mut body = world.tower().oneshot(request).await.unwrap().into_body();
    let first = tokio::time::timeout(PATIENCE, body.frame()).await.expect("nothing came").unwrap().unwrap();
    assert!(first.into_data().unwrap().starts_with(b"event: response.created"));
}
