//! Whether a place can be reached at all, found out without sending it anything.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Uri;
use rustls::ProtocolVersion;

use super::dial::Tcp;
use super::tls::TlsFailure;
use super::{CertificateFault, Fault, Network};

/// A connection that was made and closed again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// Whom the name, or a `--connect-to` rule, led to.
    pub address: SocketAddr,
    /// `TLS 1.3` or `TLS 1.2`; `None` for plain `http`.
    pub tls: Option<&'static str>,
    /// How long it took, from looking up the name to the end of the handshake.
    pub took: Duration,
}

/// Why no connection could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Obstacle {
    /// As a request would have failed.
    pub fault: Fault,
    /// What is wrong with the certificate, for [`Fault::Certificate`].
    pub certificate: Option<CertificateFault>,
}

impl Network {
    /// Looks up the name of an absolute URL, connects, and shakes hands if it is `https`: exactly what a request would
    /// begin with. Nothing is sent over the connection.
    ///
    /// # Errors
    /// The first obstacle: name, connection, TLS, in this order.
    pub async fn reach(&self, url: &Uri) -> Result<Reached, Obstacle> {
        let started = Instant::now();
        let broken = |fault| Obstacle { fault, certificate: None };
        let Tcp { stream, secure, name } = self.dial.tcp(url).await.map_err(broken)?;
        let address = stream.inner().peer_addr().map_err(|_| broken(Fault::Terminated))?;
        let tls = if secure {
            let session = self.dial.tls(stream, name).await.map_err(Obstacle::from)?;
            session.get_ref().1.protocol_version().map(version)
        } else {
            None
        };
        Ok(Reached { address, tls, took: started.elapsed() })
    }
}

impl From<TlsFailure> for Obstacle {
    fn from(failure: TlsFailure) -> Self {
        let certificate = match failure {
            TlsFailure::Certificate(reason) => Some(reason),
            TlsFailure::Other(_) => None,
        };
        Self { fault: failure.fault(), certificate }
    }
}

fn version(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "TLS",
    }
}
