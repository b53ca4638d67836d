//! Every fault, on the wire.

use std::time::{Duration, Instant, SystemTime};

use keyless_sandbox::{Fault, Options, RetryAfter, Sandbox, ServiceName};
use serde_json::{Value, json};

use crate::client::{Client, Reply, in_time};

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

/// The answer to an exchange that suffers `fault`.
async fn suffer(sandbox: &Sandbox, fault: Fault) -> Reply {
    sandbox.fault(ServiceName::Exchange, fault, 1);
    let reply = Client::new(sandbox).exchange().await;
    assert_eq!(Client::new(sandbox).exchange().await.status, 200, "the fault outlasts its one request");
    reply
}

#[tokio::test]
async fn statuses_and_retry_after() {
    let sandbox = start().await;
    let plain = suffer(&sandbox, Fault::status(500)).await;
    assert_eq!((plain.status.as_u16(), plain.headers.get("retry-after")), (500, None));
    let with = |retry_after| Fault::Status { status: 429, retry_after: Some(retry_after) };
    assert_eq!(suffer(&sandbox, with(RetryAfter::Seconds(7))).await.header("retry-after"), "7");
    assert_eq!(
        suffer(&sandbox, with(RetryAfter::Text("soon".to_owned()))).await.header("retry-after"),
        "soon"
    );
    let dated = suffer(&sandbox, with(RetryAfter::DateInSeconds(100))).await;
    let date = httpdate::parse_http_date(dated.header("retry-after")).unwrap();
    let ahead = date.duration_since(SystemTime::now()).unwrap();
    assert!((Duration::from_secs(80)..=Duration::from_secs(100)).contains(&ahead), "{ahead:?}");
    // The work was left undone.
    assert_eq!(sandbox.tokens_issued(), 4);
}

#[tokio::test]
async fn slowness() {
    let sandbox = start().await;
    let begun = Instant::now();
    assert_eq!(suffer(&sandbox, Fault::Delay { ms: 60, then: None }).await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    let then = Some(Box::new(Fault::status(502)));
    assert_eq!(suffer(&sandbox, Fault::Delay { ms: 1, then }).await.status, 502);

    let dripped = suffer(&sandbox, Fault::Drip { bytes: 100, pause_ms: 1 }).await;
    assert!(dripped.complete && dripped.pieces.len() > 5, "{} pieces", dripped.pieces.len());
    assert!(dripped.json()["access_token"].is_string());
}

#[tokio::test]
async fn stalls_end_with_the_client_or_the_sandbox() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    sandbox.fault(ServiceName::Exchange, Fault::Stall, 1);
    {
        let mut stalled = std::pin::pin!(client.exchange());
        tokio::select! {
            _ = &mut stalled => unreachable!("a stalled request was answered"),
            () = sandbox.wait_for_requests(ServiceName::Exchange, 1) => {}
        }
    }
    assert_eq!(sandbox.exchanges()[0].status, None);

    sandbox.fault(ServiceName::Exchange, Fault::StallMidway, 1);
    let half = Client { limit: 1, ..Client::new(&sandbox) }.exchange().await;
    assert!(half.status == 200 && !half.complete && !half.pieces.is_empty());
}

#[tokio::test]
async fn closed_connections() {
    let sandbox = start().await;
    for client in [Client::new(&sandbox), Client::http2(&sandbox)] {
        let issued = sandbox.tokens_issued();
        sandbox.fault(ServiceName::Exchange, Fault::CloseBefore, 1);
        let body = client.exchange_body();
        assert!(client.try_post_json(ServiceName::Exchange, "/oauth/token", &body).await.is_err());
        assert_eq!(sandbox.tokens_issued(), issued, "the work was done");

        sandbox.fault(ServiceName::Exchange, Fault::CloseMidway, 1);
        let torn = client.try_post_json(ServiceName::Exchange, "/oauth/token", &body).await.unwrap();
        assert!(!torn.complete, "the body is whole");
        assert!(!torn.bytes().is_empty(), "nothing of the body arrived");
        assert_eq!(sandbox.tokens_issued(), issued + 1);
    }
    assert_eq!(sandbox.counters(ServiceName::Exchange).broken_off, 2);
}

#[tokio::test]
async fn strange_bodies() {
    let sandbox = start().await;
    let malformed = suffer(&sandbox, Fault::MalformedJson).await;
    assert_eq!((malformed.status.as_u16(), malformed.header("content-type")), (200, "application/json"));
    assert!(malformed.complete && serde_json::from_slice::<Value>(&malformed.bytes()).is_err());
    let empty = suffer(&sandbox, Fault::EmptyBody).await;
    assert!(empty.status == 200 && empty.complete && empty.bytes().is_empty());
    let html = suffer(&sandbox, Fault::Html).await;
    assert!(html.status == 200 && html.text().starts_with("<!DOCTYPE html>"));
    assert!(html.header("content-type").starts_with("text/html"));
    let mistyped = suffer(&sandbox, Fault::ContentType { value: "text/plain".to_owned() }).await;
    assert_eq!(mistyped.header("content-type"), "text/plain");
    assert!(mistyped.json()["access_token"].is_string());
    let own =
        Fault::Body { status: 201, content_type: "application/json".to_owned(), body: "[1]".to_owned() };
    let own = suffer(&sandbox, own).await;
    assert_eq!((own.status.as_u16(), own.json()), (201, json!([1])));

    sandbox.fault(ServiceName::Exchange, Fault::EndlessBody, 1);
    let endless = in_time(Client { limit: 3 << 20, ..Client::new(&sandbox) }.exchange()).await;
    assert!(!endless.complete && endless.bytes().len() >= 3 << 20);
}

#[tokio::test]
async fn redirects() {
    let sandbox = start().await;
    let redirect =
        Fault::Redirect { location: "https://elsewhere.example/oauth/token".to_owned(), status: 308 };
    let reply = suffer(&sandbox, redirect).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (308, "https://elsewhere.example/oauth/token")
    );
}

#[tokio::test]
async fn odd_fields() {
    let sandbox = start().await;
    for value in
        [json!(0), json!(-1), json!(true), json!("3600"), json!(null), json!({}), json!(0.5), json!(1)]
    {
        let reply = suffer(&sandbox, Fault::expires_in(value.clone())).await;
        assert_eq!(reply.json()["expires_in"], value);
        assert!(reply.json()["access_token"].is_string());
    }
    let dropped = suffer(&sandbox, Fault::DropField { name: "expires_in".to_owned() }).await;
    assert!(dropped.json().get("expires_in").is_none());
    for value in [json!(""), json!("a\r\nb"), json!("a b"), json!(7)] {
        let reply = suffer(&sandbox, Fault::access_token(value.clone())).await;
        assert_eq!(reply.json()["access_token"], value);
    }
}

#[tokio::test]
async fn order_count_and_clearing() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let status = async || client.get(ServiceName::Upstream, "/v1/models").await.status.as_u16();
    sandbox.fault(ServiceName::Upstream, Fault::status(500), 2);
    sandbox.fault(ServiceName::Upstream, Fault::status(502), 1);
    sandbox.fault_until_cleared(ServiceName::Upstream, Fault::status(503));
    sandbox.fault(ServiceName::Issuer, Fault::status(404), 1);
    for expected in [500, 500, 502, 503, 503] {
        assert_eq!(status().await, expected);
    }
    // What is armed next ends what was armed until further notice.
    sandbox.fault(ServiceName::Upstream, Fault::status(504), 1);
    assert_eq!((status().await, status().await), (504, 401));
    sandbox.fault_until_cleared(ServiceName::Upstream, Fault::status(503));
    sandbox.clear_faults(Some(ServiceName::Upstream));
    assert_eq!(status().await, 401);
    assert_eq!(
        client.get(ServiceName::Issuer, "/openid/v1/jwks").await.status,
        404,
        "cleared with the others"
    );
    sandbox.fault_until_cleared(ServiceName::Upstream, Fault::status(503));
    sandbox.clear_faults(None);
    assert_eq!(status().await, 401);
    let counters = sandbox.counters(ServiceName::Upstream);
    assert_eq!((counters.requests, counters.answered(500), counters.answered(401)), (9, 2, 3));
}

#[test]
fn faults_survive_a_round_trip_through_json() {
    let then = Some(Box::new(Fault::Stall));
    let faults = [
        Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(5)) },
        Fault::Delay { ms: 5, then },
        Fault::Drip { bytes: 1, pause_ms: 2 },
        Fault::Stall,
        Fault::StallMidway,
        Fault::CloseBefore,
        Fault::CloseMidway,
        Fault::CloseAfter,
        Fault::Lag { seconds: 5, then: Some(Box::new(Fault::CloseAfter)) },
        Fault::MissingScope { scope: "api.management.read".to_owned() },
        Fault::MalformedJson,
        Fault::EmptyBody,
        Fault::Html,
        Fault::EndlessBody,
        Fault::Redirect { location: "/x".to_owned(), status: 307 },
        Fault::ContentType { value: "text/plain".to_owned() },
        Fault::expires_in(json!(null)),
        Fault::DropField { name: "scope".to_owned() },
        Fault::Body { status: 200, content_type: "a/b".to_owned(), body: String::new() },
    ];
    for fault in faults {
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault, "{text}");
    }
}
