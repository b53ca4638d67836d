//! The plain form, as Envoy, nginx, Traefik and Caddy use it.

use std::sync::Arc;
use std::time::Duration;

use keyless_gateway::Unavailable;
use serde_json::json;

use crate::client::{send, send_http2};
use crate::connection::{Fake, bearer};
use crate::serving::{Serving, serve};

fn whole(connection: &Arc<Fake>) -> Serving {
    serve(json!({"authz": {"x": {"listen": "127.0.0.1:0", "connection": "a"}}}), &[("a", connection)])
}

#[tokio::test]
async fn every_method_and_path_gets_the_credential() {
    let serving = whole(&Fake::bearer());
    for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"] {
        let answer = send(&serving.address, method, "/v1/chat/completions?stream=true", &[]).await;
        assert_eq!(answer.status, 200, "{method}");
        assert_eq!(answer.header("authorization"), "Bearer token-1");
        assert_eq!(answer.header("x-keyless-generation"), "1");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn keys_of_the_client_are_to_be_removed_and_nothing_is_reflected() {
    let headers = |_| vec![("x-api-key", "ours".to_owned()), ("anthropic-beta", "a".to_owned())];
    let fake = Fake::empty(headers);
    fake.issue();
    let serving = whole(&fake);
    let theirs = [("authorization", "Bearer theirs"), ("x-api-key", "theirs"), ("x-custom", "theirs")];
    let answer = send(&serving.address, "GET", "/theirs", &theirs).await;
    assert_eq!(answer.header("x-api-key"), "ours");
    assert_eq!(answer.header("anthropic-beta"), "a");
    let removed: Vec<_> = answer.header("x-envoy-auth-headers-to-remove").split(',').collect();
    assert!(removed.contains(&"authorization") && !removed.contains(&"x-api-key"), "{removed:?}");
    assert!(!format!("{answer:?}").contains("theirs"));
}

#[tokio::test]
async fn a_rejected_generation_is_followed_by_the_next() {
    let fake = Fake::bearer();
    let serving = whole(&fake);
    let again = send(&serving.address, "GET", "/", &[("x-keyless-rejected", "1")]).await;
    assert_eq!(again.status, 200);
    assert_eq!(again.header("authorization"), "Bearer token-2");
    assert_eq!(again.header("x-keyless-generation"), "2");
    // Whoever comes late with the same generation gets the one that is there.
    let late = send(&serving.address, "GET", "/", &[("x-keyless-rejected", "1")]).await;
    assert_eq!(late.header("x-keyless-generation"), "2");
    assert_eq!(fake.rejected(), [1, 1]);
}

#[tokio::test]
async fn a_rejected_generation_without_a_next_one_is_not_handed_out_again() {
    let fake = Fake::last_bearer();
    let serving = whole(&fake);
    let answer = send(&serving.address, "GET", "/", &[("x-keyless-rejected", "1")]).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "credential-rejected"));
    assert_eq!(answer.header("authorization"), "");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn an_unclear_generation_rejects_nothing() {
    let fake = Fake::bearer();
    let serving = whole(&fake);
    for unclear in ["-1", "1, 2", "x", "99999999999999999999"] {
        let answer = send(&serving.address, "GET", "/", &[("x-keyless-rejected", unclear)]).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "rejected-unclear"), "{unclear}");
    }
    let twice = [("x-keyless-rejected", "1"), ("x-keyless-rejected", "1")];
    assert_eq!(send(&serving.address, "GET", "/", &twice).await.status, 400);
    // As of a gateway's variable that is not set.
    assert_eq!(send(&serving.address, "GET", "/", &[("x-keyless-rejected", "")]).await.status, 200);
    assert_eq!(fake.rejected(), [0; 0]);
}

#[tokio::test]
async fn without_a_credential_it_says_why_and_when_to_come_again() {
    let fake = Fake::empty(bearer);
    fake.fail(Unavailable {
        code: "exchange-refused".to_owned(),
        message: "the token endpoint refuses".to_owned(),
        retry_after: Some(Duration::from_secs(30)),
    });
    let serving = whole(&fake);
    let answer = send(&serving.address, "GET", "/", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "exchange-refused"));
    assert_eq!(answer.header("retry-after"), "30");
    assert!(answer.body.contains("the token endpoint refuses"));
}

#[tokio::test]
async fn a_question_waits_for_the_first_credential() {
    let fake = Fake::empty(bearer);
    let serving = whole(&fake);
    let (answer, ()) = tokio::join!(send(&serving.address, "GET", "/", &[]), async {
        tokio::task::yield_now().await;
        fake.issue();
    });
    assert_eq!(answer.header("authorization"), "Bearer token-1");
}

fn routed(original: Option<&str>) -> Serving {
    let mut authz = json!({"listen": "127.0.0.1:0", "routes": [
        {"prefix": "/", "connection": "a", "paths": ["/v1/models", "/v1/models/*"]},
        {"prefix": "/claude", "connection": "b"},
    ]});
    if let Some(header) = original {
        authz["original_path_header"] = json!(header);
    }
    let other = Fake::empty(|_| vec![("x-api-key", "other".to_owned())]);
    other.issue();
    serve(json!({"authz": {"x": authz}}), &[("a", &Fake::bearer()), ("b", &other)])
}

#[tokio::test]
async fn routes_and_allow_lists_are_of_the_path() {
    let serving = routed(None);
    for (path, status, header) in [
        ("/v1/models", 200, "authorization"),
        ("/v1/models/gpt-4.1?x=/claude", 200, "authorization"),
        ("/claude", 200, "x-api-key"),
        ("/claude/v1/messages", 200, "x-api-key"),
        ("/claudette", 403, "path-not-allowed"),
        ("/v1/files", 403, "path-not-allowed"),
        ("/", 403, "path-not-allowed"),
        ("/v1/models/../files", 403, "path-ambiguous"),
        ("/v1/models/%2e%2e/files", 403, "path-ambiguous"),
        ("/claude/..%2fv1/files", 403, "path-ambiguous"),
    ] {
        let answer = send(&serving.address, "GET", path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        if status == 200 {
            assert_ne!(answer.header(header), "", "{path}");
        } else {
            assert_eq!(answer.code(), header, "{path}");
        }
    }
}

#[tokio::test]
async fn the_path_is_taken_from_where_the_configuration_says_and_from_nowhere_else() {
    let serving = routed(Some("x-forwarded-uri"));
    for (target, headers, status) in [
        ("/auth", &[("x-forwarded-uri", "/v1/models?a=b")][..], 200),
        ("/v1/models", &[("x-forwarded-uri", "/v1/files")], 403),
        ("/v1/models", &[("x-original-uri", "/v1/models")], 403),
        ("/v1/models", &[], 403),
        ("/auth", &[("x-forwarded-uri", "/v1/models"), ("x-forwarded-uri", "/v1/models")], 403),
        ("/auth", &[("x-forwarded-uri", "http://api.example/v1/models")], 403),
    ] {
        assert_eq!(
            send(&serving.address, "GET", target, headers).await.status,
            status,
            "{target} {headers:?}"
        );
    }
    let serving = routed(None);
    let answer = send(&serving.address, "GET", "/v1/files", &[("x-forwarded-uri", "/v1/models")]).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_grpc_call_of_the_client_is_a_question_like_any_other() {
    let serving = routed(None);
    let grpc = [("content-type", "application/grpc"), ("te", "trailers")];
    let answer = send_http2(&serving.address, "POST", "/v1/files", &grpc).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "path-not-allowed"));
    let answer = send_http2(&serving.address, "POST", "/v1/models", &grpc).await;
    assert_eq!((answer.status.as_u16(), answer.header("authorization")), (200, "Bearer token-1"));
}
