//! As many callers as a large service has, all at once.

use std::sync::Arc;
use std::time::Duration;

use keyless::{Cache, Connection, Runtime};
use keyless_sandbox::{Fault, ServiceName};
use tokio::sync::Barrier;
use tokio::time::Instant;

use crate::callers::{PATIENCE, Waits};
use crate::outside::Outside;
use crate::stage::{LIFETIME, cache, open};

const CALLERS: usize = 10_000;

/// All ask at once; the generations they got, and how long each waited.
async fn all_at_once(connection: &Connection, before: fn(&Connection)) -> (Vec<u64>, Vec<Duration>) {
    let start = Arc::new(Barrier::new(CALLERS));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (connection, start) = (connection.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let began = Instant::now();
                before(&connection);
                let credential = connection.ready(PATIENCE).await;
                (credential.map_or(0, |credential| credential.generation()), began.elapsed())
            })
        })
        .collect();
    let (mut generations, mut waits) = (Vec::new(), Vec::new());
    for caller in callers {
        let (generation, waited) = caller.await.unwrap();
        generations.push(generation);
        waits.push(waited);
    }
    generations.dedup();
    (generations, waits)
}

fn show(what: &str, exchanges: u64, waits: &[Duration]) {
    println!("{what}: {} callers, {exchanges} exchange, 0 errors; {}", waits.len(), Waits::of(waits));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_on_a_cold_connection_cause_one_exchange() {
    let outside = Outside::new(LIFETIME);
    let sandbox = &outside.sandbox;
    // Long enough that all of them wait.
    sandbox.fault(ServiceName::Exchange, Fault::Delay { ms: 1_000, then: None }, 2);
    let builder = Runtime::builder().cache(Cache::Directory(cache()));
    let runtime = builder.ca_certificates(sandbox.ca_pem().as_bytes()).build().unwrap();
    let connection = open(&runtime, &sandbox.documents().native).await;

    let (generations, waits) = all_at_once(&connection, |_| ()).await;
    let exchanges = sandbox.counters(ServiceName::Exchange).requests;
    show("cold", exchanges, &waits);
    assert_eq!((generations, exchanges), (vec![1], 1));
    assert!(waits.iter().filter(|waited| !waited.is_zero()).count() > CALLERS / 2, "the connection was cold");

    let (generations, waits) = all_at_once(&connection, |connection| connection.reject(1)).await;
    let exchanges = sandbox.counters(ServiceName::Exchange).requests - 1;
    show("all were answered 401", exchanges, &waits);
    assert_eq!((generations, exchanges), (vec![2], 1));
}
