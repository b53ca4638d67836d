//! What stands around a proxy in these tests: its client, the connection whose credential it sets, and an upstream that
//! checks the credential. All on loopback, over real sockets.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Uri};
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use keyless_gateway::{
    Changes, Config, Connected, Connecting, Connection, Connections, Credential, Gateway, Network, Sockets,
    Speaking, Status, Unavailable, Waiting,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

/// A proxy at work in front of an upstream.
pub struct World {
    pub gateway: Gateway,
    pub proxy: SocketAddr,
    pub credentials: Arc<Credentials>,
    pub network: Arc<Loopback>,
}

impl World {
    /// One route for everything, to this upstream.
    pub fn new(upstream: SocketAddr) -> Self {
        Self::with(upstream, json!({"routes": [{"prefix": "/", "connection": "api"}]}))
    }

    /// `table`: what `[proxy.x]` holds beside `listen`.
    pub fn with(upstream: SocketAddr, mut table: Value) -> Self {
        let base_url: Uri = format!("http://{upstream}/v1").parse().unwrap();
        let credentials = Arc::new(Credentials::new(base_url));
        let network = Arc::new(Loopback::default());
        let mut gateway = Gateway::new(network.clone(), Sockets::new());
        table["listen"] = "127.0.0.1:0".into();
        let config = json!({"proxy": {"x": table}, "ops": {"listen": "127.0.0.1:0"}});
        let config = Config::read(config.as_object().unwrap().clone()).unwrap();
        let connections =
            Connections::from([("api".to_owned(), Arc::clone(&credentials) as Arc<dyn Connection>)]);
        gateway.apply(&config, &connections).unwrap();
        let proxy = Self::address(&gateway, "proxy.x");
        Self { gateway, proxy, credentials, network }
    }

    fn address(gateway: &Gateway, name: &str) -> SocketAddr {
        let mut addresses = gateway.addresses();
        let (_, address) = addresses.find(|(listener, _)| listener == name).unwrap();
        address.to_string().parse().unwrap()
    }

    /// A connection to the proxy.
    pub async fn client(&self) -> Client {
        Client(TcpStream::connect(self.proxy).await.unwrap())
    }

    /// A connection to the proxy that speaks HTTP/2.
    pub async fn http2_client(&self) -> http2::SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.proxy).await.unwrap();
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    /// Sends one request on a connection of its own and returns the whole answer.
    pub async fn ask(&self, request: &str) -> Answer {
        let mut client = self.client().await;
        client.send(request).await;
        client.answer().await
    }

    /// What the metrics page says about an event of the proxy.
    pub async fn counted(&self, event: &str) -> u64 {
        let mut ops = Client(TcpStream::connect(Self::address(&self.gateway, "ops")).await.unwrap());
        ops.send("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let page = ops.answer().await.text();
        let sample = format!("keyless_proxy_events_total{{listener=\"proxy.x\",event=\"{event}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&sample));
        line.unwrap_or_else(|| panic!("{event} is not counted:\n{page}")).parse().unwrap()
    }
}

/// A request without a body.
pub fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// A request with one.
pub fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// A client that sees every byte.
pub struct Client(pub TcpStream);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The `code` of an error of the proxy's own.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (one, value) = line.split_once(": ")?;
            one.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Client {
    pub async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    /// Up to the empty line.
    pub async fn head(&mut self) -> String {
        let head = self.until(b"\r\n\r\n").await.expect("an answer's head");
        String::from_utf8(head).unwrap()
    }

    /// Up to these bytes; `None`: the connection ends before.
    pub async fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let mut read = Vec::new();
        while !read.ends_with(end) {
            read.push(within(self.0.read_u8()).await.ok()?);
        }
        Some(read)
    }

    /// A whole answer, by its `content-length` or its chunks.
    pub async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse().unwrap()];
            within(self.0.read_exact(&mut answer.body)).await.unwrap();
        } else if answer.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await.expect("a chunk") {
                answer.body.extend(chunk);
            }
        }
        answer
    }

    /// One chunk of a chunked answer, `Some(None)` after the last one; `None`: the connection ends before.
    pub async fn chunk(&mut self) -> Option<Option<Vec<u8>>> {
        let size = String::from_utf8(self.until(b"\r\n").await?).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        if size == 0 {
            // Trailers, and the empty line.
            while self.until(b"\r\n").await? != b"\r\n" {}
            return Some(None);
        }
        let mut chunk = vec![0; size + 2];
        within(self.0.read_exact(&mut chunk)).await.ok()?;
        chunk.truncate(size);
        Some(Some(chunk))
    }

    /// Whether the proxy closes the connection without another byte.
    pub async fn is_closed(&mut self) -> bool {
        within(self.0.read_u8()).await.is_err()
    }
}

/// Nothing in these tests takes this long.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("nothing happened for 30 s")
}

/// A connection whose credential is `Bearer token-N`, N being its generation.
pub struct Credentials {
    base_url: Uri,
    held: watch::Sender<Option<Arc<Credential>>>,
    pub rejected: Mutex<Vec<u64>>,
    /// Whether a rejected credential is followed by the next one.
    pub renews: AtomicBool,
}

impl Credentials {
    fn new(base_url: Uri) -> Self {
        let held = watch::Sender::new(None);
        let credentials = Self { base_url, held, rejected: Mutex::default(), renews: AtomicBool::new(true) };
        credentials.hold(1);
        credentials
    }

    /// Holds this generation from now on.
    pub fn hold(&self, generation: u64) {
        let value = HeaderValue::try_from(format!("Bearer token-{generation}")).unwrap();
        let headers = vec![(AUTHORIZATION, value)];
        let credential = Credential::new(headers, self.base_url.clone(), generation, None, None);
        self.held.send_replace(Some(Arc::new(credential)));
    }

    pub fn hold_none(&self) {
        self.held.send_replace(None);
        self.renews.store(false, Ordering::Relaxed);
    }
}

impl Connection for Credentials {
    fn credential(&self) -> Option<Arc<Credential>> {
        self.held.borrow().clone()
    }

    fn ready(&self, _: Duration) -> Waiting<'_> {
        let reason = Unavailable {
            code: "exchange-refused".to_owned(),
            message: "the token endpoint refused".to_owned(),
            retry_after: Some(Duration::from_secs(7)),
        };
        Box::pin(async move { self.credential().ok_or(reason) })
    }

    fn reject(&self, generation: u64) {
        self.rejected.lock().unwrap().push(generation);
        let current = self.credential().is_some_and(|held| held.generation() == generation);
        if current && self.renews.load(Ordering::Relaxed) {
            self.hold(generation + 1);
        }
    }

    fn status(&self) -> Status {
        Status { phase: "fresh", ..Status::default() }
    }

    fn changes(&self) -> Changes {
        Box::pin(Ends)
    }
}

struct Ends;

impl futures_core::Stream for Ends {
    type Item = Arc<Credential>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(None)
    }
}

/// Plain TCP; speaks HTTP/2 if it is told to.
pub struct Loopback {
    pub http2: AtomicBool,
    /// How many were asked for.
    pub connections: watch::Sender<usize>,
    /// One permit for each that may be made.
    pub gate: Arc<Semaphore>,
}

impl Default for Loopback {
    fn default() -> Self {
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { http2: AtomicBool::new(false), connections: watch::Sender::new(0), gate }
    }
}

impl Network for Loopback {
    fn connect(&self, uri: &Uri, speaking: Speaking) -> Connecting {
        let authority = uri.authority().unwrap().to_string();
        let http2 = speaking == Speaking::Any && self.http2.load(Ordering::Relaxed);
        self.connections.send_modify(|connections| *connections += 1);
        let gate = Arc::clone(&self.gate);
        Box::pin(async move {
            gate.acquire().await.map_err(io::Error::other)?.forget();
            let stream = TcpStream::connect(authority).await?;
            stream.set_nodelay(true)?;
            Ok::<_, io::Error>(Connected { io: Box::new(TokioIo::new(stream)), http2 })
        })
    }
}
