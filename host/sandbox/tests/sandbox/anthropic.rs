//! Anthropic: what the token endpoint grants and refuses, and for whom the API opens.

use http::Method;
use keyless_sandbox::{Options, Sandbox, ServiceName};
use serde_json::{Value, json};

use crate::client::{Client, Headers, Reply};

const BETA: (&str, &str) = ("anthropic-beta", "oauth-2025-04-20,oidc-federation-2026-04-01");
const JSON: (&str, &str) = ("content-type", "application/json");
const VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");
const TOKEN_BETA: (&str, &str) = ("anthropic-beta", "oauth-2025-04-20");

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

fn body(sandbox: &Sandbox) -> Value {
    json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": std::fs::read_to_string(sandbox.token_path()).unwrap(),
        "federation_rule_id": "fdrl_sandbox",
        "organization_id": "6f1e0d2c-3b4a-4958-8776-655443322110",
        "service_account_id": "svac_sandbox",
        "workspace_id": "default",
    })
}

async fn trade(client: &Client<'_>, headers: Headers<'_>, body: &Value) -> Reply {
    let path = "/v1/oauth/token";
    client.send_with(ServiceName::Anthropic, Method::POST, path, headers, &body.to_string()).await
}

async fn call(client: &Client<'_>, headers: Headers<'_>, body: &Value) -> Reply {
    client.send_with(ServiceName::Anthropic, Method::POST, "/v1/messages", headers, &body.to_string()).await
}

fn question() -> Value {
    json!({"model": "claude-x", "max_tokens": 16, "messages": [{"role": "user", "content": "Hi there"}]})
}

#[tokio::test]
async fn a_token_opens_the_api() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let granted = trade(&client, &[BETA, JSON], &body(&sandbox)).await;
    assert_eq!((granted.status.as_u16(), granted.header("cache-control")), (200, "no-store"));
    let granted = granted.json();
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("Bearer"), &json!(3_600)));
    let token = granted["access_token"].as_str().unwrap();
    assert!(token.starts_with("sk-ant-oat01-"), "{token}");
    assert_eq!(
        sandbox.requests(ServiceName::Anthropic)[0].body["assertion"]["claims"]["aud"][0],
        Options::default().audience
    );
    assert!(!sandbox.state()["requests"].to_string().contains(token));

    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), TOKEN_BETA, VERSION];
    let message = call(&client, &headers, &question()).await.json();
    assert_eq!((&message["type"], &message["stop_reason"]), (&json!("message"), &json!("end_turn")));
    let text = message["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("token number 1") && text.contains("Hi there"), "{text}");

    let mut streamed = question();
    streamed["stream"] = true.into();
    let stream = call(&client, &headers, &streamed).await;
    assert_eq!(stream.header("content-type"), "text/event-stream; charset=utf-8");
    assert!(stream.pieces.len() > 5, "it came in {} pieces", stream.pieces.len());
    let events: Vec<Value> = stream
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let pieces: String = events.iter().filter_map(|event| event["delta"]["text"].as_str()).collect();
    assert_eq!(pieces, text);
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    for (event, name) in
        events.iter().zip(stream.text().lines().filter_map(|line| line.strip_prefix("event: ")))
    {
        assert_eq!(event["type"], name);
    }

    let models = client.get_with(ServiceName::Anthropic, "/v1/models", &headers).await;
    assert_eq!(models.json()["data"][0]["type"], "model");
    assert_eq!(client.call(token, "/v1/models", None).await.status, 401, "the other vendor takes it");
    sandbox.revoke_all();
    assert_eq!(call(&client, &headers, &question()).await.status, 401);
}

#[tokio::test]
async fn who_is_kept_out_of_the_api() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let token = trade(&client, &[BETA, JSON], &body(&sandbox)).await.json();
    let token = token["access_token"].as_str().unwrap();
    let (bearer, key) = (format!("Bearer {token}"), sandbox.anthropic_api_key());
    let key_as_bearer = format!("Bearer {key}");
    let openai = format!("Bearer {}", client.access_token().await);

    assert_eq!(call(&client, &[("x-api-key", key), VERSION], &question()).await.status, 200);
    let refused: [(Headers<'_>, u16, &str); 8] = [
        (&[VERSION], 401, "x-api-key header is required"),
        (&[("x-api-key", token), VERSION], 401, "invalid x-api-key"),
        (&[("x-api-key", sandbox.api_key()), VERSION], 401, "invalid x-api-key"),
        (&[("authorization", &bearer), VERSION], 401, "OAuth authentication"),
        (&[("authorization", &key_as_bearer), TOKEN_BETA, VERSION], 401, "Invalid bearer"),
        (&[("authorization", &openai), TOKEN_BETA, VERSION], 401, "Invalid bearer"),
        (&[("authorization", &bearer), TOKEN_BETA], 400, "anthropic-version"),
        (&[("authorization", token), TOKEN_BETA, VERSION], 401, "x-api-key header is required"),
    ];
    for (headers, status, words) in refused {
        let reply = call(&client, headers, &question()).await;
        let error = reply.json();
        assert_eq!((reply.status.as_u16(), &error["type"]), (status, &json!("error")), "{headers:?}");
        assert_eq!(error["request_id"], reply.header("request-id"));
        assert!(error["error"]["message"].as_str().unwrap().contains(words), "{headers:?}: {error}");
    }
    for name in ["model", "max_tokens", "messages"] {
        let mut question = question();
        question.as_object_mut().unwrap().remove(name);
        let reply = call(&client, &[("x-api-key", key), VERSION], &question).await;
        assert!(reply.status == 400 && reply.text().contains(name), "{}", reply.text());
    }
    sandbox.advance_clock(std::time::Duration::from_secs(3_601));
    let late = call(&client, &[("authorization", &bearer), TOKEN_BETA, VERSION], &question()).await;
    assert!(late.status == 401 && late.text().contains("expired"), "{}", late.text());
}

#[tokio::test]
async fn what_the_token_endpoint_refuses() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let cases = [
        ("grant_type", json!("client_credentials"), "unsupported_grant_type"),
        ("grant_type", Value::Null, "invalid_request"),
        ("assertion", Value::Null, "invalid_request"),
        ("assertion", json!("x".repeat(16 * 1024 + 1)), "invalid_request"),
        ("assertion", json!("not a token"), "invalid_grant"),
        ("federation_rule_id", json!(7), "invalid_request"),
        ("federation_rule_id", json!("fdrl_other"), "invalid_grant"),
        ("federation_rule_id", json!("fdrl_sandbox_azure"), "invalid_grant"),
        ("organization_id", json!(""), "invalid_request"),
        ("organization_id", json!("other"), "invalid_grant"),
        ("service_account_id", json!("svac_other"), "invalid_grant"),
        ("service_account_id", json!(""), "invalid_request"),
        ("workspace_id", json!("wrkspc_other"), "invalid_grant"),
        ("audience", json!("x"), "invalid_request"),
    ];
    for (name, value, code) in cases {
        let mut body = body(&sandbox);
        body[name] = value;
        let reply = trade(&client, &[BETA, JSON], &body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!(code)), "{name}");
    }
    let headers: [Headers<'_>; 5] = [
        &[JSON],
        &[JSON, TOKEN_BETA],
        &[BETA],
        &[BETA, JSON, ("authorization", "Bearer x")],
        &[BETA, JSON, ("x-api-key", "x")],
    ];
    for headers in headers {
        let reply = trade(&client, headers, &body(&sandbox)).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (400, &json!("invalid_request")),
            "{headers:?}"
        );
    }
    let mut other = sandbox.claims();
    other.namespace = "other".to_owned();
    sandbox.write_token(&other).unwrap();
    assert_eq!(trade(&client, &[BETA, JSON], &body(&sandbox)).await.json()["error"], "invalid_grant");
    assert_eq!(client.get(ServiceName::Anthropic, "/v1/oauth/token").await.status, 405);
}
