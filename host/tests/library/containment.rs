//! A component that uses too much is stopped, replaced, and costs nobody a credential that is still good.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keyless::{Cache, Clocks, ErrorKind, Grant, Limits, Phase, Runtime, Variables};

use crate::world::{LIFETIME, Turn, World, cache};

const PATIENCE: Duration = Duration::from_secs(10);

/// Short of the ten seconds after which the host ends a request, so that a stalled endpoint makes the component hang.
fn impatient() -> World {
    let limits = Limits { call: Duration::from_secs(5), ..Limits::default() };
    let world = World::with(Runtime::builder().limits(limits));
    world.write_token();
    world
}

#[tokio::test(start_paused = true)]
async fn a_hanging_instance_is_replaced_while_its_credential_is_served() {
    let world = impatient();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    world.endpoint.order([Turn::Stall, Turn::Stall, Turn::Stall]);
    let mut waited = 0;
    while connection.status().generation == 1 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(connection.credential().is_some());
        assert!(connection.ready(Duration::ZERO).await.is_ok());
        waited += 1;
        assert!(waited < LIFETIME, "no second credential");
    }
    // The second instance counts from one again; nobody sees that.
    let status = connection.status();
    assert_eq!((status.phase, status.generation, status.renewals), (Phase::Fresh, 2, 2), "{status:?}");
    assert_eq!((status.replacements, status.failures, status.failures_in_a_row), (3, 3, 0), "{status:?}");
    assert_eq!(connection.credential().unwrap().token(), Some("canary-2"));

    // A rejection finds its way to the right instance.
    tokio::time::sleep(Duration::from_secs(60)).await;
    connection.reject(2);
    assert_eq!(connection.ready(PATIENCE).await.unwrap().generation(), 3);
}

#[tokio::test(start_paused = true)]
async fn replacements_are_paced() {
    let world = impatient();
    world.endpoint.then_always(|| Turn::Stall);
    let connection = world.open().await;
    let error = connection.ready(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Unavailable, "component-hung"));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    // 1, 2, 4, ... 256, then every 300 s.
    let replacements = connection.status().replacements;
    assert!((15..=22).contains(&replacements), "{replacements} in an hour");
    world.endpoint.then_always(|| Turn::Issue(LIFETIME));
    connection.ready(Duration::from_secs(301)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_rejected_credential_of_a_replaced_instance_is_not_served_on() {
    let world = impatient();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.endpoint.order([Turn::Stall]);
    connection.reject(1);
    assert_eq!(connection.ready(Duration::from_secs(60)).await.unwrap().generation(), 2);
}

/// Computes for a while, within a call of the component. Any work of a known amount is done sooner on a faster machine.
struct Busy(Arc<AtomicBool>);

impl Clocks for Busy {
    fn wall(&self) -> Duration {
        let began = Instant::now();
        while self.0.load(Ordering::Relaxed) && began.elapsed() < Duration::from_millis(100) {}
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.wall()
    }
}

#[tokio::test]
async fn cpu_time_is_bounded() {
    let busy = Arc::new(AtomicBool::new(true));
    let limits = Limits { cpu: Duration::from_millis(10), ..Limits::default() };
    let runtime = Runtime::builder()
        .limits(limits)
        .cache(Cache::Directory(cache()))
        .clocks(Busy(Arc::clone(&busy)))
        .build()
        .unwrap();
    let connection = runtime.open(r#"{"api_key":"sk-1"}"#, Variables::new(), Grant::none()).await.unwrap();
    let error = connection.ready(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Unavailable, "component-cpu-limit"), "{error}");
    busy.store(false, Ordering::Relaxed);
    connection.ready(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn memory_is_bounded() {
    let world = World::without_token();
    let document = " ".repeat(32 << 20);
    let error = world.runtime.plan(&document, &Variables::new()).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Unavailable, "component-memory-limit"), "{error}");
}
