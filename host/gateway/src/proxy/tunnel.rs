//! WebSocket: once both sides have switched (RFC 6455, section 4), bytes pass both ways.

use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{HeaderValue, Method, Request, Response, Version};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, on};
use hyper_util::rt::TokioIo;
use tokio_util::task::TaskTracker;

use super::download::Download;
use super::headers;
use crate::answer;
use crate::service::Body;

/// What becomes the client's side of a tunnel, if the request asks for one.
pub(super) fn asked_for(request: &mut Request<Incoming>) -> Option<OnUpgrade> {
    let headers = request.headers();
    let asked = request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && headers.contains_key(SEC_WEBSOCKET_KEY)
        && headers.get_all(CONNECTION).iter().any(|value| headers::has_token(value, "upgrade"))
        && headers.get_all(UPGRADE).iter().any(|value| headers::has_token(value, "websocket"));
    asked.then(|| on(request))
}

/// The answer that makes the client switch, after the upstream has.
pub(super) fn open(
    client: OnUpgrade,
    mut response: Response<Download>,
    tunnels: &TaskTracker,
) -> Response<Body> {
    let upstream = on(&mut response);
    tunnels.spawn(async move {
        if let Err(error) = pass(client, upstream).await {
            tracing::debug!(%error, "a WebSocket ended early");
        }
    });
    let (mut head, _) = response.into_parts();
    headers::incoming(&mut head.headers);
    head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    head.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    Response::from_parts(head, answer::whole(""))
}

async fn pass(
    client: OnUpgrade,
    upstream: OnUpgrade,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (client, upstream) = tokio::try_join!(client, upstream)?;
    tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(upstream)).await?;
    Ok(())
}
