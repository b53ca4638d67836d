//! How requests leave the process.
//!
//! wasmtime's own sender trusts Mozilla's roots only, opens a new connection for every request and waits up to ten
//! minutes. Ours takes a whole request, checks it against the grant before any name is looked up, and gives a whole
//! answer or a [`Fault`] within one deadline. No proxy is used in this version, whatever the environment says.
//!
//! ```text
//! component -> gate (grant, deadline, size) -> Sender: network (pool) -> dial (--connect-to, TCP) -> tls
//! ```

mod allow;
mod client_identity;
mod connect_to;
mod deadline;
mod dial;
mod fault;
mod gate;
mod granted;
mod network;
mod reach;
mod roots;
mod tls;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use allow::AllowList;
pub use client_identity::ClientIdentity;
pub use connect_to::ConnectTo;
pub use dial::Stream;
pub use fault::Fault;
pub(crate) use gate::Gate;
pub use granted::Granted;
pub use network::Network;
pub use reach::{Obstacle, Reached};
pub use tls::CertificateFault;

/// The largest answer that is taken, in bytes. One more than the component's own limit, so that the component can tell
/// "too large" from "exactly as large as allowed".
pub const RESPONSE_LIMIT: usize = 64 * 1024 + 1;

/// The largest request body that is sent, in bytes.
pub const REQUEST_LIMIT: usize = 256 * 1024;

/// Sends one request and collects the answer. Injectable, so that tests can play recorded traffic below the allow-list.
///
/// A sender must not follow redirects and must not decompress. It need not watch the total deadline or the size of the
/// answer: whoever calls it drops the future in time, and cuts what is too large.
pub trait Sender: Send + Sync + 'static {
    /// Sends `request`, whose URI is absolute and whose body may hold secrets. A [`ClientIdentity`] among its extensions
    /// has to be presented in the TLS handshake.
    fn send(&self, request: http::Request<Body>, patience: Patience) -> Sending;
}

/// A request on its way.
pub type Sending = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Fault>> + Send>>;

/// How long the phases of a request may take. The total is watched by the caller of a [`Sender`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the TCP connection.
    pub connect: Duration,
    /// From the start to the last byte of the answer.
    pub total: Duration,
}

/// A whole body. `Debug` shows its length only; it is wiped when the last clone goes.
#[derive(Clone, Default)]
pub struct Body(Bytes);

impl Body {
    /// Takes over bytes that may hold secrets.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(crate::credential::wiped_bytes(bytes))
    }

    /// The content. May hold secrets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}
