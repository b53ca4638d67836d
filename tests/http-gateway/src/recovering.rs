//! After a 401, and without a credential.

use bytes::Bytes;
use http::Request;
use keyless_sandbox::{Fault, RetryAfter, ServiceName};
use serde_json::json;

use crate::client::{get, post};
use crate::server::Instances;
use crate::world::World;

const REFUSED: Fault = Fault::Status { status: 401, retry_after: None };

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_replaced_and_the_request_sent_once_more() {
    let world = World::start(Instances::One).await;
    assert_eq!(world.ask(get("/v1/models")).await.status, 200);
    world.sandbox.revoke_all();
    let body = json!({"model": "sandbox-1", "input": "Hello"});
    let answer = world.ask(post("/v1/responses", &body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let statuses: Vec<_> = world.calls().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(200), Some(401), Some(200)]);
    assert_eq!(world.calls()[1].body, world.calls()[2].body);
    assert_ne!(world.calls()[1].header("authorization"), world.calls()[2].header("authorization"));
    assert_eq!(world.exchanges(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_sent_once_more_and_never_twice() {
    let world = World::start(Instances::One).await;
    world.sandbox.fault_until_cleared(ServiceName::Upstream, REFUSED);
    assert_eq!(world.ask(get("/v1/models")).await.status, 401);
    assert_eq!((world.calls().len(), world.exchanges()), (2, 2));
    // What answers 401 to everything cannot turn each answer into an exchange.
    assert_eq!(world.ask(get("/v1/models")).await.status, 401);
    assert_eq!((world.calls().len(), world.exchanges()), (3, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_long_to_be_kept_is_sent_once() {
    let world = World::start(Instances::One).await;
    for (length, calls) in [(65_536, 2), (65_537, 1)] {
        world.sandbox.fault(ServiceName::Upstream, REFUSED, 1);
        let before = world.calls().len();
        let body = Bytes::from(vec![b' '; length]);
        let answer = world.ask(Request::post("/v1/responses").body(body).unwrap()).await;
        assert_eq!(world.calls().len() - before, calls, "{length} bytes");
        // To the sandbox, blanks are no JSON.
        assert_eq!(answer.status, if calls == 2 { 400 } else { 401 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_the_answer_says_why_and_when_to_come_back() {
    let world = World::start(Instances::OnePerRequest).await;
    let wait = Some(RetryAfter::Seconds(7));
    world
        .sandbox
        .fault_until_cleared(ServiceName::Exchange, Fault::Status { status: 503, retry_after: wait });
    let answer = world.ask(get("/v1/models")).await;
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds} s");
    assert_eq!(answer.code(), "endpoint-failed");
    assert!(world.calls().is_empty(), "nothing is forwarded without a credential");
    world.sandbox.clear_faults(None);
    assert_eq!(world.ask(get("/v1/models")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_token_is_told_in_the_providers_words() {
    let world = World::start(Instances::OnePerRequest).await;
    world.sandbox.remove_token().unwrap();
    let answer = world.ask(get("/v1/models")).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "token-file-missing"));
    assert_eq!(world.exchanges(), 0);
}
