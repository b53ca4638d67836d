//! Servers on loopback that do one thing wrong each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a server writes after it has read a request.
#[derive(Clone)]
pub(crate) enum Step {
    Write(Vec<u8>),
    Pause(Duration),
    /// Writes this again and again until nobody reads any more.
    Flood(Vec<u8>),
    /// Keeps the connection open for ever.
    Hold,
}

pub(crate) fn write(text: &str) -> Step {
    Step::Write(text.as_bytes().to_vec())
}

/// What happens on a connection before the first request.
#[derive(Clone)]
pub(crate) enum Front {
    Plain,
    Tls(Arc<ServerConfig>),
    /// Accepts the connection and says nothing.
    Silent,
}

/// Stops with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Answers every request with the same steps, then ends the connection unless `keep_alive`.
    pub(crate) async fn start(front: Front, steps: Vec<Step>, keep_alive: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let server = Self { address, connections: connections.clone(), requests: requests.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (front, steps, requests) = (front.clone(), steps.clone(), requests.clone());
                tokio::spawn(async move {
                    match front {
                        Front::Plain => serve(stream, &steps, keep_alive, &requests).await,
                        Front::Tls(config) => {
                            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                                serve(stream, &steps, keep_alive, &requests).await;
                            }
                        }
                        Front::Silent => std::future::pending().await,
                    }
                });
            }
        });
        server
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    steps: &[Step],
    keep_alive: bool,
    requests: &AtomicUsize,
) {
    loop {
        if read_head(&mut stream).await.is_none() {
            return;
        }
        requests.fetch_add(1, Ordering::Relaxed);
        for step in steps {
            let written = match step {
                Step::Write(bytes) => stream.write_all(bytes).await,
                Step::Pause(pause) => {
                    tokio::time::sleep(*pause).await;
                    Ok(())
                }
                Step::Flood(bytes) => {
                    while stream.write_all(bytes).await.is_ok() {}
                    return;
                }
                Step::Hold => std::future::pending().await,
            };
            if written.is_err() {
                return;
            }
        }
        let _ = stream.flush().await;
        if !keep_alive {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// Up to the empty line. The requests of these tests have no body.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(head)
}

/// An authority of its own, and what a server needs to be believed under a name.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    pub(crate) fn server(&self, name: &str, protocols: &[&str]) -> Arc<ServerConfig> {
        self.server_until(name, protocols, 4096)
    }

    /// As [`server`](Self::server), with a certificate whose life ends when that year begins.
    pub(crate) fn server_until(&self, name: &str, protocols: &[&str], year: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.not_after = date_time_ymd(year, 1, 1);
        let leaf = leaf.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![leaf.der().clone()], key)
                .unwrap();
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
