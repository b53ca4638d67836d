//! A small HTTP client that shows everything: version, headers, pieces of the body, and how it ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keyless_sandbox::{Sandbox, ServiceName};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bodies are of this type, so that one can be sent without a length.
pub(crate) type SentBody = BoxBody<Bytes, std::io::Error>;

/// Headers to send: names and values.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// An answer as it arrived.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) version: Version,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) pieces: Vec<Bytes>,
    /// Whether the body ended as it should.
    pub(crate) complete: bool,
}

impl Reply {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }
}

/// Requests to one sandbox.
pub(crate) struct Client<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) version: Version,
    /// Asked for in the TLS handshake.
    pub(crate) server_name: &'static str,
    /// Bytes of a body after which to stop reading.
    pub(crate) limit: usize,
}

impl<'a> Client<'a> {
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        Self { sandbox, version: Version::HTTP_11, server_name: "localhost", limit: usize::MAX }
    }

    pub(crate) fn http2(sandbox: &'a Sandbox) -> Self {
        Self { version: Version::HTTP_2, ..Self::new(sandbox) }
    }

    pub(crate) async fn get(&self, service: ServiceName, path: &str) -> Reply {
        self.send(service, self.request(service, Method::GET, path).body(full("")).unwrap()).await.unwrap()
    }

    /// A GET with headers.
    pub(crate) async fn get_with(&self, service: ServiceName, path: &str, headers: Headers<'_>) -> Reply {
        self.send_with(service, Method::GET, path, headers, "").await
    }

    /// Anything.
    pub(crate) async fn send_with(
        &self,
        service: ServiceName,
        method: Method,
        path: &str,
        headers: Headers<'_>,
        body: &str,
    ) -> Reply {
        let mut request = self.request(service, method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(service, request.body(full(body.to_owned())).unwrap()).await.unwrap()
    }

    /// The answer to a good exchange of any token at OpenAI's endpoint, `_azure` and so on naming the provider.
    pub(crate) async fn exchange_token(&self, token: &str, provider: &str) -> Reply {
        let mut body = self.exchange_body();
        body["subject_token"] = token.into();
        body["identity_provider_id"] = format!("idp_sandbox{provider}").into();
        self.post_json(ServiceName::Exchange, "/oauth/token", &body).await
    }

    pub(crate) async fn post_json(&self, service: ServiceName, path: &str, body: &Value) -> Reply {
        self.try_post_json(service, path, body).await.unwrap()
    }

    pub(crate) async fn try_post_json(
        &self,
        service: ServiceName,
        path: &str,
        body: &Value,
    ) -> Result<Reply, hyper::Error> {
        let request = self.request(service, Method::POST, path).header("content-type", "application/json");
        self.send(service, request.body(full(body.to_string())).unwrap()).await
    }

    /// A call of the API with a bearer.
    pub(crate) async fn call(&self, bearer: &str, path: &str, body: Option<&Value>) -> Reply {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = self
            .request(ServiceName::Upstream, method, path)
            .header("authorization", format!("Bearer {bearer}"))
            .header("content-type", "application/json")
            .header("openai-organization", "org-test");
        let body = body.map(ToString::to_string).unwrap_or_default();
        self.send(ServiceName::Upstream, request.body(full(body)).unwrap()).await.unwrap()
    }

    /// The body of a good exchange of the token in the volume.
    pub(crate) fn exchange_body(&self) -> Value {
        let token = std::fs::read_to_string(self.sandbox.token_path()).unwrap();
        json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "identity_provider_id": "idp_sandbox",
            "service_account_id": "svc_acct_sandbox",
        })
    }

    pub(crate) async fn exchange(&self) -> Reply {
        self.post_json(ServiceName::Exchange, "/oauth/token", &self.exchange_body()).await
    }

    /// A fresh access token.
    pub(crate) async fn access_token(&self) -> String {
        let reply = self.exchange().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn admin(&self, method: Method, path: &str, body: &str) -> Reply {
        let port = self.admin_port();
        let request = Request::builder().method(method).uri(path).header("host", format!("localhost:{port}"));
        self.admin_raw(request.body(full(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn admin_raw(&self, request: Request<SentBody>) -> Reply {
        let stream = TcpStream::connect(("127.0.0.1", self.admin_port())).await.unwrap();
        self.over(stream, request, Version::HTTP_11).await.unwrap()
    }

    fn admin_port(&self) -> u16 {
        self.sandbox.admin_url().rsplit(':').next().unwrap().parse().unwrap()
    }

    pub(crate) fn request(&self, service: ServiceName, method: Method, path: &str) -> http::request::Builder {
        let authority = format!("localhost:{}", self.sandbox.port(service));
        if self.version == Version::HTTP_2 {
            Request::builder().method(method).uri(format!("https://{authority}{path}"))
        } else {
            Request::builder().method(method).uri(path).header("host", authority)
        }
    }

    pub(crate) async fn send(
        &self,
        service: ServiceName,
        request: Request<SentBody>,
    ) -> Result<Reply, hyper::Error> {
        let tcp = TcpStream::connect(("127.0.0.1", self.sandbox.port(service))).await.unwrap();
        if !service.encrypted() {
            return self.over(tcp, request, self.version).await;
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.sandbox.ca_pem().as_bytes()).unwrap()).unwrap();
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols =
            vec![if self.version == Version::HTTP_2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let name = ServerName::try_from(self.server_name).unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        self.over(stream, request, self.version).await
    }

    async fn over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: Request<SentBody>,
        version: Version,
    ) -> Result<Reply, hyper::Error> {
        let response = if version == Version::HTTP_2 {
            let (mut sender, connection) =
                http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            sender.send_request(request).await?
        } else {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            sender.send_request(request).await?
        };
        let (head, mut body) = response.into_parts();
        let mut reply = Reply {
            version: head.version,
            status: head.status,
            headers: head.headers,
            pieces: Vec::new(),
            complete: true,
        };
        let mut read = 0;
        while read < self.limit {
            match body.frame().await {
                None => return Ok(reply),
                Some(Ok(frame)) => {
                    let piece = frame.into_data().unwrap_or_default();
                    read += piece.len();
                    reply.pieces.push(piece);
                }
                Some(Err(_)) => {
                    reply.complete = false;
                    return Ok(reply);
                }
            }
        }
        reply.complete = false;
        Ok(reply)
    }
}

/// A body with a length.
pub(crate) fn full(text: impl Into<Bytes>) -> SentBody {
    Full::new(text.into()).map_err(|never| match never {}).boxed()
}

/// A body whose length is not known beforehand.
pub(crate) fn chunked(text: String) -> SentBody {
    let frames = OneFrame(Some(text.into()));
    StreamBody::new(frames).boxed()
}

struct OneFrame(Option<Bytes>);

impl futures_core::Stream for OneFrame {
    type Item = Result<http_body::Frame<Bytes>, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.take().map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

/// Fails a test that would hang.
pub(crate) async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.unwrap()
}
