//! Many callers, one exchange; rejected credentials; who waits and who does not.

use std::time::Duration;

use keyless::sender::Fault;
use keyless::{ErrorKind, Phase};
use tokio::time::Instant;

use crate::world::{LIFETIME, Turn, World};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn any_number_of_callers_wait_for_one_exchange() {
    let world = World::new();
    world.endpoint.order([Turn::IssueAfter(Duration::from_secs(3))]);
    let connection = world.open().await;
    let callers: Vec<_> = (0..200)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { connection.ready(PATIENCE).await.map(|c| c.generation()) })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(1));
    }
    assert_eq!(world.endpoint.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_has_a_deadline_of_its_own_and_giving_up_disturbs_nobody() {
    let world = World::new();
    world.endpoint.order([Turn::IssueAfter(Duration::from_secs(5))]);
    let connection = world.open().await;
    let patient = tokio::spawn({
        let connection = connection.clone();
        async move { connection.ready(PATIENCE).await.map(|c| c.generation()) }
    });
    let started = Instant::now();
    let error = connection.ready(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Unavailable, "connection-deadline"));
    assert_eq!(started.elapsed().as_secs(), 1);
    let cancelled = tokio::time::timeout(Duration::from_secs(1), connection.ready(PATIENCE)).await;
    assert!(cancelled.is_err());
    assert_eq!(patient.await.unwrap(), Ok(1));
    assert_eq!(world.endpoint.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_heals_within_the_caller_s_patience() {
    let world = World::new();
    world.endpoint.order([Turn::Fail(Fault::Refused), Turn::RefuseFor(503, 2)]);
    let connection = world.open().await;
    assert_eq!(connection.ready(Duration::from_secs(30)).await.unwrap().generation(), 1);
    assert_eq!(connection.status().failures, 2);
}

#[tokio::test(start_paused = true)]
async fn who_asks_how_things_stand_is_told_of_the_first_outage() {
    let world = World::new();
    world.endpoint.order([Turn::RefuseFor(503, 2)]);
    let connection = world.open().await;
    let error = connection.attempt(PATIENCE).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Unavailable, "endpoint-failed"));
    assert_eq!(world.endpoint.requests(), 1);
    assert_eq!(connection.ready(PATIENCE).await.unwrap().generation(), 1);
    assert_eq!(connection.attempt(PATIENCE).await.unwrap().generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lasting_outage_ends_with_its_reason() {
    let world = World::new();
    world.endpoint.then_always(|| Turn::Fail(Fault::Certificate));
    let connection = world.open().await;
    let error = connection.ready(PATIENCE).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_ne!(error.code, "connection-deadline", "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_at_once() {
    let world = World::new();
    world.endpoint.then_always(|| Turn::Refuse(401));
    let connection = world.open().await;
    let started = Instant::now();
    for _ in 0..3 {
        let error = connection.ready(Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(world.endpoint.requests(), 1, "callers do not speed it up");
}

#[tokio::test(start_paused = true)]
async fn after_a_401_everybody_gets_the_next_credential() {
    let world = World::new();
    let connection = world.open().await;
    let rejected = connection.ready(PATIENCE).await.unwrap().generation();
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.endpoint.order([Turn::IssueAfter(Duration::from_secs(2))]);
    for _ in 0..50 {
        connection.reject(rejected);
    }
    let (first, second) = tokio::join!(connection.ready(PATIENCE), connection.ready(PATIENCE));
    assert_eq!((first.unwrap().generation(), second.unwrap().generation()), (2, 2));
    connection.reject(rejected);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.endpoint.requests(), 2, "a generation that is no longer held is ignored");
}

#[tokio::test(start_paused = true)]
async fn a_401_right_after_an_exchange_is_waited_for_too() {
    let world = World::new();
    let connection = world.open().await;
    let rejected = connection.ready(PATIENCE).await.unwrap().generation();
    connection.reject(rejected);
    assert_eq!(connection.ready(PATIENCE).await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_rejects_everything_causes_one_exchange_in_30_seconds() {
    let world = World::new();
    let connection = world.open().await;
    for _ in 0..600 {
        let credential = connection.ready(PATIENCE).await.unwrap();
        connection.reject(credential.generation());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let requests = world.endpoint.requests();
    assert!((2..=22).contains(&requests), "{requests} exchanges in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_credential_is_better_than_none_when_its_successor_fails() {
    let world = World::new();
    let connection = world.open().await;
    let rejected = connection.ready(PATIENCE).await.unwrap().generation();
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.endpoint.then_always(|| Turn::Refuse(503));
    connection.reject(rejected);
    assert_eq!(connection.ready(PATIENCE).await.unwrap().generation(), rejected);
    assert_eq!(connection.status().phase, Phase::Waiting);
    world.endpoint.then_always(|| Turn::Issue(LIFETIME));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_never_answers_holds_nobody() {
    let world = World::new();
    world.endpoint.order([Turn::Stall]);
    let connection = world.open().await;
    let started = Instant::now();
    assert_eq!(connection.ready(Duration::from_secs(60)).await.unwrap().generation(), 1);
    assert!((10..20).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert_eq!(connection.status().failures, 1);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_connection_holds_up_no_other() {
    let world = World::new();
    world.endpoint.order([Turn::Stall]);
    let stalled = world.open().await;
    assert_eq!(stalled.ready(Duration::from_secs(1)).await.unwrap_err().code, "connection-deadline");
    let other = world.open().await;
    assert_eq!(other.ready(Duration::from_secs(1)).await.unwrap().generation(), 1);
}
