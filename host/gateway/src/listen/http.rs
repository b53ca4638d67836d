//! HTTP on one connection: HTTP/1.1, or HTTP/2 by prior knowledge, with limits of time and size.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::HOST;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::Handler;
use super::patience::{Answered, Patient, Requests};
use crate::answer;
use crate::drain::drain;
use crate::service::{Body, Peer};

/// The largest head of a request, in bytes; and what is read ahead of a body.
const HEAD_LIMIT: usize = 64 * 1024;

/// Whether a client of HTTP/2 is still there is asked this often while it waits for an answer.
const PING: Duration = Duration::from_secs(30);

/// Serves until the client leaves, or until it is told to stop and the requests under way are answered.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Peer,
    handler: Arc<ArcSwap<Handler>>,
    stop: CancellationToken,
) {
    let requests = Arc::new(Requests::default());
    let service = service_fn(|mut request: Request<Incoming>| {
        let requests = Arc::clone(&requests);
        let under_way = requests.begin();
        let handler = handler.load_full();
        let answering = match one_host(&request).and_then(|()| handler.guard.admit(&peer, &request)) {
            Ok(()) => {
                let record = handler.recorder.as_ref().and_then(|recorder| recorder.begin(&mut request));
                Ok((handler.service.call(request, &peer), record))
            }
            Err(refusal) => {
                drain(request.into_body());
                Err(refusal)
            }
        };
        async move {
            let response = match answering {
                Ok((answering, None)) => answering.await,
                Ok((answering, Some(record))) => record.answered(answering.await),
                Err(refusal) => {
                    handler.counters.refused();
                    *refusal
                }
            };
            handler.counters.answered(response.status());
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                requests.become_tunnel();
            }
            Ok::<_, Infallible>(response.map(|body| Answered::new(body, under_way)))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().max_buf_size(HEAD_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .max_send_buf_size(HEAD_LIMIT)
        .max_header_list_size(u32::try_from(HEAD_LIMIT).unwrap_or(u32::MAX));
    let io = TokioIo::new(Patient::new(stream, Arc::clone(&requests)));
    let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A request of HTTP/1.1 names its host once (RFC 9112, section 3.2): of two, each program would choose its own. What else
/// programs could read differently, hyper refuses or ends the connection after.
fn one_host(request: &Request<Incoming>) -> Result<(), Box<Response<Body>>> {
    let named = request.headers().get_all(HOST).iter().count();
    if named > 1 || (named == 0 && request.version() == Version::HTTP_11) {
        let message = "a request of HTTP/1.1 has exactly one `host`";
        return Err(Box::new(answer::error(StatusCode::BAD_REQUEST, "host-unclear", message)));
    }
    Ok(())
}
