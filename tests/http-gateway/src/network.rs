//! What `wasi:http` does when a component sends: over real sockets, trusting the sandbox, writing down who was called.

use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

#[derive(Clone)]
pub(crate) struct Network {
    tls: TlsConnector,
    called: Arc<Mutex<Vec<String>>>,
}

impl Network {
    /// Trusts these authorities and no others.
    pub(crate) fn trusting(ca_pem: Option<&str>) -> Self {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.unwrap_or_default().as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), called: Arc::default() }
    }

    /// `SCHEME://AUTHORITY` of each request, oldest first.
    pub(crate) fn called(&self) -> Vec<String> {
        self.called.lock().unwrap().clone()
    }

    async fn send(self, mut request: http::Request<WasiBody>) -> Result<http::Response<WasiBody>, Error> {
        let uri = request.uri().clone();
        let authority = uri.authority().ok_or(Error::HttpRequestUriInvalid)?;
        self.called.lock().unwrap().push(format!("{}://{authority}", uri.scheme_str().unwrap_or_default()));
        *request.uri_mut() =
            uri.path_and_query().ok_or(Error::HttpRequestUriInvalid)?.as_str().parse().unwrap();
        let port = authority.port_u16().ok_or(Error::HttpRequestUriInvalid)?;
        let stream =
            TcpStream::connect((authority.host(), port)).await.map_err(|_| Error::ConnectionRefused)?;
        let response = if uri.scheme_str() == Some("https") {
            let name =
                ServerName::try_from(authority.host().to_owned()).map_err(|_| Error::TlsCertificateError)?;
            let stream = self.tls.connect(name, stream).await.map_err(|_| Error::TlsCertificateError)?;
            exchange(stream, request).await?
        } else {
            exchange(stream, request).await?
        };
        Ok(response.map(|body| body.map_err(Error::from).boxed_unsync()))
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: http::Request<WasiBody>,
) -> Result<http::Response<hyper::body::Incoming>, Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    drop(tokio::spawn(connection));
    Ok(sender.send_request(request).await?)
}

type Answer = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

impl WasiHttpHooks for Network {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Answer> + Send> {
        let network = self.clone();
        Box::new(async move {
            let response = network.send(request).await?;
            Ok((response, Box::new(async { Ok(()) }) as _))
        })
    }
}
