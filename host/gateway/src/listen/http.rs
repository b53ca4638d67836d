//! HTTP on one connection: HTTP/1.1, or HTTP/2 by prior knowledge, with limits of time and size.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::Handler;
use crate::service::Peer;

/// How long the head of a request may take; and how long a connection may be kept without one.
const HEAD: Duration = Duration::from_secs(30);

/// The largest head of a request, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;

/// Serves until the client leaves, or until it is told to stop and the requests under way are answered.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: Peer,
    handler: Arc<ArcSwap<Handler>>,
    stop: CancellationToken,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let handler = handler.load_full();
        let admitted = handler.guard.admit(&peer, &request);
        let answering = admitted.map(|()| handler.service.call(request, &peer));
        async move {
            let response = match answering {
                Ok(answering) => answering.await,
                Err(refusal) => {
                    handler.counters.refused();
                    *refusal
                }
            };
            handler.counters.answered(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_header_list_size(u32::try_from(HEAD_LIMIT).unwrap_or(u32::MAX));
    let mut connection = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
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
