//! The host library: what a program pays for each request, also while the credential is being renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless::sender::{Body, Patience, Sender, Sending};
use keyless::{Clocks, Connection, Grant, Runtime, Variables};
use rustix::time::{ClockId, clock_gettime};

use crate::TOKEN_LENGTH;
use crate::engine::DOCUMENT;

const PATIENCE: Duration = Duration::from_secs(10);
/// After so long a refused credential may force another renewal.
const REST: Duration = Duration::from_secs(31);

/// Grants every exchange for an hour.
struct Endpoint;

impl Sender for Endpoint {
    fn send(&self, _: http::Request<Body>, _: Patience) -> Sending {
        let token = "t".repeat(TOKEN_LENGTH);
        let answer = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
        Box::pin(async { Ok(http::Response::new(Body::new(answer.into_bytes()))) })
    }
}

/// A connection that holds a credential with an end, so that the clocks are looked at.
pub(crate) struct Held {
    pub(crate) connection: Connection,
    tokio: tokio::runtime::Runtime,
    ahead: Ahead,
    /// The identity token is read for each exchange.
    _root: tempfile::TempDir,
}

impl Held {
    /// By the machine's own clocks.
    pub(crate) fn open() -> Self {
        Self::with(Ahead::default(), |builder, _| builder)
    }

    /// By clocks that can be put ahead, which take a little longer to read.
    pub(crate) fn renewable() -> Self {
        Self::with(Ahead::default(), |builder, ahead| builder.clocks(ahead.clone()))
    }

    fn with(ahead: Ahead, change: impl FnOnce(keyless::Builder, &Ahead) -> keyless::Builder) -> Self {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let root = tempfile::tempdir().expect("a folder");
        let volume = root.path().join("var/run/secrets/tokens/openai");
        std::fs::create_dir_all(&volume).expect("a folder");
        std::fs::write(volume.join("token"), identity_token()).expect("a file");
        let connection = tokio.block_on(async {
            let builder = Runtime::builder().root(root.path()).sender(Endpoint);
            let runtime = change(builder, &ahead).build().expect("a runtime");
            let plan = runtime.plan(DOCUMENT, &Variables::default()).await.expect("a plan");
            let connection = runtime
                .open(DOCUMENT, Variables::default(), Grant::for_plan(&plan))
                .await
                .expect("a connection");
            connection.ready(PATIENCE).await.expect("a credential");
            connection
        });
        Self { connection, tokio, ahead, _root: root }
    }

    /// One that is [`renewable`](Self::renewable): does something while another thread renews the credential as fast as it can. Also: how often that was.
    pub(crate) fn renewing<T>(&self, work: impl FnOnce() -> T) -> (T, u64) {
        let done = AtomicBool::new(false);
        let before = self.connection.status().renewals;
        let result = std::thread::scope(|scope| {
            scope.spawn(|| {
                self.tokio.block_on(async {
                    while !done.load(Ordering::Relaxed) {
                        let held = self.connection.credential().expect("one is held").generation();
                        self.ahead.go_on(REST);
                        self.connection.reject(held);
                        self.connection.ready(PATIENCE).await.expect("a credential");
                    }
                });
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            result
        });
        (result, self.connection.status().renewals - before)
    }
}

/// The machine's clocks, coarse ones too, and further on.
#[derive(Clone)]
struct Ahead {
    seconds: Arc<AtomicU64>,
    began: Instant,
    began_after_boot: Duration,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { seconds: Arc::default(), began: Instant::now(), began_after_boot: read(ClockId::Monotonic) }
    }
}

impl Ahead {
    fn go_on(&self, time: Duration) {
        self.seconds.fetch_add(time.as_secs(), Ordering::Relaxed);
    }

    fn seconds(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::Relaxed))
    }
}

impl Clocks for Ahead {
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + self.seconds()
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed() + self.seconds()
    }

    fn wall_coarse(&self) -> Duration {
        read(ClockId::RealtimeCoarse) + self.seconds()
    }

    fn monotonic_coarse(&self) -> Duration {
        read(ClockId::MonotonicCoarse).saturating_sub(self.began_after_boot) + self.seconds()
    }

    fn moves_in_ticks(&self) -> bool {
        true
    }
}

fn read(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// In the form of a kubelet's, good until the year 2100.
fn identity_token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"iss":"https://kubernetes.example","aud":["https://api.openai.com/v1"],"sub":"s","exp":4102444800}"#;
    [part(r#"{"alg":"ES256"}"#), part(claims), part("signature")].join(".")
}
