//! A connection over real sockets and TLS, and hours that pass in seconds.
//!
//! The outside world runs on threads of its own in real time; its clock is put ahead as ours. Here tokio's time stands
//! still until the test lets some of it pass, so that what depends on the network is waited for and not raced.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyless::sender::{ConnectTo, Network};
use keyless::{Cache, Clocks, Connection, Grant, Phase, Runtime, Variables};
use keyless_sandbox::{Sandbox, ServiceName};
use tokio::time::Instant;

use crate::callers::{self, Tally};
use crate::log;
use crate::outside::Outside;

pub(crate) const LIFETIME: Duration = Duration::from_secs(3600);

/// How much time passes between two calls of a caller.
pub(crate) const STEP: Duration = Duration::from_secs(10);

/// How many call in each step.
const CALLERS: usize = 10;

/// One connection, its callers and the world around them.
pub(crate) struct Stage {
    pub(crate) outside: Outside,
    pub(crate) connection: Connection,
    /// What the callers saw until now.
    pub(crate) tally: Tally,
    network: Arc<Network>,
    hands: Hands,
    _still: Stillness,
}

impl Stage {
    /// The endpoint is where the sandbox has it.
    pub(crate) async fn new() -> Self {
        Self::with(Outside::new(LIFETIME), Vec::new(), |builder| builder).await
    }

    /// With another way to the endpoint, another runtime. Opened, and with its first credential.
    pub(crate) async fn with(
        outside: Outside,
        rules: Vec<ConnectTo>,
        change: impl FnOnce(keyless::Builder) -> keyless::Builder,
    ) -> Self {
        log::keep();
        let (still, hands) = (Stillness::new(), Hands::new());
        let ca = outside.sandbox.ca_pem().as_bytes().to_vec();
        let network = Arc::new(Network::new(std::slice::from_ref(&ca), Vec::new()).unwrap());
        let builder = rules.into_iter().fold(Runtime::builder(), keyless::Builder::connect_to);
        let builder = builder.cache(Cache::Directory(cache())).ca_certificates(ca).clocks(hands.clone());
        let runtime = change(builder).build().unwrap();
        let connection = open(&runtime, &outside.sandbox.documents().native).await;
        connection.ready(callers::PATIENCE).await.unwrap();
        Self { outside, connection, tally: Tally::default(), network, hands, _still: still }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.outside.sandbox
    }

    /// Every call was answered, and no secret was logged.
    #[track_caller]
    pub(crate) fn flawless(&self) {
        self.tally.flawless();
        let identity = std::fs::read_to_string(self.sandbox().token_path()).unwrap();
        let credential = self.connection.credential().unwrap();
        log::holds_none(&[&identity, credential.token().unwrap()]);
    }

    /// Requests that have reached the token endpoint.
    pub(crate) fn exchanges(&self) -> u64 {
        self.sandbox().counters(ServiceName::Exchange).requests
    }

    /// How long the credential lasts that is held, as the API sees it. None is held: no time at all.
    pub(crate) fn remaining(&self) -> Duration {
        let end = self.connection.credential().and_then(|credential| credential.expires_at());
        let end = end.map_or(Duration::ZERO, |end| end.duration_since(UNIX_EPOCH).unwrap());
        end.saturating_sub(Duration::from_millis(self.sandbox().now_ms()))
    }

    /// Lets callers call and time pass until something is so.
    pub(crate) async fn until(&mut self, so: impl Fn(&Self) -> bool) {
        self.until_or_stuck(so, |_| false).await;
    }

    /// As [`until`](Self::until). Time stands still while a request is on its way, unless it is `stuck`: then an answer
    /// would never come.
    pub(crate) async fn until_or_stuck(&mut self, so: impl Fn(&Self) -> bool, stuck: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !so(self) {
            assert!(began.elapsed() < 2 * LIFETIME, "it never came to that: {:?}", self.connection);
            self.tally.add(callers::calls(&self.connection, &self.network, CALLERS).await);
            while self.renewing() && !stuck(self) && !so(self) {
                tokio::task::yield_now().await;
            }
            self.sandbox().advance_clock(STEP);
            tokio::time::advance(STEP).await;
        }
    }

    /// Somebody sets our wall clock; it was right before.
    pub(crate) fn step_wall_clock(&self, seconds: i64) {
        self.hands.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    fn renewing(&self) -> bool {
        matches!(self.connection.status().phase, Phase::Renewing | Phase::Acquiring)
    }
}

/// A connection that may do what its document says.
pub(crate) async fn open(runtime: &Runtime, document: &str) -> Connection {
    let plan = runtime.plan(document, &Variables::new()).await.unwrap();
    runtime.open(document, Variables::new(), Grant::for_plan(&plan)).await.unwrap()
}

/// Compiled once for all tests, and all runs.
pub(crate) fn cache() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("compiled")
}

/// Both clocks as tokio has them, the wall clock beginning with the real one.
#[derive(Clone)]
struct Hands {
    began: Instant,
    wall: Duration,
    /// How far the wall clock was set ahead, in seconds; negative if it was set back.
    ahead: Arc<AtomicI64>,
}

impl Hands {
    fn new() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self { began: Instant::now(), wall, ahead: Arc::default() }
    }
}

impl Clocks for Hands {
    fn wall(&self) -> Duration {
        let ahead = self.ahead.load(Ordering::Relaxed);
        let (now, step) = (self.wall + self.began.elapsed(), Duration::from_secs(ahead.unsigned_abs()));
        if ahead < 0 { now - step } else { now + step }
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Keeps tokio from moving paused time on its own whenever there is nothing to do but wait for the network: it does not
/// while something blocks.
struct Stillness(Option<std::sync::mpsc::Sender<()>>);

impl Stillness {
    fn new() -> Self {
        let (release, released) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || released.recv());
        Self(Some(release))
    }
}

impl Drop for Stillness {
    fn drop(&mut self) {
        self.0.take();
    }
}
