//! Codex's side of the token endpoint.

use http::Method;
use keyless_sandbox::{Options, Sandbox, ServiceName};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::{Client, Reply};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

async fn trade(client: &Client<'_>, fields: &[(&str, &str)]) -> Reply {
    let pair =
        |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    let body = fields.iter().map(pair).collect::<Vec<_>>().join("&");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    client.send_with(ServiceName::Exchange, Method::POST, "/oauth/token", &headers, &body).await
}

#[tokio::test]
async fn an_assertion_for_a_workspace() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let token = std::fs::read_to_string(sandbox.token_path()).unwrap();
    let labels = r#"{"instance_id":"i","display_name":"d","labels":{"k":"v"}}"#;
    for context in [None, Some(labels)] {
        let mut fields = vec![
            ("grant_type", GRANT),
            ("assertion", token.as_str()),
            ("federation_rule_id", "idpm_sandbox"),
        ];
        fields.extend(context.map(|context| ("workload_identity_context", context)));
        let reply = trade(&client, &fields).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let granted = reply.json();
        assert_eq!(
            (&granted["chatgpt_account_id"], &granted["expires_in"]),
            (&json!("acct_sandbox"), &json!(3_600))
        );
        assert_eq!(
            client.call(granted["access_token"].as_str().unwrap(), "/v1/models", None).await.status,
            200
        );
    }
    let recorded = &sandbox.exchanges()[1].body;
    assert_eq!(recorded["workload_identity_context"], labels);
    assert_eq!(recorded["assertion"]["claims"]["sub"], "system:serviceaccount:default:app");
    assert!(!sandbox.state()["requests"].to_string().contains(&token));
}

#[tokio::test]
async fn refused_assertions() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let token = std::fs::read_to_string(sandbox.token_path()).unwrap();
    let long = "x".repeat(16 * 1024 + 1);
    let long_context = format!(r#"{{"instance_id":"{}"}}"#, "i".repeat(129));
    let cases = [
        ("assertion", "", "invalid_request"),
        ("assertion", "x", "invalid_grant"),
        ("assertion", long.as_str(), "invalid_grant"),
        ("federation_rule_id", "", "invalid_request"),
        ("federation_rule_id", "idpm_other", "invalid_grant"),
        ("federation_rule_id", "idpm_sandbox_gcp", "invalid_grant"),
        ("identity_provider_id", "idp_sandbox", "invalid_request"),
        ("workload_identity_context", "x", "invalid_grant"),
        ("workload_identity_context", "{}", "invalid_grant"),
        ("workload_identity_context", r#"{"instance_id":"i","other":1}"#, "invalid_grant"),
        ("workload_identity_context", &long_context, "invalid_grant"),
    ];
    for (name, value, code) in cases {
        let mut fields: Vec<(&str, &str)> =
            vec![("grant_type", GRANT), ("assertion", &token), ("federation_rule_id", "idpm_sandbox")];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        let reply = trade(&client, &fields).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!(code)), "{name} {value}");
    }
    let mut claims = sandbox.claims();
    claims.lifetime = std::time::Duration::from_secs(86_401);
    let long_lived = sandbox.issue(&claims).unwrap();
    claims.lifetime = std::time::Duration::from_secs(600);
    claims.overrides.insert("sub".to_owned(), Value::from("system:serviceaccount:default:other"));
    let foreign = sandbox.issue(&claims).unwrap();
    for (token, words) in [(long_lived, "lifetime"), (foreign, "does not match")] {
        let fields = [("grant_type", GRANT), ("assertion", &token), ("federation_rule_id", "idpm_sandbox")];
        let reply = trade(&client, &fields).await;
        assert!(reply.status == 400 && reply.text().contains(words), "{}", reply.text());
    }
}
