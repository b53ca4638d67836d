//! How a read of the credential fares beside renewals and beside other threads.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use crate::TOKEN_LENGTH;
use crate::host::Held;
use crate::measure::median;

const SAMPLES: usize = 1_000_000;
/// Of a thread.
const READS: u32 = 2_000_000;
const ROUNDS: usize = 15;

pub(crate) fn print() {
    let held = Held::renewable();
    let shared = Arc::new(vec![0_u8; TOKEN_LENGTH]);
    let read = || held.connection.credential().expect("a credential is held");

    println!("\nreading it while another thread renews it as fast as it can\n");
    let alone = median(read);
    let (beside, renewals) = held.renewing(|| median(read));
    let (peer, _) = held.renewing(|| median(|| Arc::clone(&shared)));
    println!("  {:<42} {alone:>10.1} ns", "nothing is renewed: median");
    println!("  {:<42} {beside:>10.1} ns {:>9.2} x", "beside renewals: median", beside / alone);
    println!("  {:<42} {peer:>10.1} ns", "beside renewals: an Arc cloned and dropped");
    println!("  {:<42} {renewals:>10}", "renewals meanwhile");

    println!("\n  one by one, with what it takes to time them     p50      p99   p99.99  (ns)\n");
    row("nothing, timed", tail(|| ()));
    row("an Arc, beside renewals", held.renewing(|| tail(|| Arc::clone(&shared))).0);
    row("a read, nothing is renewed", tail(read));
    row("a read, beside renewals", held.renewing(|| tail(read)).0);

    println!("\nreading it in two threads: reads per second, of those in one\n");
    println!(
        "  {:<42} {:>10.2} x",
        "an Arc in each thread",
        scaling(&|| {
            let own = Arc::new(0_u8);
            move || drop(black_box(Arc::clone(&own)))
        })
    );
    println!(
        "  {:<42} {:>10.2} x",
        "the same Arc in both",
        scaling(&|| || drop(black_box(Arc::clone(&shared))))
    );
    println!("  {:<42} {:>10.2} x", "Connection::credential()", scaling(&|| || drop(black_box(read()))));
}

fn row(name: &str, [p50, p99, p9999]: [u128; 3]) {
    println!("  {name:<42} {p50:>8} {p99:>8} {p9999:>8}");
}

/// Nanoseconds of single calls: the median, and what one of a hundred and of ten thousand exceeds.
fn tail<T>(call: impl Fn() -> T) -> [u128; 3] {
    let mut times: Vec<_> = (0..SAMPLES)
        .map(|_| {
            let began = Instant::now();
            black_box(call());
            began.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    [SAMPLES / 2, SAMPLES - SAMPLES / 100, SAMPLES - SAMPLES / 10_000]
        .map(|at| times.get(at).copied().expect("as many as were made"))
}

/// Calls per second of two threads, as a multiple of those of one; the median of many rounds.
fn scaling<F: FnMut()>(make: &(impl Fn() -> F + Sync)) -> f64 {
    let mut ratios: Vec<_> = (0..ROUNDS).map(|_| rate(2, make) / rate(1, make)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ROUNDS / 2).copied().expect("as many as were made")
}

/// Calls per second of all of them.
fn rate<F: FnMut()>(threads: u32, make: &(impl Fn() -> F + Sync)) -> f64 {
    let start = Barrier::new(threads as usize);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut call = make();
                    start.wait();
                    let began = Instant::now();
                    (0..READS).for_each(|_| call());
                    began.elapsed().as_secs_f64()
                })
            })
            .collect();
        threads.into_iter().map(|thread| f64::from(READS) / thread.join().expect("no panic")).sum()
    })
}
