//! The gate between the component and the network: what is not granted does not leave.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// Method and URL without query, as a plan lists them.
pub(crate) type Endpoints = BTreeSet<(String, String)>;

/// Where to find instead what has a fixed address in the world: both as `HOST:PORT`.
pub(crate) type Elsewhere = BTreeMap<String, String>;

#[derive(Clone)]
pub(crate) struct Gate {
    granted: Arc<Endpoints>,
    elsewhere: Arc<Elsewhere>,
    tls: TlsConnector,
}

type Running = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answer = Result<(http::Response<WasiBody>, Running), Error>;

impl Gate {
    /// `ca`: the only authority that is trusted, as PEM.
    pub(crate) fn new(granted: Endpoints, elsewhere: Elsewhere, ca: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            granted: Arc::new(granted),
            elsewhere: Arc::new(elsewhere),
            tls: TlsConnector::from(Arc::new(config)),
        }
    }

    fn permits(&self, request: &http::request::Parts) -> bool {
        let uri = &request.uri;
        let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority());
        let url = format!("{scheme}://{}{}", authority.map_or("", |part| part.as_str()), uri.path());
        let granted = |url: &str| self.granted.contains(&(request.method.to_string(), url.to_owned()));
        // A `*` at the end of a plan's URL stands for one segment.
        granted(&url) || url.rsplit_once('/').is_some_and(|(parent, _)| granted(&format!("{parent}/*")))
    }

    /// A connection for each request, which the component's own streams feed and empty.
    async fn pass(self, request: http::Request<WasiBody>) -> Answer {
        let (mut parts, body) = request.into_parts();
        if !self.permits(&parts) {
            return Err(Error::HttpRequestDenied);
        }
        let encrypted = parts.uri.scheme_str() == Some("https");
        let host = parts.uri.host().unwrap().to_owned();
        let port = parts.uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
        let address = format!("{host}:{port}");
        let address = self.elsewhere.get(&address).unwrap_or(&address);
        // As HTTP/1.1 has it.
        parts.uri = parts.uri.path_and_query().unwrap().as_str().parse().unwrap();
        let request = http::Request::from_parts(parts, body);
        let tcp = TcpStream::connect(address).await.map_err(|_| Error::ConnectionRefused)?;
        if !encrypted {
            return converse(tcp, request).await;
        }
        let name = ServerName::try_from(host).unwrap();
        let tls = self.tls.connect(name, tcp).await.map_err(|_| Error::TlsCertificateError)?;
        converse(tls, request).await
    }
}

async fn converse<S>(stream: S, request: http::Request<WasiBody>) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |_| Error::ConnectionTerminated;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Aborted when dropped: a request that the component gives up is gone from the wire.
    let mut running = JoinSet::new();
    running.spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let response = response.map(|body| body.map_err(|_| Error::ConnectionTerminated).boxed_unsync());
    let ended = async move {
        let _connection = running.join_next().await;
        Ok(())
    };
    Ok((response, Box::new(ended)))
}

impl WasiHttpHooks for Gate {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        Box::new(self.clone().pass(request))
    }
}
