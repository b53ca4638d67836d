//! Both clocks as tokio's simulated time has them.

use std::time::Duration;

use keyless::Clocks;
use tokio::time::Instant;

/// 2026-11-21 12:00 UTC.
const NOON: Duration = Duration::from_secs(1_795_262_400);

pub(crate) struct Simulated(Instant);

impl Simulated {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clocks for Simulated {
    fn wall(&self) -> Duration {
        NOON + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}
