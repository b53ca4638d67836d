//! A connection whose state a test sets, a gateway around it, and a client over real sockets.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use keyless_gateway::{
    Changes, Config, Connecting, Connection, Connections, Credential, Gateway, Network, Socket, Sockets,
    Speaking, Status, Unavailable, Waiting,
};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

/// What no answer may hold but that of the endpoint.
pub(crate) const CANARY: &str = "canary-5a1f";

/// A connection whose state a test sets.
#[derive(Default)]
pub(crate) struct Held {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    credential: Option<Arc<Credential>>,
    status: Status,
    rejected: Vec<u64>,
    waited: Vec<Duration>,
    followers: Vec<mpsc::UnboundedSender<Arc<Credential>>>,
}

impl Held {
    pub(crate) fn new(phase: &'static str) -> Arc<Self> {
        let held = Arc::new(Self::default());
        held.change(|status| status.phase = phase);
        held
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.state.lock().unwrap().status);
    }

    /// A bearer of this generation, which ends in an hour.
    pub(crate) fn hold(&self, generation: u64) {
        let now = SystemTime::now();
        let bearer = HeaderValue::from_str(&format!("Bearer {CANARY}-{generation}")).unwrap();
        let headers = vec![
            (http::header::AUTHORIZATION, bearer),
            (HeaderName::from_static("openai-project"), HeaderValue::from_static("proj_1")),
        ];
        let minutes = |minutes: u64| Some(now + Duration::from_secs(60 * minutes));
        let base_url = Uri::from_static("https://api.example/v1");
        self.hold_this(Credential::new(headers, base_url, generation, minutes(45), minutes(60)));
    }

    pub(crate) fn hold_this(&self, credential: Credential) {
        let credential = Arc::new(credential);
        let mut state = self.state.lock().unwrap();
        state.status.phase = "fresh";
        state.status.usable = true;
        state.status.generation = credential.generation();
        state.status.renewals += 1;
        state.status.expires_at = credential.expires_at();
        state.status.next_attempt_at = credential.renew_at();
        state.followers.retain(|follower| follower.send(Arc::clone(&credential)).is_ok());
        state.credential = Some(credential);
    }

    /// Holds nothing, for this reason.
    pub(crate) fn lose(&self, code: &str, message: &str) {
        let mut state = self.state.lock().unwrap();
        state.credential = None;
        state.status.phase = "failed";
        state.status.usable = false;
        state.status.failures += 1;
        state.status.failures_in_a_row += 1;
        state.status.last_problem = Some(Unavailable {
            code: code.to_owned(),
            message: message.to_owned(),
            retry_after: Some(Duration::from_millis(7_200)),
        });
    }

    pub(crate) fn rejected(&self) -> Vec<u64> {
        self.state.lock().unwrap().rejected.clone()
    }

    /// How long callers of `ready` were willing to wait.
    pub(crate) fn waited(&self) -> Vec<Duration> {
        self.state.lock().unwrap().waited.clone()
    }
}

impl Connection for Held {
    fn credential(&self) -> Option<Arc<Credential>> {
        self.state.lock().unwrap().credential.clone()
    }

    fn ready(&self, within: Duration) -> Waiting<'_> {
        let mut state = self.state.lock().unwrap();
        state.waited.push(within);
        let problem = || Unavailable { code: "none-yet".into(), message: "wait".into(), retry_after: None };
        let answer =
            state.credential.clone().ok_or_else(|| state.status.last_problem.clone().unwrap_or_else(problem));
        Box::pin(async move { answer })
    }

    fn reject(&self, generation: u64) {
        self.state.lock().unwrap().rejected.push(generation);
    }

    fn status(&self) -> Status {
        self.state.lock().unwrap().status.clone()
    }

    fn changes(&self) -> Changes {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.state.lock().unwrap();
        if let Some(credential) = &state.credential {
            sender.send(Arc::clone(credential)).unwrap();
        }
        state.followers.push(sender);
        Box::pin(Received(receiver))
    }
}

struct Received(mpsc::UnboundedReceiver<Arc<Credential>>);

impl Stream for Received {
    type Item = Arc<Credential>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}

pub(crate) struct Nowhere;

impl Network for Nowhere {
    fn connect(&self, _: &Uri, _: Speaking) -> Connecting {
        Box::pin(async { Err(io::ErrorKind::NetworkUnreachable.into()) })
    }
}

/// A gateway that serves nothing yet.
pub(crate) fn gateway(sockets: impl IntoIterator<Item = (String, Socket)>) -> Gateway {
    Gateway::new(Arc::new(Nowhere), sockets.into_iter().collect::<Sockets>())
}

pub(crate) fn connections(held: &[(&str, &Arc<Held>)]) -> Connections {
    held.iter().map(|(name, held)| ((*name).to_owned(), Arc::clone(held) as Arc<dyn Connection>)).collect()
}

pub(crate) fn config(tables: Value) -> Config {
    let Value::Object(tables) = tables else { panic!("an object") };
    Config::read(tables).unwrap()
}

/// Where this listener is.
pub(crate) fn address(gateway: &Gateway, listener: &str) -> String {
    gateway.addresses().find(|(name, _)| name == listener).unwrap().1.to_string()
}

pub(crate) fn get(path: &str) -> Request<Full<bytes::Bytes>> {
    Request::get(path).header("host", "localhost").body(Full::default()).unwrap()
}

pub(crate) fn request(method: &Method, path: &str, body: &str) -> Request<Full<bytes::Bytes>> {
    let body = Full::from(body.to_owned());
    Request::builder().method(method).uri(path).header("host", "localhost").body(body).unwrap()
}

/// One request on a connection of its own, and the whole answer.
pub(crate) async fn ask(address: &str, request: Request<Full<bytes::Bytes>>) -> Response<String> {
    match address.strip_prefix("unix:") {
        Some(path) => exchange(UnixStream::connect(Path::new(path)).await.unwrap(), request).await,
        None => exchange(TcpStream::connect(address).await.unwrap(), request).await,
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<bytes::Bytes>>,
) -> Response<String> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    driving.abort();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}

pub(crate) fn json(response: &Response<String>) -> Value {
    serde_json::from_str(response.body()).unwrap()
}
