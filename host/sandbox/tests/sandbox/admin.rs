//! The admin endpoint.

use http::{Method, Request};
use keyless_sandbox::{Options, Sandbox, ServiceName};
use serde_json::json;

use crate::client::{Client, full, in_time};

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

#[tokio::test]
async fn state_and_certificate() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    client.access_token().await;
    let state = client.admin(Method::GET, "/state", "").await.json();
    assert_eq!(state["addresses"]["token_endpoint"], sandbox.token_endpoint());
    assert_eq!(state["ports"]["exchange"], sandbox.port(ServiceName::Exchange));
    assert_eq!(state["keys"], json!(sandbox.key_ids()));
    assert_eq!(state["counters"]["exchange"], json!({"requests": 1, "answers": {"200": 1}, "broken_off": 0}));
    assert_eq!(state["requests"]["exchange"][0]["path"], "/oauth/token");
    assert_eq!(state["documents"]["native"], sandbox.documents().native);
    assert_eq!(client.admin(Method::GET, "/ca.pem", "").await.text(), sandbox.ca_pem());
    let named = client.admin(Method::GET, "/keyless.toml", "").await.text();
    let (head, openai) = named.split_once("openai = ").unwrap();
    assert!(head.ends_with("[connections]\n"), "{head}");
    assert_eq!(serde_json::from_str::<String>(openai).unwrap(), sandbox.documents().native);
    assert_eq!(std::fs::read_to_string(sandbox.ca_path()).unwrap(), sandbox.ca_pem());
}

#[tokio::test]
async fn faults_are_armed_and_cleared() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let fault = r#"{"service": "exchange", "fault": {"kind": "status", "status": 503}, "times": 1}"#;
    assert_eq!(client.admin(Method::POST, "/faults", fault).await.status, 200);
    assert_eq!(client.exchange().await.status, 503);
    assert_eq!(client.exchange().await.status, 200);

    let forever = r#"{"service": "exchange", "fault": {"kind": "html"}}"#;
    client.admin(Method::POST, "/faults", forever).await;
    client.admin(Method::DELETE, "/faults?service=issuer", "").await;
    assert!(client.exchange().await.text().starts_with("<!DOCTYPE"));
    let cleared = client.admin(Method::DELETE, "/faults", "").await;
    assert_eq!(cleared.json(), json!({"faults": {}}));
    assert_eq!(client.exchange().await.status, 200);
}

#[tokio::test]
async fn switches() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let read = || std::fs::read_to_string(sandbox.token_path()).unwrap();

    let before = read();
    assert_eq!(client.admin(Method::POST, "/rotate-token", "").await.status, 200);
    assert_ne!(read(), before);
    client.admin(Method::POST, "/rotate-token", r#"{"audience": ["other"]}"#).await;
    assert!(client.exchange().await.text().contains("aud is not"));
    client.admin(Method::POST, "/rotate-token", r#"{"lifetime_seconds": 600, "age_seconds": 500}"#).await;
    assert!(client.exchange().await.json()["expires_in"].as_u64().unwrap() <= 100);
    client.admin(Method::POST, "/token-file", r#"{"content": "raw"}"#).await;
    assert_eq!(read(), "raw");
    client.admin(Method::POST, "/token-file", r#"{"content": null}"#).await;
    assert!(!sandbox.token_path().exists());

    let keys = client.admin(Method::POST, "/rotate-keys", "").await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    let keys = client.admin(Method::POST, "/rotate-keys", r#"{"keep_old": false}"#).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);

    client.admin(Method::POST, "/rotate-token", "").await;
    client.admin(Method::POST, "/lifetime", r#"{"seconds": 9}"#).await;
    assert_eq!(client.exchange().await.json()["expires_in"], 9);
    let token = client.access_token().await;
    assert_eq!(client.call(&token, "/v1/models", None).await.status, 200);
    let nothing = client.admin(Method::POST, "/revoke", r#"{"generation": 99}"#).await;
    assert_eq!(nothing.json(), json!({"revoked": 0}));
    client.admin(Method::POST, "/revoke", "").await;
    assert_eq!(client.call(&token, "/v1/models", None).await.json()["error"]["code"], "token_revoked");
    let token = client.access_token().await;
    client.admin(Method::POST, "/clock", r#"{"advance_seconds": 10}"#).await;
    assert_eq!(client.call(&token, "/v1/models", None).await.json()["error"]["code"], "token_expired");

    client.admin(Method::POST, "/error-shape", r#"{"shape": "nested"}"#).await;
    sandbox.write_raw(b"x").unwrap();
    assert_eq!(client.exchange().await.json()["error"]["code"], "invalid_subject_token");
}

#[tokio::test]
async fn bad_input_is_told_what_is_allowed() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let cases = [
        ("/faults", r#"{"service": "moon", "fault": {"kind": "stall"}}"#, "`issuer`, `exchange`, `upstream`"),
        ("/faults", r#"{"service": "exchange", "fault": {"kind": "boom"}}"#, "`close_midway`"),
        ("/faults", r#"{"service": "exchange", "fault": {"kind": "status", "status": 99}}"#, "200 to 599"),
        ("/faults", r#"{"service": "exchange", "fault": {"kind": "status"}}"#, "`status`"),
        (
            "/faults",
            r#"{"service": "exchange", "fault": {"kind": "html", "status": 5}}"#,
            "unknown field `status`",
        ),
        (
            "/faults",
            r#"{"service": "exchange", "fault": {"kind": "delay", "ms": 1, "then": {"kind": "stall", "ms": 5}}}"#,
            "unknown field `ms`",
        ),
        (
            "/faults",
            r#"{"service": "exchange", "fault": {"kind": "drip", "bytes": 0, "pause_ms": 1}}"#,
            "1 or more",
        ),
        (
            "/faults",
            r#"{"service": "exchange", "fault": {"kind": "redirect", "location": "/", "status": 200}}"#,
            "307",
        ),
        (
            "/faults",
            r#"{"service": "exchange", "fault": {"kind": "redirect", "location": "a\nb"}}"#,
            "visible ASCII",
        ),
        ("/faults", r#"{"service": "exchange", "fault": {"kind": "stall"}, "time": 1}"#, "`times`"),
        ("/faults", r#"{"service": "exchange", "fault": {"kind": "stall"}, "times": 0}"#, "1 or more"),
        ("/faults", "", "EOF"),
        ("/lifetime", r#"{"seconds": -1}"#, "u64"),
        ("/lifetime", "{}", "`seconds`"),
        ("/token-file", "{}", "`content`"),
        ("/rotate-keys", r#"{"keep": true}"#, "`keep_old`"),
        ("/error-shape", r#"{"shape": "round"}"#, "`flat` or `nested`"),
    ];
    for (path, body, words) in cases {
        let reply = client.admin(Method::POST, path, body).await;
        let answer = reply.json();
        assert_eq!(reply.status, 400, "{path} {body}: {answer}");
        assert!(answer["message"].as_str().unwrap().contains(words), "{path} {body}: {answer} lacks {words}");
        assert!(answer["example"].is_object(), "{answer}");
    }
    let query = client.admin(Method::DELETE, "/faults?service=moon", "").await;
    assert_eq!(query.status, 400);
    assert!(query.text().contains("?service=upstream"));
    let unknown = client.admin(Method::PUT, "/state", "").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["allowed"].as_array().unwrap().contains(&json!("GET /state")));
}

#[tokio::test]
async fn web_pages_are_kept_out() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let rebound = Request::get("/state").header("host", "evil.example:80").body(full("")).unwrap();
    assert_eq!(client.admin_raw(rebound).await.status, 403);
    let page =
        Request::post("/shutdown").header("host", "localhost").header("origin", "https://evil.example");
    assert_eq!(client.admin_raw(page.body(full("")).unwrap()).await.status, 403);
    let v6 = Request::get("/state").header("host", "[::1]:80").body(full("")).unwrap();
    assert_eq!(client.admin_raw(v6).await.status, 200);
}

#[tokio::test]
async fn shutdown_is_answered_and_told() {
    let sandbox = start().await;
    let reply = Client::new(&sandbox).admin(Method::POST, "/shutdown", "").await;
    assert_eq!(reply.json(), json!({"stopping": true}));
    in_time(sandbox.shutdown_requested()).await;
    in_time(sandbox.stop()).await;
}
