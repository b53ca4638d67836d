//! Clocks that stand still until they are told to tick, and count who looks at them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyless::Clocks;

/// As the kernel's coarse clocks at 100 Hz.
const TICK: Duration = Duration::from_millis(10);
/// 2026-11-21 12:00 UTC.
const BEGIN: Duration = Duration::from_secs(1_795_262_400);

#[derive(Clone, Default)]
pub(super) struct Counted(Arc<State>);

#[derive(Default)]
struct State {
    ticks: AtomicU64,
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl Counted {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Time goes on.
    pub(super) fn tick(&self) {
        self.0.ticks.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the wall clock and the monotonic clock were read for a credential, since this was asked last.
    pub(super) fn reads(&self) -> (u64, u64) {
        let taken = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        (taken(&self.0.wall), taken(&self.0.monotonic))
    }
}

impl Clocks for Counted {
    fn wall(&self) -> Duration {
        BEGIN + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        TICK * u32::try_from(self.0.ticks.load(Ordering::Relaxed)).unwrap()
    }

    fn wall_coarse(&self) -> Duration {
        self.0.wall.fetch_add(1, Ordering::Relaxed);
        self.wall()
    }

    fn monotonic_coarse(&self) -> Duration {
        self.0.monotonic.fetch_add(1, Ordering::Relaxed);
        self.monotonic()
    }

    fn moves_in_ticks(&self) -> bool {
        true
    }
}
