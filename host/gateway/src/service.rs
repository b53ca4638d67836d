//! What stands behind a listener.

use std::net::SocketAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;

/// Answers requests. Who may ask was decided before.
pub(crate) trait Service: Send + Sync + 'static {
    /// Answers one request, with an error as a response.
    fn call(&self, request: Request<Incoming>, peer: &Peer) -> Answering;

    /// The listener closes, or another service takes its place: answers that would never end by themselves end now.
    fn close(&self) {}
}

/// An answer under way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// The body of an answer. Its error ends the client's connection (HTTP/1.1) or stream (HTTP/2) early, so that a cut answer is
/// not taken for a whole one.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Why a body ended early.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over a Unix socket: the user id of the process that connected, where the system tells.
    Unix(Option<u32>),
}
