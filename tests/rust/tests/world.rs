//! What these tests play on: a sandbox, a connection to it, and the clients that trust it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use keyless::tower::{Authorize, AuthorizeLayer, Kept};
use keyless::{Cache, Connection, CredentialRef, Grant, Runtime, Variables};
use keyless_sandbox::{Options, RequestRecord, Sandbox, ServiceName};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tower::Layer as _;

/// Nothing here takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// hyper's client below the layer.
pub(crate) type Tower<B = Full<Bytes>> = Authorize<Client<HttpsConnector<HttpConnector>, Kept<B>>>;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) connection: Connection,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// Access tokens live this long; the half of it is when they are renewed.
    pub(crate) async fn short_lived(lifetime: Duration) -> Self {
        Self::with(Options { access_token_lifetime: lifetime, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::on(Sandbox::start(options).await.unwrap()).await
    }

    /// On a sandbox that was prepared: the first exchange begins when this returns.
    pub(crate) async fn on(sandbox: Sandbox) -> Self {
        let connection = connect(&sandbox).await;
        Self { sandbox, connection }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    /// What reached the API.
    pub(crate) fn calls(&self) -> Vec<RequestRecord> {
        self.sandbox.requests(ServiceName::Upstream)
    }

    /// How the API answered, in order.
    pub(crate) fn statuses(&self) -> Vec<Option<u16>> {
        self.calls().iter().map(|call| call.status).collect()
    }

    pub(crate) fn exchanges(&self) -> u64 {
        self.sandbox.counters(ServiceName::Exchange).requests
    }

    /// Waits for a credential of this generation or a later one.
    pub(crate) async fn generation(&self, wanted: u64) -> CredentialRef {
        let mut changes = self.connection.changes();
        let coming = async {
            while let Some(credential) = changes.credential().await {
                if credential.generation() >= wanted {
                    return credential;
                }
            }
            panic!("the connection has ended");
        };
        tokio::time::timeout(PATIENCE, coming).await.expect("no such credential in time")
    }

    pub(crate) fn tower(&self) -> Tower {
        layered(AuthorizeLayer::new(self.connection.clone()), &self.sandbox)
    }

    pub(crate) fn reqwest(&self) -> reqwest_middleware::ClientWithMiddleware {
        let authorize = keyless::reqwest::Authorize::new(self.connection.clone());
        authorize.client(trusting(&self.sandbox)).unwrap()
    }
}

/// hyper's client, which trusts this sandbox, below this layer.
pub(crate) fn layered<B>(layer: AuthorizeLayer, sandbox: &Sandbox) -> Tower<B>
where
    B: http_body::Body + Send + 'static,
    B::Error: Into<keyless::tower::BoxError>,
    B::Data: Send,
{
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(tls(sandbox)).https_only().enable_all_versions().build();
    layer.layer(Client::builder(TokioExecutor::new()).build(connector))
}

/// A builder of a reqwest client that trusts this sandbox and nobody else.
pub(crate) fn trusting(sandbox: &Sandbox) -> reqwest::ClientBuilder {
    // Every test may be the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([certificate])
}

fn tls(sandbox: &Sandbox) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(sandbox.ca_pem().as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn connect(sandbox: &Sandbox) -> Connection {
    let document = sandbox.documents().native;
    let runtime = Runtime::builder()
        .cache(Cache::Directory(cache()))
        .ca_certificates(sandbox.ca_pem())
        .build()
        .unwrap();
    let plan = runtime.plan(&document, &Variables::new()).await.unwrap();
    runtime.open(&document, Variables::new(), Grant::for_plan(&plan)).await.unwrap()
}

/// Compiled once for all tests, and all runs.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}
