//! Simulated years of the engine in a hostile world, and what it promises checked after everything that happens.
//!
//! ```text
//! seed ──▶ plot (what goes wrong and when) ──▶ life (engine, clocks, file, endpoint, callers) ──▶ promises
//!                    ▲                                                                              │
//!                    └───────────── shrink: the shortest plot that still breaks one ◀───────────────┘
//! ```
//!
//! `KEYLESS_SEED=N` plays one seed, `KEYLESS_HOURS=N` that many simulated hours, `KEYLESS_SOAK=N` as many as fit into N
//! seconds, with other seeds each time.

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests in this crate"
)]

mod life;
mod plot;
mod promises;
mod random;

use std::env;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use life::{Summary, live};
use plot::{Happening, draw, shrink};

/// In simulated hours. Long enough for a renewal to meet every trouble, short enough to shrink quickly.
const LIFE: u64 = 100;

/// What `make test` asks for.
const HOURS: u64 = 1_000_000;

#[test]
fn no_promise_is_broken_in_simulated_years() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("KEYLESS_SEED");
    let soak = number("KEYLESS_SOAK").map(Duration::from_secs);
    let lives = match (first, soak) {
        (Some(_), _) => 1,
        (None, Some(_)) => u64::MAX,
        (None, None) => number("KEYLESS_HOURS").unwrap_or(HOURS).div_ceil(LIFE),
    };
    let first = first.unwrap_or_else(|| if soak.is_some() { now_ms() << 20 } else { 0 });
    let began = Instant::now();
    let summary = live_all(first, lives, |elapsed| soak.is_some_and(|soak| elapsed >= soak));
    println!(
        "{} simulated hours from seed {first} in {:.1} s: {} exchanges, {} calls, {} of them with a credential",
        summary.hours,
        began.elapsed().as_secs_f64(),
        summary.exchanges,
        summary.calls,
        summary.served
    );
    assert!(summary.served > summary.calls / 2, "callers got next to nothing: {summary:?}");
}

/// Many lives on all processors. The first that breaks a promise ends it all, with a plot that is as short as can be.
fn live_all(first: u64, lives: u64, enough: impl Fn(Duration) -> bool + Sync) -> Summary {
    let (next, began) = (AtomicU64::new(0), Instant::now());
    let (total, failure) = (Mutex::new(Summary::default()), Mutex::new(None));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= lives || enough(began.elapsed()) || failure.lock().unwrap().is_some() {
                        break;
                    }
                    let seed = first.wrapping_add(number);
                    match live(&draw(seed, LIFE), LIFE) {
                        Ok(summary) => add(&mut total.lock().unwrap(), summary),
                        Err(_) => *failure.lock().unwrap() = Some(explain(seed)),
                    }
                }
            });
        }
    });
    if let Some(failure) = failure.into_inner().unwrap() {
        panic!("{failure}");
    }
    total.into_inner().unwrap()
}

fn add(total: &mut Summary, one: Summary) {
    total.hours += one.hours;
    total.exchanges += one.exchanges;
    total.calls += one.calls;
    total.served += one.served;
}

/// The shortest plot that breaks a promise, and how to see it again.
fn explain(seed: u64) -> String {
    let broken = |plot: &[Happening]| live(plot, LIFE).err();
    let plot = shrink(draw(seed, LIFE), &|plot| broken(plot).is_some());
    let mut words = format!("{}\n", broken(&plot).unwrap_or_default());
    for Happening { at, what } in &plot {
        writeln!(words, "  at {at} ms: {what:?}").unwrap();
    }
    words + &format!("see it again with KEYLESS_SEED={seed}")
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap())
}

#[test]
fn a_seed_is_one_life() {
    let summary = |seed| format!("{:?}", live(&draw(seed, LIFE), LIFE));
    assert_eq!(summary(7), summary(7));
    assert_ne!(summary(7), summary(8));
}

#[test]
fn a_plot_is_shrunk_to_what_matters() {
    let plot = draw(3, LIFE);
    let (early, late) = (plot[5].at, plot[plot.len() - 5].at);
    let fails =
        |plot: &[Happening]| plot.iter().any(|one| one.at == early) && plot.iter().any(|one| one.at == late);
    let short = shrink(plot, &fails);
    assert_eq!(short.iter().map(|one| one.at).collect::<Vec<_>>(), [early, late]);
}
