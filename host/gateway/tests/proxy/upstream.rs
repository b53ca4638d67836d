//! Upstreams: one that speaks HTTP and checks the credential, and one that is told byte by byte what to say.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Streams of HTTP/2 that the API allows on a connection.
pub const STREAMS: usize = 10;

/// An API that takes `Bearer token-N` for every N from `accepted` on.
pub struct Api {
    pub address: SocketAddr,
    pub accepted: AtomicU64,
    /// Requests that came, as `METHOD path`.
    pub seen: Mutex<Vec<String>>,
    pub connections: AtomicUsize,
    /// What is written to these answers `/v1/stream`.
    streams: Mutex<Vec<mpsc::UnboundedReceiver<Frame<Bytes>>>>,
}

impl Api {
    pub async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Arc::new(Self {
            address: listener.local_addr().unwrap(),
            accepted: AtomicU64::new(1),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            streams: Mutex::default(),
        });
        let serving = Arc::clone(&api);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                serving.connections.fetch_add(1, Ordering::Relaxed);
                let api = Arc::clone(&serving);
                tokio::spawn(async move {
                    let service = service_fn(|request| {
                        let api = Arc::clone(&api);
                        async move { Ok::<_, Infallible>(api.answer(request).await) }
                    });
                    let mut builder = auto::Builder::new(TokioExecutor::new());
                    builder.http2().max_concurrent_streams(u32::try_from(STREAMS).unwrap());
                    let _ended = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
                });
            }
        });
        api
    }

    /// The next request for `/v1/stream` is answered with what is sent here.
    pub fn stream(&self) -> mpsc::UnboundedSender<Frame<Bytes>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.streams.lock().unwrap().push(receiver);
        sender
    }

    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path_and_query().unwrap().to_string();
        self.seen.lock().unwrap().push(format!("{} {path}", request.method()));
        if !self.accepts(&request) {
            let mut response = Response::new(whole("not this credential"));
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            return response;
        }
        match request.uri().path() {
            "/v1/stream" => self.streamed(),
            "/v1/realtime" => upgraded(request),
            "/v1/redirect" => {
                let mut response = Response::new(whole(""));
                *response.status_mut() = StatusCode::FOUND;
                response.headers_mut().insert("location", "https://elsewhere.example/".parse().unwrap());
                response
            }
            "/v1/large" => Response::new(whole(vec![b'x'; 64 * 1024 * 1024])),
            _ => shown(request).await,
        }
    }

    fn accepts(&self, request: &Request<Incoming>) -> bool {
        let mut credentials = request.headers().get_all("authorization").iter();
        let token = credentials.next().and_then(|value| value.to_str().ok()?.strip_prefix("Bearer token-"));
        let generation: Option<u64> = token.and_then(|generation| generation.parse().ok());
        credentials.next().is_none()
            && generation.is_some_and(|one| one >= self.accepted.load(Ordering::Relaxed))
    }

    fn streamed(&self) -> Response<Body> {
        let mut frames = self.streams.lock().unwrap().remove(0);
        let mut response =
            Response::new(StreamBody::new(Frames(Box::new(move |cx| frames.poll_recv(cx)))).boxed_unsync());
        response.headers_mut().insert("content-type", "text/event-stream".parse().unwrap());
        response.headers_mut().insert("trailer", "x-sum".parse().unwrap());
        response
    }
}

type PollFrame = Box<dyn FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<Frame<Bytes>>> + Send>;

struct Frames(PollFrame);

impl futures_core::Stream for Frames {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        (self.0)(cx).map(|frame| frame.map(Ok))
    }
}

/// What arrived, as JSON.
async fn shown(request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Response::new(whole("")) };
    let trailers = body
        .trailers()
        .and_then(|trailers| trailers.get("x-sum"))
        .map(|sum| sum.to_str().unwrap().to_owned());
    let headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let shown = json!({
        "method": head.method.as_str(),
        "uri": head.uri.to_string(),
        "version": format!("{:?}", head.version),
        "headers": headers,
        "body": String::from_utf8_lossy(&body.to_bytes()),
        "trailer": trailers,
    });
    Response::new(whole(shown.to_string()))
}

/// An echo behind an upgrade.
fn upgraded(mut request: Request<Incoming>) -> Response<Body> {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        let (mut from, mut to) = tokio::io::split(&mut stream);
        let _closed = tokio::io::copy(&mut from, &mut to).await;
    });
    let mut response = Response::new(whole(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("connection", "upgrade".parse().unwrap());
    response.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    response.headers_mut().insert("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".parse().unwrap());
    response
}

pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// An upstream that is told what to say.
pub struct Scripted(pub TcpListener);

impl Scripted {
    pub async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    pub async fn connection(&self) -> TcpStream {
        crate::world::within(self.0.accept()).await.unwrap().0
    }
}

/// Reads a request's head from a connection.
pub async fn head(stream: &mut TcpStream) -> String {
    use tokio::io::AsyncReadExt as _;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(crate::world::within(stream.read_u8()).await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
