//! `cargo bench -p keyless-tests --bench fleet`: ten thousand connections in one process, and an hour of their time.
//!
//! The library is the real one, with the component in it. The endpoint is in this process, and time is simulated: it jumps
//! to the next thing that is due, so that the hour takes as long as the work that is in it. What is counted is that work.
//! `$KEYLESS_CONNECTIONS` says how many there are instead, `$KEYLESS_PER_INSTANCE` how many of them share an instance.

#![expect(clippy::expect_used, clippy::panic, reason = "a benchmark may fail loudly")]

mod endpoint;
mod process;
mod time;

use std::time::Duration;

use keyless::{Connection, Grant, Runtime, Variables};

use crate::endpoint::Endpoint;
use crate::time::Simulated;

const CONNECTIONS: usize = 10_000;
const PER_INSTANCE: usize = 1_000;
const HOUR: Duration = Duration::from_secs(3_600);
/// All are started within so long.
const START: Duration = Duration::from_secs(30);
const MIB: f64 = 1_048_576.0;

fn main() {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime of tokio");
    tokio.block_on(run());
}

async fn run() {
    let count = number("KEYLESS_CONNECTIONS").unwrap_or(CONNECTIONS);
    let per_instance = number("KEYLESS_PER_INSTANCE").unwrap_or(PER_INSTANCE);
    let root = tempfile::tempdir().expect("a folder");
    let endpoint = Endpoint::new(root.path());
    let runtime = Runtime::builder()
        .root(root.path())
        .sender(endpoint.clone())
        .clocks(Simulated::new())
        .connections_per_instance(per_instance)
        .build()
        .expect("a runtime");

    let first = open(&runtime, 0).await;
    first.ready(HOUR).await.expect("a credential");
    let alone = process::memory();

    let (began, worked) = (tokio::time::Instant::now(), process::time());
    let mut all = vec![first];
    let pause = START / u32::try_from(count).expect("not that many");
    for number in 1..count {
        tokio::time::sleep(pause).await;
        all.push(open(&runtime, number).await);
    }
    for connection in &all {
        connection.ready(HOUR).await.expect("a credential");
    }
    let opened = process::time() - worked;
    println!("{count} connections in one process, {per_instance} in an instance\n");
    println!(
        "  {:<52} {:>10.1} us",
        "processor time to open one and fetch its first token",
        each(opened, count)
    );
    let together = process::memory();
    memory("memory beyond the first, when all hold a credential", alone, together, count);

    // The hour begins when all have been renewed once, so that what they do at first is over.
    tokio::time::sleep_until(began + HOUR).await;
    let (before, worked) = (renewals(&all), process::time());
    endpoint.forget();
    tokio::time::sleep(HOUR).await;
    let worked = process::time() - worked;
    let done = renewals(&all) - before;
    assert!(all.iter().all(|connection| connection.credential().is_some()), "somebody has no credential");
    memory("an hour later", alone, process::memory(), count);
    let (peak, mean) = endpoint.requests_per_second(HOUR);
    println!("  {:<52} {done:>10}", "renewals in that hour");
    println!("  {:<52} {mean:>10.1} /s", "mean");
    println!("  {:<52} {peak:>10} /s, {:.1} of the mean", "peak", f64::from(peak) / mean);
    println!("  {:<52} {:>10.1} us", "processor time of one renewal", each(worked, done));
    let share = worked.as_secs_f64() / HOUR.as_secs_f64();
    println!("  {:<52} {:>10.2} % of one core", "processor time of the hour", 100.0 * share);
}

/// What a variable says.
fn number(variable: &str) -> Option<usize> {
    std::env::var(variable).ok().map(|number| number.parse().expect("a number"))
}

async fn open(runtime: &Runtime, number: usize) -> Connection {
    let document = endpoint::document(number);
    let plan = runtime.plan(&document, &Variables::new()).await.expect("a plan");
    runtime.open(&document, Variables::new(), Grant::for_plan(&plan)).await.expect("a connection")
}

fn renewals(connections: &[Connection]) -> usize {
    let done = connections.iter().map(|connection| connection.status().renewals).sum::<u64>();
    usize::try_from(done).expect("not that many")
}

/// Microseconds.
fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count as f64
}

fn memory(when: &str, alone: u64, together: u64, count: usize) {
    let beyond = together.saturating_sub(alone) as f64;
    println!(
        "  {when:<52} {:>10.1} MiB, {:.1} KiB each",
        beyond / MIB,
        beyond / 1024.0 / (count - 1).max(1) as f64
    );
}
