//! Envoy's secret discovery service.

use std::time::Duration;

use prost::Message as _;
use serde_json::{Value, json};

use crate::client::send;
use crate::connection::{Fake, bearer};
use crate::grpc::Call;
use crate::messages::core::{Any, Status};
use crate::messages::discovery::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use crate::messages::secret::{Secret, TYPE_URL};
use crate::serving::{Serving, serve};

const STREAM: &str = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";
const DELTA: &str = "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets";

fn tables() -> Value {
    json!({"sds": {"x": {"listen": "127.0.0.1:0"}}})
}

fn wish(names: &[&str]) -> DiscoveryRequest {
    DiscoveryRequest {
        resource_names: names.iter().map(|name| (*name).to_owned()).collect(),
        type_url: TYPE_URL.to_owned(),
        ..DiscoveryRequest::default()
    }
}

fn accept(answer: &DiscoveryResponse, names: &[&str]) -> DiscoveryRequest {
    DiscoveryRequest {
        version_info: answer.version_info.clone(),
        response_nonce: answer.nonce.clone(),
        ..wish(names)
    }
}

fn secret(resource: &Any) -> (String, String) {
    assert_eq!(resource.type_url, TYPE_URL);
    let secret = Secret::decode(resource.value.as_slice()).unwrap();
    (secret.name, secret.generic_secret.unwrap().secret.unwrap().inline_string)
}

fn secrets(answer: &DiscoveryResponse) -> Vec<(String, String)> {
    assert_eq!(answer.type_url, TYPE_URL);
    answer.resources.iter().map(secret).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn subscribe(serving: &Serving, names: &[&str]) -> Call {
    Call::open(&serving.address, STREAM, &wish(names)).await
}

async fn next(call: &mut Call) -> DiscoveryResponse {
    call.receive().await.unwrap()
}

#[tokio::test]
async fn each_credential_is_pushed_with_a_version_of_its_own() {
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let mut call = subscribe(&serving, &["a"]).await;
    for generation in 1..4 {
        let answer = next(&mut call).await;
        assert_eq!(answer.version_info, generation.to_string());
        assert_eq!(secrets(&answer), pairs(&[("a", &format!("Bearer token-{generation}"))]));
        call.send(&accept(&answer, &["a"])).await;
        fake.issue();
    }
}

#[tokio::test]
async fn the_first_credential_is_waited_for() {
    let fake = Fake::empty(bearer);
    let serving = serve(tables(), &[("a", &fake)]);
    let (mut call, _) = tokio::join!(subscribe(&serving, &["a.token"]), async { fake.issue() });
    assert_eq!(secrets(&next(&mut call).await), pairs(&[("a.token", "token-1")]));
}

#[tokio::test]
async fn names_can_be_added_and_unknown_ones_stay_pending() {
    let codex = Fake::empty(|generation| {
        let mut headers = bearer(generation);
        headers.push(("chatgpt-account-id", "account".to_owned()));
        headers
    });
    codex.issue();
    let plain = Fake::bearer();
    let serving = serve(tables(), &[("codex", &codex), ("a", &plain)]);
    let mut call = subscribe(&serving, &["nobody", "codex.chatgpt-account-id", "codex.absent"]).await;
    let first = next(&mut call).await;
    assert_eq!(secrets(&first), pairs(&[("codex.chatgpt-account-id", "account")]));
    let more = ["nobody", "codex.chatgpt-account-id", "codex", "a"];
    call.send(&accept(&first, &more)).await;
    let mut received = [next(&mut call).await, next(&mut call).await];
    received.sort_by_key(secrets);
    assert_eq!(secrets(&received[0]), pairs(&[("a", "Bearer token-1")]));
    assert_eq!(secrets(&received[1]), pairs(&[("codex", "Bearer token-1")]));
    codex.issue();
    let both = next(&mut call).await;
    let expected = [("codex", "Bearer token-2"), ("codex.chatgpt-account-id", "account")];
    assert_eq!(secrets(&both), pairs(&expected));
}

#[tokio::test]
async fn a_refused_secret_is_not_sent_again() {
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let mut call = subscribe(&serving, &["a"]).await;
    let first = next(&mut call).await;
    let refusal = DiscoveryRequest {
        version_info: String::new(),
        error_detail: Some(Status { code: 13, message: "it is refused".to_owned() }),
        ..accept(&first, &["a"])
    };
    call.send(&refusal).await;
    call.send(&refusal).await;
    fake.issue();
    let second = next(&mut call).await;
    assert_eq!((second.version_info.as_str(), second.nonce.as_str()), ("2", "2"));
}

#[tokio::test]
async fn what_is_about_an_older_answer_changes_nothing() {
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let mut call = subscribe(&serving, &["a"]).await;
    let first = next(&mut call).await;
    fake.issue();
    let second = next(&mut call).await;
    call.send(&accept(&first, &[])).await;
    fake.issue();
    let third = next(&mut call).await;
    assert_eq!((second.version_info.as_str(), third.version_info.as_str()), ("2", "3"));
}

#[tokio::test]
async fn the_incremental_form_says_the_same() {
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let change = |more: &[&str], less: &[&str], nonce: &str| DeltaDiscoveryRequest {
        type_url: TYPE_URL.to_owned(),
        resource_names_subscribe: more.iter().map(|name| (*name).to_owned()).collect(),
        resource_names_unsubscribe: less.iter().map(|name| (*name).to_owned()).collect(),
        response_nonce: nonce.to_owned(),
        error_detail: None,
    };
    let mut call = Call::open(&serving.address, DELTA, &change(&["a"], &[], "")).await;
    let first: DeltaDiscoveryResponse = call.receive().await.unwrap();
    assert_eq!((first.resources[0].name.as_str(), first.resources[0].version.as_str()), ("a", "1"));
    assert_eq!(secret(first.resources[0].resource.as_ref().unwrap()).1, "Bearer token-1");
    call.send(&change(&["a.token"], &["a"], &first.nonce)).await;
    let second: DeltaDiscoveryResponse = call.receive().await.unwrap();
    assert_eq!(secret(second.resources[0].resource.as_ref().unwrap()), pairs(&[("a.token", "token-1")])[0]);
    fake.issue();
    let third: DeltaDiscoveryResponse = call.receive().await.unwrap();
    assert_eq!((third.resources.len(), third.resources[0].name.as_str()), (1, "a.token"));
}

#[tokio::test]
async fn a_client_that_leaves_is_forgotten() {
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let before = fake.watchers();
    let mut call = subscribe(&serving, &["a"]).await;
    next(&mut call).await;
    assert_eq!(fake.watchers(), before + 1);
    drop(call);
    let forgotten = async {
        while fake.watchers() > before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), forgotten).await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_with_its_connection_and_with_its_service() {
    const UNAVAILABLE: u32 = 14;
    let fake = Fake::bearer();
    let mut serving = serve(tables(), &[("a", &fake)]);
    let mut call = subscribe(&serving, &["a"]).await;
    next(&mut call).await;
    fake.end();
    assert_eq!(call.end_of_service().await, UNAVAILABLE);

    let other = Fake::bearer();
    let mut call = subscribe(&serving, &["b"]).await;
    serving.change(tables(), &[("b", &other)]);
    assert_eq!(call.end_of_service().await, UNAVAILABLE);
    let mut call = subscribe(&serving, &["b"]).await;
    assert_eq!(secrets(&next(&mut call).await), pairs(&[("b", "Bearer token-1")]));
    tokio::time::timeout(Duration::from_secs(10), serving.gateway.drain()).await.unwrap();
    assert_eq!(call.end_of_service().await, UNAVAILABLE);
}

#[tokio::test]
async fn what_cannot_be_answered_says_why() {
    const INVALID_ARGUMENT: u32 = 3;
    const RESOURCE_EXHAUSTED: u32 = 8;
    const UNIMPLEMENTED: u32 = 12;
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let clusters = DiscoveryRequest { type_url: "type.googleapis.com/x".to_owned(), ..wish(&["a"]) };
    let call = Call::open(&serving.address, STREAM, &clusters).await;
    assert_eq!(call.end().await, INVALID_ARGUMENT);
    let many: Vec<_> = (0..2000).map(|number| number.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(subscribe(&serving, &many).await.end().await, RESOURCE_EXHAUSTED);
    let fetch = "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets";
    assert_eq!(Call::open(&serving.address, fetch, &wish(&["a"])).await.end().await, UNIMPLEMENTED);
    let plain = send(&serving.address, "GET", "/", &[]).await;
    assert_eq!((plain.status.as_u16(), plain.code().as_str()), (404, "grpc-only"));
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_stream_alone() {
    const OUT_OF_RANGE: u32 = 11;
    let fake = Fake::bearer();
    let serving = serve(tables(), &[("a", &fake)]);
    let mut good = subscribe(&serving, &["a"]).await;
    next(&mut good).await;
    let bad = subscribe(&serving, &[&"x".repeat(2 * 1024 * 1024)]).await;
    assert_eq!(bad.end().await, OUT_OF_RANGE);
    fake.issue();
    assert_eq!(secrets(&next(&mut good).await), pairs(&[("a", "Bearer token-2")]));
}
