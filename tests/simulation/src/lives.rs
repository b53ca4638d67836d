//! Many lives, one per seed, on all processors.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::life::{Summary, live};
use crate::plot::{Happening, draw, shrink};

/// In simulated hours. Long enough for a renewal to meet every trouble, short enough to shrink quickly.
pub const LIFE: u64 = 100;

/// When it is enough.
#[derive(Clone, Copy, Debug)]
pub enum Enough {
    /// After so many lives.
    Lives(u64),
    /// After so much time on a real clock.
    Time(Duration),
}

impl Enough {
    /// So many simulated hours.
    #[must_use]
    pub fn hours(hours: u64) -> Self {
        Self::Lives(hours.div_ceil(LIFE))
    }

    fn reached(self, lives: u64, began: Instant) -> bool {
        match self {
            Self::Lives(most) => lives >= most,
            Self::Time(most) => began.elapsed() >= most,
        }
    }
}

/// Lives from the seed `first` on. What they were like together.
///
/// # Errors
/// The first promise that is broken, with the shortest plot that breaks it and the seed.
pub fn live_all(first: u64, enough: Enough) -> Result<Summary, String> {
    let (next, began) = (AtomicU64::new(0), Instant::now());
    let (total, failure) = (Mutex::new(Summary::default()), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if enough.reached(number, began) || failure.lock().unwrap().is_some() {
                        break;
                    }
                    let seed = first.wrapping_add(number);
                    match live(&draw(seed, LIFE), LIFE) {
                        Ok(summary) => total.lock().unwrap().add(summary),
                        Err(_) => *failure.lock().unwrap() = Some(explain(seed)),
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap().map_or_else(|| Ok(total.into_inner().unwrap()), Err)
}

/// The shortest plot that breaks a promise, and how to see it again.
fn explain(seed: u64) -> String {
    let broken = |plot: &[Happening]| live(plot, LIFE).err();
    let plot = shrink(draw(seed, LIFE), &|plot| broken(plot).is_some());
    let mut words = format!("{}\n", broken(&plot).unwrap_or_default());
    for Happening { at, what } in &plot {
        writeln!(words, "  at {at} ms: {what:?}").unwrap();
    }
    words + &format!("see it again: cargo run --release -p keyless-simulation -- lives --seed {seed}")
}
