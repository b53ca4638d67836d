//! Making connections: which address, in how long, with TLS or without.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::allow::is_local_address;
use super::tls::{self, TlsFailure, Trust};
use super::{ClientIdentity, ConnectTo, Fault};

/// How long a TLS handshake may take that nobody waits for any more. Requests have their own, shorter deadline.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Connects to the host of a URI. One per connect time-out, because hyper's connector keeps that as a setting.
#[derive(Clone)]
pub(super) struct Dial {
    tcp: HttpConnector<Resolver>,
    plain_tcp: HttpConnector<LocalResolver>,
    rules: Arc<[ConnectTo]>,
    trust: Arc<Trust>,
    identity: Option<ClientIdentity>,
    http1_only: bool,
}

impl Dial {
    pub(super) fn new(trust: Arc<Trust>, rules: Arc<[ConnectTo]>, timeout: Duration) -> Self {
        Self {
            tcp: tcp(Resolver, timeout),
            plain_tcp: tcp(LocalResolver, timeout),
            rules,
            trust,
            identity: None,
            http1_only: false,
        }
    }

    /// As this one, with a certificate to present.
    pub(super) fn presenting(&self, identity: ClientIdentity) -> Self {
        Self { identity: Some(identity), ..self.clone() }
    }

    /// As this one, without offering HTTP/2.
    pub(super) fn http1_only(&self) -> Self {
        Self { http1_only: true, ..self.clone() }
    }

    pub(super) async fn connect(self, uri: Uri) -> Result<Stream, Fault> {
        let secure = is_secure(&uri);
        // Files may have to be read for the one while the name is looked up for the other.
        let settings = async { if secure { Some(self.settings().await) } else { None } };
        let (tcp, settings) = tokio::join!(self.tcp(&uri), settings);
        let Tcp { stream, name, .. } = tcp?;
        let Some(settings) = settings else { return Ok(Stream(Inner::Plain(stream))) };
        let session = handshake(settings, stream, name).await.map_err(|failure| failure.fault())?;
        Ok(Stream(Inner::Tls(Box::new(TokioIo::new(session)))))
    }

    /// Looks the name up and connects, as the rules and the scheme have it.
    pub(super) async fn tcp(&self, uri: &Uri) -> Result<Tcp, Fault> {
        let secure = is_secure(uri);
        let host = uri.host().ok_or(Fault::Unsendable)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let redirected = self.rules.iter().find_map(|rule| rule.apply(bare, port));
        let operator_chose = redirected.is_some();
        let (target, target_port) = redirected.unwrap_or_else(|| (bare.to_owned(), port));

        let address = address(&target, target_port)?;
        // Plain http was granted because of the name. Whoever controls what the name resolves to must not be able to
        // send it elsewhere; an operator with --connect-to may.
        let stream = if secure || operator_chose {
            self.tcp.clone().call(address).await.map_err(|e| Fault::from_chain(&e))?
        } else {
            self.plain_tcp.clone().call(address).await.map_err(|e| Fault::from_chain(&e))?
        };
        Ok(Tcp { stream, secure, name: bare.to_owned() })
    }

    /// A TLS session under this name, on a connection that [`tcp`](Self::tcp) made.
    pub(super) async fn tls(
        &self,
        stream: TokioIo<TcpStream>,
        name: String,
    ) -> Result<TlsStream<TcpStream>, TlsFailure> {
        handshake(self.settings().await, stream, name).await
    }

    /// Reads certificate files: the platform's the first time, the one to present every time.
    async fn settings(&self) -> Result<Arc<ClientConfig>, Fault> {
        let (trust, identity) = (Arc::clone(&self.trust), self.identity.clone());
        let at_once = if identity.is_none() { trust.config_at_once() } else { None };
        let config = match at_once {
            Some(config) => config,
            None => {
                let reading = tokio::task::spawn_blocking(move || match identity {
                    Some(identity) => trust.config_presenting(&identity),
                    None => trust.config(),
                });
                reading.await.map_err(|_| Fault::Tls)?
            }
        }?;
        Ok(if self.http1_only { tls::http1_only(&config) } else { config })
    }
}

async fn handshake(
    settings: Result<Arc<ClientConfig>, Fault>,
    stream: TokioIo<TcpStream>,
    name: String,
) -> Result<TlsStream<TcpStream>, TlsFailure> {
    let config = settings.map_err(TlsFailure::Other)?;
    let name = ServerName::try_from(name).map_err(|_| TlsFailure::Other(Fault::Unresolved))?;
    let handshake = TlsConnector::from(config).connect(name, stream.into_inner());
    match tokio::time::timeout(HANDSHAKE, handshake).await {
        Ok(result) => result.map_err(|error| TlsFailure::of(&error)),
        Err(_) => Err(TlsFailure::Other(Fault::ConnectTimeout)),
    }
}

fn is_secure(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// A TCP connection, and what is to become of it.
pub(super) struct Tcp {
    pub(super) stream: TokioIo<TcpStream>,
    /// Whether TLS is spoken on it.
    pub(super) secure: bool,
    /// The host of the URI, without brackets: the name that a certificate has to be for.
    pub(super) name: String,
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Fault>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

fn tcp<R>(resolver: R, timeout: Duration) -> HttpConnector<R> {
    let mut connector = HttpConnector::new_with_resolver(resolver);
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(timeout));
    connector
}

/// The scheme is of no importance here: the port is given.
fn address(host: &str, port: u16) -> Result<Uri, Fault> {
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Uri::builder()
        .scheme("http")
        .authority(authority)
        .path_and_query("/")
        .build()
        .map_err(|_| Fault::Unsendable)
}

/// The platform's resolver.
#[derive(Clone)]
struct Resolver;

/// As [`Resolver`], but finds only this machine and the metadata addresses.
#[derive(Clone)]
struct LocalResolver;

type Resolving = Pin<Box<dyn Future<Output = Result<std::vec::IntoIter<SocketAddr>, Fault>> + Send>>;

fn resolve(name: Name, permitted: fn(IpAddr) -> bool) -> Resolving {
    Box::pin(async move {
        let found = GaiResolver::new().call(name).await.map_err(|_| Fault::Unresolved)?;
        let all: Vec<_> = found.collect();
        let permitted: Vec<_> = all.iter().copied().filter(|address| permitted(address.ip())).collect();
        match (all.is_empty(), permitted.is_empty()) {
            (true, _) => Err(Fault::Unresolved),
            (false, true) => Err(Fault::Denied),
            (false, false) => Ok(permitted.into_iter()),
        }
    })
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Fault;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        resolve(name, |_| true)
    }
}

impl Service<Name> for LocalResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Fault;
    type Future = Resolving;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Resolving {
        resolve(name, is_local_address)
    }
}

/// A connection, with TLS or without. hyper reads and writes it.
pub struct Stream(Inner);

enum Inner {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Stream {
    /// Whether HTTP/2 was agreed on in the TLS handshake.
    #[must_use]
    pub fn is_http2(&self) -> bool {
        match &self.0 {
            Inner::Plain(_) => false,
            Inner::Tls(stream) => stream.inner().get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        if self.is_http2() { Connected::new().negotiated_h2() } else { Connected::new() }
    }
}

impl Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Inner::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Inner::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().0 {
            Inner::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Inner::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
