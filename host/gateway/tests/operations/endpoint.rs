//! The token endpoint over real sockets.

use std::time::Duration;

use crate::stand_in::{CANARY, Held, address, ask, config, connections, gateway, get, json, request};
use http::{HeaderName, HeaderValue, Method, Uri};
use keyless_gateway::{Credential, Gateway};
use serde_json::{Map, Value, json};

fn serving(held: &[(&str, &std::sync::Arc<Held>)], endpoint: Value) -> (Gateway, String) {
    let mut gateway = gateway([]);
    gateway.apply(&config(json!({"endpoint": {"x": endpoint}})), &connections(held)).unwrap();
    let address = address(&gateway, "endpoint.x");
    (gateway, address)
}

#[tokio::test]
async fn a_credential_comes_with_all_that_its_user_needs() {
    let held = Held::new("idle");
    held.hold(3);
    let directory = tempfile::tempdir().unwrap();
    let listen = format!("unix:{}", directory.path().join("s").display());
    let (_gateway, address) = serving(&[("open ai", &held)], json!({"listen": listen}));
    let answer = ask(&address, get("/v1/credential/open%20ai")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["content-type"], "application/json");
    let record = json(&answer);
    assert_eq!(
        record["headers"],
        json!({"authorization": format!("Bearer {CANARY}-3"), "openai-project": "proj_1"})
    );
    assert_eq!(record["token"], format!("{CANARY}-3"));
    assert_eq!(record["base_url"], "https://api.example/v1");
    assert_eq!(record["generation"], 3);
    for moment in ["renew_at", "expires_at"] {
        assert!(record[moment].as_str().unwrap().ends_with('Z'), "{record}");
    }
    assert!(record["renew_at"].as_str() < record["expires_at"].as_str());
    let [patience] = held.waited()[..] else { panic!("one request") };
    assert!(patience > Duration::ZERO && patience <= Duration::from_secs(15), "{patience:?}");

    let head = ask(&address, request(&Method::HEAD, "/v1/credential/open%20ai", "")).await;
    assert_eq!((head.status().as_u16(), head.body().as_str()), (200, ""));
}

#[tokio::test]
async fn what_does_not_apply_is_left_out() {
    let held = Held::new("idle");
    let key = (HeaderName::from_static("x-api-key"), HeaderValue::from_static(CANARY));
    held.hold_this(Credential::new(vec![key], Uri::from_static("https://api.example"), 1, None, None));
    let (_gateway, address) = serving(&[("a", &held)], json!({"listen": "127.0.0.1:0"}));
    assert_eq!(
        json(&ask(&address, get("/v1/credential/a")).await),
        json!({"headers": {"x-api-key": CANARY}, "base_url": "https://api.example/", "generation": 1})
    );
}

#[tokio::test]
async fn without_a_credential_it_says_why_and_when_to_come_again() {
    let held = Held::new("acquiring");
    held.lose("exchange-refused", "the token endpoint refused; compare the audience");
    let (_gateway, address) = serving(&[("a", &held)], json!({"listen": "127.0.0.1:0"}));
    let answer = ask(&address, get("/v1/credential/a")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "7");
    assert_eq!(json(&answer)["error"]["code"], "exchange-refused");
    assert_eq!(json(&answer)["error"]["message"], "the token endpoint refused; compare the audience");
}

#[tokio::test]
async fn an_unknown_name_is_told_the_known_ones_and_others_are_not_served() {
    let held = Held::new("idle");
    held.hold(1);
    let served = json!({"listen": "127.0.0.1:0", "connections": ["a", "b"]});
    let (_gateway, address) = serving(&[("a", &held), ("b", &held), ("c", &held)], served);
    for path in ["/v1/credential/c", "/v1/credential/c/rejected"] {
        let answer = ask(&address, get(path)).await;
        assert_eq!(answer.status(), 404);
        assert_eq!(json(&answer)["error"]["code"], "endpoint-connection");
        assert!(json(&answer)["error"]["message"].as_str().unwrap().ends_with("there are: a, b"));
    }
    let answer = ask(&address, get("/v1/credentials/a")).await;
    assert_eq!(
        (answer.status().as_u16(), json(&answer)["error"]["code"].as_str()),
        (404, Some("endpoint-path"))
    );
    let answer = ask(&address, request(&Method::POST, "/v1/credential/a", "")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["allow"]),
        (405, &HeaderValue::from_static("GET, HEAD"))
    );
    let answer = ask(&address, get("/v1/credential/a/rejected")).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["allow"]),
        (405, &HeaderValue::from_static("POST"))
    );
}

#[tokio::test]
async fn a_rejected_generation_reaches_the_connection() {
    let held = Held::new("idle");
    held.hold(3);
    let (_gateway, address) = serving(&[("a", &held)], json!({"listen": "127.0.0.1:0"}));
    let answer =
        ask(&address, request(&Method::POST, "/v1/credential/a/rejected", r#"{"generation": 3}"#)).await;
    assert_eq!((answer.status().as_u16(), answer.body().as_str()), (204, ""));
    let long = format!(r#"{{"generation": 3, "x": "{}"}}"#, "x".repeat(2000));
    for (body, status) in [("", 400), ("3", 400), (r#"{"generation": -3}"#, 400), ("{}", 400), (&long, 413)] {
        let answer = ask(&address, request(&Method::POST, "/v1/credential/a/rejected", body)).await;
        assert_eq!(answer.status(), status, "{}", answer.body());
        assert_eq!(json(&answer)["error"]["code"], "endpoint-body");
    }
    assert_eq!(held.rejected(), [3]);
}

/// External Secrets' webhook generator sends a GET with headers from a template. It takes a 2xx answer
/// as JSON, goes to `result.jsonPath`, wants an object there, and makes each member a key of the Secret: a text as it is, a
/// number in digits, an object as JSON (GetSecretMap in pkg/common/webhook of external-secrets). Of a text it wants JSON again,
/// so `$.token` is for its webhook *provider*.
#[tokio::test]
async fn external_secrets_webhook_generator_gets_its_keys() {
    let held = Held::new("idle");
    held.hold(3);
    let directory = tempfile::tempdir().unwrap();
    let bearer = directory.path().join("bearer");
    std::fs::write(&bearer, "0123456789abcdef").unwrap();
    let endpoint = json!({"listen": "127.0.0.1:0", "access": {"bearer_file": bearer}});
    let (_gateway, address) = serving(&[("a", &held)], endpoint);
    let mut request = get("/v1/credential/a");
    *request.uri_mut() = format!("http://{address}/v1/credential/a").parse().unwrap();
    for (name, value) in [
        ("host", "keyless.keyless.svc:8081"),
        ("user-agent", "Go-http-client/1.1"),
        ("content-type", "application/json"),
        ("accept-encoding", "gzip"),
    ] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    assert_eq!(ask(&address, request.clone()).await.status(), 401);
    request.headers_mut().insert("authorization", HeaderValue::from_static("Bearer 0123456789abcdef"));
    let answer = ask(&address, request).await;
    assert_eq!(answer.status(), 200);

    let keys = |object: &Value| -> Map<String, Value> {
        let members = object.as_object().expect("the generator wants an object").iter();
        members.map(|(key, value)| (key.clone(), secret_value(value))).collect()
    };
    let whole = keys(&json(&answer));
    assert_eq!(whole["token"], format!("{CANARY}-3"));
    assert_eq!(whole["generation"], "3");
    assert!(!whole.values().any(|value| value == ""), "older versions stop at null");
    let headers = keys(&json(&answer)["headers"]);
    assert_eq!(headers["authorization"], format!("Bearer {CANARY}-3"));
    // Kubernetes' rule for the keys of a Secret.
    let allowed =
        |key: &String| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    assert!(whole.keys().chain(headers.keys()).all(allowed));
}

fn secret_value(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text),
        Value::Null => json!(""),
        other => json!(other.to_string()),
    }
}
