//! The median over batches, so that a moment in which the machine did something else does not count. They are short: on a busy
//! machine a thread is seldom left alone for longer.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A batch takes at least this long, so that the clock's own cost vanishes.
const BATCH: Duration = Duration::from_micros(100);
const BATCHES: usize = 5_001;

/// Nanoseconds per call.
pub(crate) fn median<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut calls = 1_u32;
    // Grows until a batch is long enough; warms up on the way.
    while batch(&mut call, calls) < BATCH {
        calls = calls.saturating_mul(2);
    }
    let mut times: Vec<_> = (0..BATCHES).map(|_| batch(&mut call, calls)).collect();
    times.sort_unstable();
    let middle = times.get(BATCHES / 2).expect("as many as were made");
    middle.as_secs_f64() * 1e9 / f64::from(calls)
}

fn batch<T>(call: &mut impl FnMut() -> T, calls: u32) -> Duration {
    let started = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    started.elapsed()
}

/// One line of the table.
pub(crate) struct Figure {
    name: &'static str,
    ns: f64,
}

impl Figure {
    pub(crate) fn new(name: &'static str, ns: f64) -> Self {
        Self { name, ns }
    }

    /// Beside `peer`, which took `peer_ns`.
    pub(crate) fn print(&self, peer_ns: f64, peer: &str) {
        println!("  {:<42} {:>10.1} ns {:>9.2} x {peer}", self.name, self.ns, self.ns / peer_ns);
    }
}
