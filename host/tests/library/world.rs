//! What surrounds a connection in these tests: a token file, a token endpoint that does as it is told, and time.

use std::collections::VecDeque;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless::sender::{Body, Fault, Patience, Sender, Sending};
use keyless::{Cache, Clocks, Connection, Grant, Runtime, Variables};
use tokio::time::Instant;

pub(crate) const ENDPOINT: &str = "https://auth.openai.com/oauth/token";
/// Where the wall clock begins: 2026-11-21 12:00 UTC.
const NOON: u64 = 1_795_262_400;
pub(crate) const LIFETIME: u64 = 3600;

pub(crate) const DOCUMENT: &str = r#"{
  "auth_type": "workload_identity",
  "source": { "type": "kubernetes", "token_file_path": "/var/run/secrets/openai/token" },
  "exchange": { "type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1" }
}"#;

/// What the endpoint does with one request.
pub(crate) enum Turn {
    /// A token of this lifetime in seconds. Its text is `canary-1`, `canary-2`, ...
    Issue(u64),
    /// A refusal with this status.
    Refuse(u16),
    /// A refusal with this status and `retry-after` in seconds.
    RefuseFor(u16, u64),
    /// No answer.
    Fail(Fault),
    /// An answer that never comes.
    Stall,
    /// A token, as long after the request.
    IssueAfter(Duration),
}

/// The endpoint. Without orders it issues tokens of an hour.
#[derive(Clone, Default)]
pub(crate) struct Endpoint(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    orders: VecDeque<Turn>,
    default: Option<fn() -> Turn>,
    requests: Vec<http::Request<Body>>,
    issued: u64,
}

impl Endpoint {
    pub(crate) fn order(&self, turns: impl IntoIterator<Item = Turn>) {
        self.0.lock().unwrap().orders.extend(turns);
    }

    /// What it does when all orders are done.
    pub(crate) fn then_always(&self, turn: fn() -> Turn) {
        self.0.lock().unwrap().default = Some(turn);
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests.len()
    }

    pub(crate) fn with_last_request<T>(&self, look: impl FnOnce(&http::Request<Body>) -> T) -> T {
        look(self.0.lock().unwrap().requests.last().expect("no request"))
    }
}

impl Sender for Endpoint {
    fn send(&self, request: http::Request<Body>, _: Patience) -> Sending {
        let mut state = self.0.lock().unwrap();
        state.requests.push(request);
        let turn = match state.orders.pop_front() {
            Some(turn) => turn,
            None => state.default.map_or(Turn::Issue(LIFETIME), |default| default()),
        };
        let (delay, lifetime) = match turn {
            Turn::Issue(lifetime) => (Duration::ZERO, lifetime),
            Turn::IssueAfter(delay) => (delay, LIFETIME),
            Turn::Refuse(status) => return Box::pin(async move { Ok(refusal(status, None)) }),
            Turn::RefuseFor(status, seconds) => {
                return Box::pin(async move { Ok(refusal(status, Some(seconds))) });
            }
            Turn::Fail(fault) => return Box::pin(async move { Err(fault) }),
            Turn::Stall => return Box::pin(pending()),
        };
        state.issued += 1;
        let body = format!(
            r#"{{"access_token":"canary-{}","token_type":"Bearer","expires_in":{lifetime},
                "issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}}"#,
            state.issued
        );
        Box::pin(async move {
            tokio::time::sleep(delay).await;
            Ok(answer(200, body, None))
        })
    }
}

fn refusal(status: u16, retry_after: Option<u64>) -> http::Response<Body> {
    let body = r#"{"error":"invalid_grant","error_description":"canary: refused"}"#;
    answer(status, body.to_owned(), retry_after)
}

fn answer(status: u16, body: String, retry_after: Option<u64>) -> http::Response<Body> {
    let mut response = http::Response::builder().status(status).header("content-type", "application/json");
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(Body::new(body.into_bytes())).unwrap()
}

/// tokio's clock, so that a paused runtime moves everything at once; the wall clock can be set.
#[derive(Clone)]
pub(crate) struct Hands {
    started: Instant,
    wall: Arc<Mutex<Duration>>,
}

impl Hands {
    fn new() -> Self {
        Self { started: Instant::now(), wall: Arc::new(Mutex::new(Duration::from_secs(NOON))) }
    }

    /// The machine slept: only the wall clock noticed.
    pub(crate) fn suspend(&self, seconds: u64) {
        *self.wall.lock().unwrap() += Duration::from_secs(seconds);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        *self.wall.lock().unwrap() -= Duration::from_secs(seconds);
    }
}

impl Clocks for Hands {
    fn wall(&self) -> Duration {
        *self.wall.lock().unwrap() + self.started.elapsed()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// All of it.
pub(crate) struct World {
    pub(crate) endpoint: Endpoint,
    pub(crate) hands: Hands,
    pub(crate) runtime: Runtime,
    root: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self::without_token();
        world.write_token();
        world
    }

    /// As [`new`](Self::new), but not even the token's directory exists.
    pub(crate) fn without_token() -> Self {
        Self::with(Runtime::builder())
    }

    pub(crate) fn with(builder: keyless::Builder) -> Self {
        let (endpoint, hands) = (Endpoint::default(), Hands::new());
        let root = tempfile::tempdir().unwrap();
        let runtime = builder
            .cache(Cache::Directory(cache()))
            .root(root.path())
            .clocks(hands.clone())
            .sender(endpoint.clone())
            .build()
            .unwrap();
        Self { endpoint, hands, runtime, root }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// As a kubelet does it: a link into a directory that is swapped as a whole.
    pub(crate) fn write_token(&self) {
        let volume = self.root().join("var/run/secrets/openai");
        let fresh = volume.join("..2026_11_21_12_00_00.1");
        std::fs::create_dir_all(&fresh).unwrap();
        std::fs::write(fresh.join("token"), subject_token(NOON + 7 * 24 * 3600)).unwrap();
        std::os::unix::fs::symlink("..2026_11_21_12_00_00.1", volume.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/token", volume.join("token")).unwrap();
    }

    pub(crate) async fn open(&self) -> Connection {
        let plan = self.runtime.plan(DOCUMENT, &Variables::new()).await.unwrap();
        self.runtime.open(DOCUMENT, Variables::new(), Grant::for_plan(&plan)).await.unwrap()
    }
}

pub(crate) fn subject_token(expires: u64) -> String {
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    format!(
        "{}.{}.{}",
        part(r#"{"alg":"ES256"}"#.to_owned()),
        part(format!(r#"{{"iss":"https://issuer.example","sub":"s","aud":["openai"],"exp":{expires}}}"#)),
        part("canary-signature".to_owned())
    )
}

/// Compiled once for all tests, and all runs.
pub(crate) fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}
