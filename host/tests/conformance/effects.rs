//! The small host's effects with one flaw.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyless_small_host::bindings::exports::keyless::credentials::machine::{
    FileFault, FileRead, Header, Request, Response, SendFault,
};
use keyless_small_host::grant::Grant;
use keyless_small_host::outside::{Granted, Outside, Sending};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// What was granted to any connection of this process.
static GRANTED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

pub(crate) struct Flawed {
    flaw: String,
    grant: Grant,
    ca: Option<String>,
    sound: Granted,
    read: Mutex<HashMap<String, Vec<u8>>>,
}

impl Flawed {
    pub(crate) fn new(flaw: &str, grant: Grant, ca: Option<&str>) -> wasmtime::Result<Self> {
        GRANTED.lock().unwrap().extend(grant.endpoints.iter().cloned());
        let ca = ca.filter(|_| flaw != "ignores-ca-file");
        let blind = matches!((flaw, ca), ("trusts-anybody", None) | ("trusts-any-name", Some(_)));
        let sound = if blind {
            Granted::over(grant.clone(), blind_trust())
        } else {
            Granted::new(grant.clone(), ca)?
        };
        Ok(Self { flaw: flaw.to_owned(), grant, ca: ca.map(str::to_owned), sound, read: Mutex::default() })
    }

    /// Whether this flaw would let the request pass where the grant does not, or the other way round.
    fn permits(&self, method: &str, url: &str) -> bool {
        let place = url.split('?').next().unwrap();
        let authority = |url: &str| url.split('/').nth(2).map(str::to_owned);
        let granted = self.grant.permits(method, url);
        let mut endpoints = self.grant.endpoints.iter();
        match &*self.flaw {
            "grants-everything" => true,
            "grants-hosts" => {
                granted || endpoints.any(|(known, its)| known == method && authority(its) == authority(url))
            }
            "grants-any-method" => granted || endpoints.any(|(_, its)| its == place),
            "star-is-many" => {
                granted
                    || endpoints.any(|(known, its)| {
                        known == method
                            && its
                                .strip_suffix("/*")
                                .is_some_and(|start| place.starts_with(&format!("{start}/")))
                    })
            }
            "star-is-unknown" => endpoints.any(|(known, its)| known == method && its == place),
            "grants-to-all" => {
                Grant { endpoints: GRANTED.lock().unwrap().clone(), files: Vec::new() }.permits(method, url)
            }
            _ => granted,
        }
    }

    /// Sends it, whatever the grant says.
    async fn pass(&self, request: Request) -> Result<Response, SendFault> {
        if self.sound_permits(&request) {
            return self.sound.send(request).await;
        }
        let place = request.url.split('?').next().unwrap().to_owned();
        let grant = Grant { endpoints: vec![(request.method.clone(), place)], files: Vec::new() };
        Granted::new(grant, self.ca.as_deref()).unwrap().send(request).await
    }

    fn sound_permits(&self, request: &Request) -> bool {
        self.grant.permits(&request.method, &request.url)
    }

    async fn flawed(&self, mut request: Request) -> Result<Response, SendFault> {
        if !self.permits(&request.method, &request.url) {
            return Err(SendFault::Denied);
        }
        match &*self.flaw {
            "adds-a-header" => {
                request.headers.push(Header { name: "user-agent".to_owned(), value: "flawed/1".to_owned() });
            }
            "logs-tokens" => eprintln!("sending {}", String::from_utf8_lossy(&request.body)),
            // What is not there any more needs no deleting.
            "deletes-nothing" if request.method == "DELETE" => {
                return Ok(Response { status: 404, headers: Vec::new(), body: Vec::new() });
            }
            "waits-for-ever" => request.timeout_ms = 3_600_000,
            "takes-one-more" => request.response_limit += 1,
            "takes-one-less" => request.response_limit -= 1,
            "sends-chunks" if request.method == "POST" && request.url.starts_with("http:") => {
                return by_hand(request, By::Chunks).await;
            }
            "waits-for-each-byte" if request.url.starts_with("http:") => {
                return by_hand(request, By::Bytes).await;
            }
            "uses-proxy" if request.url.starts_with("http:") => {
                if let Ok(proxy) = std::env::var("HTTP_PROXY") {
                    return by_hand(request, By::Proxy(proxy)).await;
                }
            }
            _ => {}
        }
        let mut response = self.pass(copy(&request)).await.map_err(|fault| match (&*self.flaw, fault) {
            ("breaks-are-time-outs", SendFault::Broken | SendFault::Unreachable) => SendFault::TimedOut,
            (_, fault) => fault,
        })?;
        if self.flaw == "drops-headers" {
            response.headers.clear();
        }
        let location = response.headers.iter().find(|header| header.name == "location");
        if let (Some(location), "follows-redirects") = (location, &*self.flaw) {
            request.url.clone_from(&location.value);
            return self.pass(request).await;
        }
        Ok(response)
    }
}

impl Outside for Flawed {
    fn read(&self, read: &FileRead) -> Result<Vec<u8>, FileFault> {
        let FileRead { id, path, limit } = read;
        match &*self.flaw {
            "reads-everything" => fs::read(path).map_err(|_| FileFault::Missing),
            "reads-empty-when-missing" => match self.sound.read(read) {
                Err(FileFault::Missing) => Ok(Vec::new()),
                other => other,
            },
            // A pipe is never opened, because nobody writes to it.
            "reads-devices" => {
                let file = fs::File::open(path).map_err(|_| FileFault::Missing)?;
                let mut content = Vec::new();
                let count = file.take(u64::from(*limit) + 1).read_to_end(&mut content);
                match count.map_err(|_| FileFault::Failed)? {
                    count if count > usize::try_from(*limit).unwrap() => Err(FileFault::TooLarge),
                    _ => Ok(content),
                }
            }
            "reads-one-less" => self.sound.read(&FileRead { id: *id, path: path.clone(), limit: limit - 1 }),
            "reads-once" => {
                let mut known = self.read.lock().unwrap();
                if let Some(content) = known.get(path) {
                    return Ok(content.clone());
                }
                let content = self.sound.read(read)?;
                known.insert(path.clone(), content.clone());
                Ok(content)
            }
            _ => self.sound.read(read),
        }
    }

    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(self.flawed(request))
    }
}

fn copy(request: &Request) -> Request {
    let header = |Header { name, value }: &Header| Header { name: name.clone(), value: value.clone() };
    Request {
        id: request.id,
        method: request.method.clone(),
        url: request.url.clone(),
        headers: request.headers.iter().map(header).collect(),
        body: request.body.clone(),
        timeout_ms: request.timeout_ms,
        response_limit: request.response_limit,
    }
}

/// What a request written by hand does otherwise.
enum By {
    /// Its body in one chunk.
    Chunks,
    /// Its deadline for each byte anew.
    Bytes,
    /// Its way through a proxy.
    Proxy(String),
}

/// Over plain HTTP.
async fn by_hand(request: Request, by: By) -> Result<Response, SendFault> {
    let sent = tokio::task::spawn_blocking(move || written(&request, &by));
    sent.await.unwrap().map_err(|reason| match reason.kind() {
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => SendFault::TimedOut,
        std::io::ErrorKind::ConnectionRefused => SendFault::Unreachable,
        std::io::ErrorKind::FileTooLarge => SendFault::TooLarge,
        _ => SendFault::Broken,
    })
}

fn written(request: &Request, by: &By) -> std::io::Result<Response> {
    let rest = request.url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (address, target) = match by {
        By::Proxy(proxy) => (proxy.strip_prefix("http://").unwrap(), request.url.clone()),
        _ => (authority, format!("/{path}")),
    };
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_millis(request.timeout_ms.into())))?;
    let mut head =
        format!("{} {target} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n", request.method);
    for Header { name, value } in &request.headers {
        if !(matches!(by, By::Chunks) && name == "content-length") {
            head += &format!("{name}: {value}\r\n");
        }
    }
    if matches!(by, By::Chunks) {
        head += &format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", request.body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&request.body)?;
        stream.write_all(b"\r\n0\r\n\r\n")?;
    } else {
        stream.write_all((head + "\r\n").as_bytes())?;
        stream.write_all(&request.body)?;
    }
    let mut answer = Vec::new();
    stream.take(1 << 20).read_to_end(&mut answer)?;
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| Header { name: name.to_ascii_lowercase(), value: value.to_owned() })
        .collect();
    let body = answer[end + 4..].to_vec();
    if body.len() > usize::try_from(request.response_limit).unwrap() {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    let length = headers.iter().find(|header| header.name == "content-length");
    if length.is_some_and(|length| length.value != body.len().to_string()) {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Response { status: status.unwrap_or(0), headers, body })
}

/// TLS with whoever answers.
fn blind_trust() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions();
    builder.unwrap().dangerous().with_custom_certificate_verifier(Arc::new(Blind)).with_no_client_auth()
}

#[derive(Debug)]
struct Blind;

impl ServerCertVerifier for Blind {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
