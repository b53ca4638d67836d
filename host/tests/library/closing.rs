//! Ends: closed, dropped, and used from outside a runtime.

use std::time::Duration;

use keyless::{ErrorKind, Grant, Phase, Variables};

use crate::world::{Turn, World};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn closing_ends_it_for_every_clone() {
    let world = World::new();
    let connection = world.open().await;
    let clone = connection.clone();
    connection.ready(PATIENCE).await.unwrap();
    connection.close().await.unwrap();
    assert!(clone.credential().is_none());
    assert_eq!(clone.status().phase, Phase::Closed);
    assert_eq!(clone.ready(PATIENCE).await.unwrap_err().code, "connection-closed");
    clone.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_closes_waits_for_the_end() {
    let world = World::new();
    world.endpoint.order([Turn::Stall]);
    let connection = world.open().await;
    tokio::task::yield_now().await;
    let clones = [connection.clone(), connection.clone()];
    let closing = clones.map(|clone| tokio::spawn(clone.close()));
    for closed in closing {
        closed.await.unwrap().unwrap();
        assert_eq!(connection.status().phase, Phase::Closed);
    }
    connection.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn closing_wakes_those_who_wait() {
    let world = World::new();
    world.endpoint.order([Turn::Stall]);
    let connection = world.open().await;
    let waiter = tokio::spawn({
        let connection = connection.clone();
        async move { connection.ready(Duration::from_secs(600)).await.map(|c| c.generation()) }
    });
    tokio::task::yield_now().await;
    // The request under way comes to its end first: it times out after 10 s.
    connection.close().await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap_err().code, "connection-closed");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_clone_stops_the_task() {
    let world = World::new();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    let clone = connection.clone();
    drop(connection);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    let renewed = world.endpoint.requests();
    assert!(renewed >= 2, "one clone is enough");
    drop(clone);
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    assert_eq!(world.endpoint.requests(), renewed);
}

#[test]
fn outside_a_runtime_there_is_an_error_and_no_panic() {
    let runtime = keyless::Runtime::builder().cache(keyless::Cache::Off).build().unwrap();
    let mut opening = Box::pin(runtime.open("{}", Variables::new(), Grant::none()));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = opening.as_mut().poll(&mut context) else { panic!("not ready") };
    assert_eq!((error.kind, &*error.code), (ErrorKind::Invalid, "runtime-missing"));
}
