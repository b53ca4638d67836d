//! A credential from beginning to end.

use std::time::Duration;

use keyless::sender::Fault;
use keyless::{ErrorKind, Phase};

use crate::world::{ENDPOINT, LIFETIME, Turn, World};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_token_file_becomes_a_credential() {
    let world = World::new();
    let connection = world.open().await;
    let credential = connection.ready(PATIENCE).await.unwrap();

    assert_eq!(credential.token(), Some("canary-1"));
    assert_eq!(credential.base_url(), "https://api.openai.com/v1");
    assert_eq!(credential.generation(), 1);
    assert_eq!(connection.credential().unwrap().generation(), 1);
    let mut request = http::Request::new(());
    credential.apply(request.headers_mut());
    assert_eq!(request.headers()["authorization"], "Bearer canary-1");

    world.endpoint.with_last_request(|request| {
        assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("POST", ENDPOINT));
        let names: Vec<_> = request.headers().keys().map(http::HeaderName::as_str).collect();
        assert_eq!(names, ["content-type", "content-length"]);
        assert!(str::from_utf8(request.body().as_bytes()).unwrap().contains("\"idp_1\""));
        assert!(!format!("{request:?}").contains("application"), "header values are hidden");
    });
    let status = connection.status();
    assert_eq!((status.phase, status.renewals, status.failures), (Phase::Fresh, 1, 0));
    assert!(status.next_attempt_at < status.expires_at);
    assert!(!format!("{connection:?} {credential:?} {status:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_before_it_ends_and_there_is_never_none() {
    let world = World::new();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    for _ in 0..24 * 60 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(connection.credential().is_some());
    }
    let status = connection.status();
    // Renewed every 24 to 30 minutes.
    assert!((48..=61).contains(&status.renewals), "{status:?}");
    assert_eq!(status.renewals, connection.credential().unwrap().generation());
    assert_eq!(status.renewals, world.endpoint.requests() as u64);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_bridged() {
    let world = World::new();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    world.endpoint.then_always(|| Turn::Refuse(503));
    let mut failing_for = 0;
    for _ in 0..58 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(connection.credential().is_some());
        assert!(connection.ready(Duration::ZERO).await.is_ok());
        failing_for += u64::from(connection.status().phase == Phase::Waiting);
    }
    assert!(failing_for > 15, "the renewal failed for {failing_for} min");
    let failures = connection.status().failures;
    assert!((4..60).contains(&failures), "{failures} attempts in half an hour and more");

    world.endpoint.then_always(|| Turn::Issue(LIFETIME));
    tokio::time::sleep(Duration::from_secs(301)).await;
    let status = connection.status();
    assert_eq!((status.phase, status.generation, status.failures_in_a_row), (Phase::Fresh, 2, 0));
    assert_eq!(status.last_error, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_served_past_its_end_and_it_recovers() {
    let world = World::new();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    world.endpoint.then_always(|| Turn::Fail(Fault::Refused));
    tokio::time::sleep(Duration::from_secs(LIFETIME)).await;
    assert!(connection.credential().is_none());
    let error = connection.ready(Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert_eq!(connection.status().phase, Phase::Failed);

    world.endpoint.then_always(|| Turn::Issue(LIFETIME));
    assert_eq!(connection.ready(Duration::from_secs(301)).await.unwrap().generation(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_machine_finds_its_credential_gone_and_gets_another() {
    let world = World::new();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    world.hands.suspend(2 * LIFETIME);
    assert!(connection.credential().is_none(), "seen at once, by the reader itself");
    let credential = connection.ready(PATIENCE).await.unwrap();
    assert_eq!(credential.token(), Some("canary-2"));
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_set_back_prolongs_nothing() {
    let world = World::new();
    let connection = world.open().await;
    connection.ready(PATIENCE).await.unwrap();
    world.endpoint.then_always(|| Turn::Fail(Fault::Refused));
    world.hands.set_back(24 * 3600);
    tokio::time::sleep(Duration::from_secs(LIFETIME)).await;
    assert!(connection.credential().is_none());
}

#[tokio::test(start_paused = true)]
async fn the_token_file_may_come_later() {
    let world = World::without_token();
    let connection = world.open().await;
    let error = connection.ready(PATIENCE).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Identity, "token-file-missing"));
    assert_eq!(world.endpoint.requests(), 0);
    world.write_token();
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert_eq!(connection.credential().unwrap().generation(), 1);
}

#[tokio::test(start_paused = true)]
async fn changes_are_seen_one_by_one() {
    let world = World::new();
    world.endpoint.order([Turn::Issue(600), Turn::Issue(600), Turn::Issue(600)]);
    let connection = world.open().await;
    let mut changes = connection.changes();
    for generation in 1..=3 {
        let next = tokio::time::timeout(Duration::from_secs(600), changes.credential()).await;
        assert_eq!(next.unwrap().unwrap().generation(), generation);
    }
    connection.close().await.unwrap();
    assert!(changes.credential().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_static_key_needs_nobody() {
    let world = World::without_token();
    let document = r#"{"api_key":"sk-canary"}"#;
    let plan = world.runtime.plan(document, &keyless::Variables::new()).await.unwrap();
    assert!(!serde_json::to_string(&plan).unwrap().contains("canary"));
    let connection =
        world.runtime.open(document, keyless::Variables::new(), keyless::Grant::none()).await.unwrap();
    let credential = connection.ready(PATIENCE).await.unwrap();
    assert_eq!((credential.token(), credential.expires_at()), (Some("sk-canary"), None));
    tokio::time::sleep(Duration::from_secs(30 * 24 * 3600)).await;
    assert_eq!(connection.credential().unwrap().generation(), 1);
    assert_eq!(world.endpoint.requests(), 0);
}
