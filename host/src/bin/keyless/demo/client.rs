//! A plain HTTPS client of the API: it sets the credential's headers and reads the answer as it comes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use keyless::Credential;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::broken;
use crate::output::problem::Problem;

#[derive(Clone)]
pub(super) struct Client(TlsConnector);

/// A streamed answer, when it is complete.
pub(super) struct Streamed {
    pub(super) text: String,
    /// How many pieces of text it came in.
    pub(super) chunks: usize,
}

impl Client {
    /// Trusts the sandbox's CA and nobody else.
    pub(super) fn new(ca_pem: &str) -> Result<Self, Problem> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            let certificate = certificate.map_err(|reason| failed(&reason))?;
            roots.add(certificate).map_err(|reason| failed(&reason))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|reason| failed(&reason))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// The status of a small call.
    pub(super) async fn models(&self, credential: &Credential) -> Result<u16, Problem> {
        let response = self.send(Method::GET, "/models", credential, Bytes::new()).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await.map_err(|reason| failed(&reason))?;
        Ok(status)
    }

    /// An answer of the Responses API, event by event.
    pub(super) async fn stream(&self, credential: &Credential, input: &str) -> Result<Streamed, Problem> {
        let body = serde_json::json!({ "model": "sandbox-1", "input": input, "stream": true });
        let response =
            self.send(Method::POST, "/responses", credential, Bytes::from(body.to_string())).await?;
        if response.status() != 200 {
            return Err(broken(format!("the streamed call was answered {}", response.status())));
        }
        let mut body = response.into_body();
        let (mut pending, mut streamed) = (Vec::new(), Streamed { text: String::new(), chunks: 0 });
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|reason| failed(&reason))?;
            pending.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                if let Some(text) = delta(&line) {
                    streamed.text.push_str(&text);
                    streamed.chunks += 1;
                }
            }
        }
        Ok(streamed)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        credential: &Credential,
        body: Bytes,
    ) -> Result<Response<Incoming>, Problem> {
        let base_url = url::Url::parse(credential.base_url()).map_err(|reason| failed(&reason))?;
        let host = base_url.host_str().ok_or_else(|| broken("the base URL has no host"))?.to_owned();
        let port = base_url.port_or_known_default().unwrap_or(443);
        let name = ServerName::try_from(host.clone()).map_err(|reason| failed(&reason))?;

        let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(|reason| failed(&reason))?;
        let tls = self.0.connect(name, tcp).await.map_err(|reason| failed(&reason))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls))
            .await
            .map_err(|reason| failed(&reason))?;
        // Ends with the response; what goes wrong shows there.
        tokio::spawn(connection);

        let mut headers = HeaderMap::new();
        headers.insert(
            header::HOST,
            HeaderValue::from_str(&format!("{host}:{port}")).map_err(|reason| failed(&reason))?,
        );
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        credential.apply(&mut headers);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", base_url.path().trim_end_matches('/')))
            .body(Full::new(body))
            .map_err(|reason| failed(&reason))?;
        *request.headers_mut() = headers;
        sender.send_request(request).await.map_err(|reason| failed(&reason))
    }
}

/// The text in a line of a server-sent event, if it carries any.
fn delta(line: &[u8]) -> Option<String> {
    let event: serde_json::Value = serde_json::from_slice(line.trim_ascii().strip_prefix(b"data:")?).ok()?;
    if event.get("type")? != "response.output_text.delta" {
        return None;
    }
    Some(event.get("delta")?.as_str()?.to_owned())
}

fn failed(reason: &dyn std::fmt::Display) -> Problem {
    broken(format!("the call of the API failed: {reason}"))
}
