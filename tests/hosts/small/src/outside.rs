//! What the machine may ask of the outside: files and requests, as far as they are granted.

use std::error::Error as StdError;
use std::fs::{self, File};
use std::future::Future;
use std::io::{ErrorKind, Read as _};
use std::pin::Pin;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::lookup_host;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::bindings::exports::keyless::credentials::machine::{
    FileFault, FileRead, Header, Request, Response, SendFault,
};
use crate::grant::{self, Grant};

/// Whoever performs the machine's effects.
pub trait Outside: Send + Sync + 'static {
    /// Reads a whole file.
    ///
    /// # Errors
    /// Why it could not be read.
    fn read(&self, read: &FileRead) -> Result<Vec<u8>, FileFault>;

    /// Sends a request and collects the whole answer, or says why there is none.
    fn send(&self, request: Request) -> Sending<'_>;
}

/// A request on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, SendFault>> + Send + 'a>>;

/// The real outside, as far as it is granted.
pub struct Granted {
    grant: Grant,
    client: Client<HttpsConnector<HttpConnector>, Full<bytes::Bytes>>,
}

impl Granted {
    /// `ca`: a PEM file of roots to trust beside the platform's.
    ///
    /// # Errors
    /// The PEM file cannot be read.
    pub fn new(grant: Grant, ca: Option<&str>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = ca {
            for certificate in CertificateDer::pem_file_iter(path).context("the CA file cannot be read")? {
                roots.add(certificate.context("the CA file is not PEM")?)?;
            }
        }
        Ok(Self::over(grant, ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    }

    /// Over TLS of one's own.
    #[must_use]
    pub fn over(grant: Grant, tls: ClientConfig) -> Self {
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        // This client follows no redirect, asks no proxy, adds no header and decompresses nothing.
        Self { grant, client: Client::builder(TokioExecutor::new()).build(https) }
    }

    async fn exchange(&self, request: Request) -> Result<Response, SendFault> {
        let mut sent = http::Request::builder().method(request.method.as_str()).uri(&request.url);
        for Header { name, value } in &request.headers {
            sent = sent.header(name, value);
        }
        let sent = sent.body(Full::new(request.body.into())).map_err(|_| SendFault::Denied)?;
        let host = sent.uri().host().unwrap_or_default().trim_matches(['[', ']']);
        let places = lookup_host((host, 0)).await.map_err(|_| SendFault::Unresolved)?;
        if !grant::is_private(sent.uri(), places.map(|place| place.ip())) {
            return Err(SendFault::Denied);
        }
        let answer = self.client.request(sent).await.map_err(|error| {
            let untrusted = causes(&error).any(|cause| cause.is::<rustls::Error>());
            match (untrusted, error.is_connect()) {
                (true, _) => SendFault::Untrusted,
                (false, true) => SendFault::Unreachable,
                (false, false) => SendFault::Broken,
            }
        })?;
        let (head, body) = answer.into_parts();
        let limit = usize::try_from(request.response_limit).unwrap_or(usize::MAX);
        let body = Limited::new(body, limit).collect().await;
        let body = body.map_err(|error| {
            if error.is::<LengthLimitError>() { SendFault::TooLarge } else { SendFault::Broken }
        })?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter();
        let headers =
            headers.map(|(name, value)| Header { name: name.to_string(), value: text(value) }).collect();
        Ok(Response { status: head.status.as_u16(), headers, body: body.to_bytes().into() })
    }
}

impl Outside for Granted {
    fn read(&self, read: &FileRead) -> Result<Vec<u8>, FileFault> {
        if !self.grant.files.contains(&read.path) {
            return Err(FileFault::Denied);
        }
        let fault = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => FileFault::Missing,
            _ => FileFault::Failed,
        };
        // Before it is opened: a pipe would not open until somebody writes to it.
        if !fs::metadata(&read.path).map_err(fault)?.is_file() {
            return Err(FileFault::NotAFile);
        }
        let limit = usize::try_from(read.limit).unwrap_or(usize::MAX);
        let mut content = Vec::new();
        let file = File::open(&read.path).map_err(fault)?;
        file.take(u64::from(read.limit) + 1).read_to_end(&mut content).map_err(fault)?;
        if content.len() > limit { Err(FileFault::TooLarge) } else { Ok(content) }
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(async move {
            if !self.grant.permits(&request.method, &request.url) {
                return Err(SendFault::Denied);
            }
            let all_of_it = Duration::from_millis(request.timeout_ms.into());
            tokio::time::timeout(all_of_it, self.exchange(request)).await.unwrap_or(Err(SendFault::TimedOut))
        })
    }
}

/// An error and what caused it, the content of I/O errors included.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<std::io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}
