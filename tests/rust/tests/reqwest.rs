//! What is particular to reqwest.

use std::time::Duration;

use ::reqwest::{Body, StatusCode};
use futures_util::StreamExt as _;
use keyless::reqwest::Authorize;
use keyless::tower::BoxError;
use keyless_sandbox::{Fault, Options, Sandbox, ServiceName};

use crate::world::{PATIENCE, World, trusting};

const QUESTION: &str = r#"{"model":"sandbox-1","input":"Wait","stream":true}"#;

fn stream() -> Body {
    Body::wrap_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(QUESTION)]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_sent_once_and_its_401_counts_all_the_same() {
    let world = World::new().await;
    world.sandbox.fault(ServiceName::Upstream, Fault::status(401), 1);
    let response = world.reqwest().post(world.url("/responses")).body(stream()).send().await.unwrap();
    assert_eq!((response.status(), world.calls().len()), (StatusCode::UNAUTHORIZED, 1));
    assert_eq!(world.generation(2).await.generation(), 2);
    let response = world.reqwest().post(world.url("/responses")).body(stream()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_made_anew_is_sent_again() {
    let world = World::new().await;
    world.sandbox.fault(ServiceName::Upstream, Fault::status(401), 1);
    let http = trusting(&world.sandbox).build().unwrap();
    let make = || async { Ok(http.post(world.url("/responses")).body(stream()).build()?) };
    let authorize = Authorize::new(world.connection.clone());
    let response = authorize.send::<BoxError, _, _>(&http, make).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(world.statuses(), [Some(401), Some(200)]);
    assert_eq!(world.calls()[0].body, world.calls()[1].body);
}

/// The pause after the first event is longer than the test: an answer that is collected somewhere never comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_streamed_answer_passes_as_it_comes() {
    let world = World::with(Options { stream_pause: Duration::from_secs(3_600), ..Options::default() }).await;
    let response = world.reqwest().post(world.url("/responses")).body(QUESTION).send().await.unwrap();
    let mut pieces = response.bytes_stream();
    let first = tokio::time::timeout(PATIENCE, pieces.next()).await.expect("nothing came").unwrap().unwrap();
    assert!(first.starts_with(b"event: response.created"));
}

/// The documented trap, so that the documentation stays true: below a client that follows redirects, reqwest is who keeps
/// the bearer from another origin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_follows_redirects_is_kept_from_the_bearer_by_reqwest_alone() {
    let world = World::new().await;
    let elsewhere = Sandbox::start(Options::default()).await.unwrap();
    let location = format!("{}/models", elsewhere.base_url());
    world.sandbox.fault(ServiceName::Upstream, Fault::Redirect { location, status: 307 }, 1);
    let both = [&world.sandbox, &elsewhere]
        .map(|sandbox| ::reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap());
    let http = trusting(&world.sandbox).tls_certs_only(both).build().unwrap();
    let client =
        reqwest_middleware::ClientBuilder::new(http).with(Authorize::new(world.connection.clone())).build();
    // The other origin answers 401, for which the request is sent once more, to where it belongs.
    let response = client.get(world.url("/models")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let there = elsewhere.requests(ServiceName::Upstream);
    assert_eq!((there.len(), there[0].header("authorization")), (1, None));
    elsewhere.stop().await;
}
