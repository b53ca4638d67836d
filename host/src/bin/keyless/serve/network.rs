//! The network of the library as the gateway sees it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::Uri;
use http::uri::Authority;
use keyless::sender::{ClientIdentity, Fault, Network};
use keyless_gateway::{Connected, Connecting, Speaking};

/// Reaches upstreams as the command line says: trusted roots, `--connect-to`, plain `http` to loopback only.
pub(crate) struct Upstreams {
    network: Arc<Network>,
    identities: ArcSwap<HashMap<Authority, ClientIdentity>>,
}

impl Upstreams {
    pub(crate) fn new(network: Network) -> Self {
        Self { network: Arc::new(network), identities: ArcSwap::default() }
    }

    /// Presents these client certificates to these APIs, on connections that are made from now on.
    pub(crate) fn present(&self, identities: HashMap<Authority, ClientIdentity>) {
        self.identities.store(Arc::new(identities));
    }
}

impl keyless_gateway::Network for Upstreams {
    fn connect(&self, uri: &Uri, speaking: Speaking) -> Connecting {
        let identity = uri.authority().and_then(|authority| self.identities.load().get(authority).cloned());
        let (network, uri) = (Arc::clone(&self.network), uri.clone());
        Box::pin(async move {
            let stream = network.connect(&uri, speaking == Speaking::Http1, identity).await.map_err(fault)?;
            Ok(Connected { http2: stream.is_http2(), io: Box::new(stream) })
        })
    }
}

fn fault(fault: Fault) -> io::Error {
    let kind = match fault {
        Fault::ConnectTimeout => io::ErrorKind::TimedOut,
        Fault::Refused => io::ErrorKind::ConnectionRefused,
        Fault::Unreachable => io::ErrorKind::HostUnreachable,
        Fault::Denied => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, fault)
}
