//! How upstreams are reached. The `keyless` command hands in its own connections: trusted roots, `--connect-to`, and plain
//! `http` to loopback only.

use std::io;
use std::pin::Pin;

use http::Uri;
use hyper::rt::{Read, Write};

/// Makes connections to upstreams.
pub trait Network: Send + Sync + 'static {
    /// Connects to the host of an absolute URI, with TLS for `https`.
    fn connect(&self, uri: &Uri, speaking: Speaking) -> Connecting;
}

/// What may be agreed on in the TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speaking {
    /// HTTP/2 where the server offers it.
    Any,
    /// HTTP/1.1 alone: an upgrade to WebSocket needs it.
    Http1,
}

/// A connection being made. Errors are for logs and must hold nothing of a request.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<Connected>> + Send>>;

/// A connection to an upstream.
pub struct Connected {
    /// Bytes both ways.
    pub io: Box<dyn Io>,
    /// Whether HTTP/2 was agreed on.
    pub http2: bool,
}

/// Bytes both ways, as hyper takes them.
pub trait Io: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Io for T {}
