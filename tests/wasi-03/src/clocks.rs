//! Clocks that can be moved on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keyless_sandbox::Sandbox;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use crate::bindings::Credential;

/// This machine's, and as much as was added.
#[derive(Clone)]
pub(crate) struct Clocks {
    started: Instant,
    ahead_ms: Arc<AtomicU64>,
}

impl Clocks {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), ahead_ms: Arc::default() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }
}

/// Lets time pass on both clocks of the component and for the sandbox, whose platform then writes a new token.
pub(crate) fn pass(sandbox: &Sandbox, clocks: &Clocks, by: Duration) {
    clocks.advance(by);
    sandbox.advance_clock(by);
    sandbox.rotate_token().unwrap();
}

/// And a second more.
pub(crate) fn until_due(sandbox: &Sandbox, credential: &Credential) -> Duration {
    Duration::from_millis(credential.renew_at.unwrap() - sandbox.now_ms()) + Duration::from_secs(1)
}

impl HostWallClock for Clocks {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + self.ahead()
    }
}

impl HostMonotonicClock for Clocks {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from((self.started.elapsed() + self.ahead()).as_nanos()).unwrap()
    }
}
