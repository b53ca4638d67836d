//! Both clocks, from tokio's simulated one. Only the wall clock can be shifted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use keyless_engine::io::Now;
use tokio::time::Instant;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

#[derive(Clone)]
pub(super) struct Clocks {
    started: Instant,
    start: Now,
    shift_ms: Arc<AtomicI64>,
}

impl Clocks {
    /// Inside a runtime whose time is paused.
    pub(super) fn start(start: Now) -> Self {
        Self { started: Instant::now(), start, shift_ms: Arc::default() }
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap()
    }

    pub(super) fn now(&self) -> Now {
        let elapsed = self.elapsed_ms();
        Now {
            wall_ms: (self.start.wall_ms + elapsed)
                .saturating_add_signed(self.shift_ms.load(Ordering::Relaxed)),
            monotonic_ms: self.start.monotonic_ms + elapsed,
        }
    }

    pub(super) fn shift_wall(&self, ms: i64) {
        self.shift_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

pub(super) struct Wall(pub(super) Clocks);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now().wall_ms)
    }
}

pub(super) struct Monotonic(pub(super) Clocks);

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        self.0.now().monotonic_ms * 1_000_000
    }
}
