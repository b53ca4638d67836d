//! The token endpoint: what it grants, what it refuses, and how it says so.

use std::time::Duration;

use http::Method;
use keyless_sandbox::{ErrorShape, Mapping, Options, Sandbox, ServiceName};
use serde_json::{Value, json};

use crate::client::{Client, Reply, chunked, full};

async fn start() -> Sandbox {
    Sandbox::start(Options::default()).await.unwrap()
}

#[tokio::test]
async fn a_good_exchange_over_either_version() {
    let sandbox = start().await;
    for (number, client) in [Client::new(&sandbox), Client::http2(&sandbox)].into_iter().enumerate() {
        let reply = client.exchange().await;
        assert_eq!((reply.status.as_u16(), reply.version), (200, client.version));
        assert_eq!(reply.header("cache-control"), "no-store");
        assert!(reply.header("x-request-id").starts_with("req_"));
        let body = reply.json();
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert_eq!(body["scope"], "api.model.read api.model.request");
        assert_eq!(body["sandbox_generation"], number + 1);
        assert_eq!(body["access_token"].as_str().unwrap().len(), 1_200);
        let expires_in = body["expires_in"].as_u64().unwrap();
        assert!((3_590..=3_600).contains(&expires_in), "{expires_in}");
    }
    assert_eq!(sandbox.tokens_issued(), 2);
}

#[tokio::test]
async fn records_show_everything_but_the_secret() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let token = std::fs::read_to_string(sandbox.token_path()).unwrap();
    client.exchange().await;
    let access_token = client.access_token().await;
    client.call(&access_token, "/v1/models", None).await;

    let records = sandbox.exchanges();
    assert_eq!(records.len(), 2);
    let first = &records[0];
    assert_eq!(
        (first.method.as_str(), first.path.as_str(), first.status),
        ("POST", "/oauth/token", Some(200))
    );
    assert_eq!((first.number, first.version.as_str()), (1, "HTTP/1.1"));
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.body["subject_token"]["claims"]["sub"], "system:serviceaccount:default:app");
    assert_eq!(first.body["subject_token"]["length"], token.len());
    assert_eq!(first.body["subject_token"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(first.body["identity_provider_id"], "idp_sandbox");

    let shown = sandbox.state().to_string();
    assert!(!shown.contains(&token), "the subject token is in the records");
    assert!(!shown.contains(token.rsplit('.').next().unwrap()), "its signature is in the records");
    assert!(!shown.contains(&access_token), "the access token is in the records");
    let upstream = &sandbox.requests(ServiceName::Upstream)[0];
    assert!(upstream.header("authorization").unwrap().starts_with("Bearer sha256:"));
    assert_eq!(upstream.header("openai-organization"), Some("org-test"));
}

#[tokio::test]
async fn the_subject_token_caps_the_lifetime() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let mut claims = sandbox.claims();
    claims.age = Duration::from_secs(3_000);
    sandbox.write_token(&claims).unwrap();
    let expires_in = client.exchange().await.json()["expires_in"].as_u64().unwrap();
    assert!((590..=600).contains(&expires_in), "{expires_in}");

    sandbox.rotate_token().unwrap();
    sandbox.set_access_token_lifetime(Duration::from_secs(7));
    assert_eq!(client.exchange().await.json()["expires_in"], 7);
}

#[tokio::test]
async fn tolerated_variations() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let variations: [(&str, Value); 3] = [
        ("subject_token_type", json!("urn:ietf:params:oauth:token-type:id_token")),
        ("client_id", json!("app")),
        ("scope", json!("everything")),
    ];
    for (name, value) in variations {
        let mut body = client.exchange_body();
        body[name] = value;
        let reply = client.post_json(ServiceName::Exchange, "/oauth/token", &body).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
    }
    // One trailing slash of the issuer does not matter, and the audience may be plain text.
    for (name, value) in
        [("iss", json!(format!("{}/", sandbox.issuer_url()))), ("aud", json!("https://api.openai.com/v1"))]
    {
        let mut claims = sandbox.claims();
        claims.overrides.insert(name.to_owned(), value);
        sandbox.write_token(&claims).unwrap();
        assert_eq!(client.exchange().await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn refused_requests() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let cases: [(&str, Value, &str, &str); 16] = [
        ("grant_type", Value::Null, "invalid_request", "'grant_type'"),
        ("subject_token", Value::Null, "invalid_request", "'subject_token'"),
        ("subject_token", json!(""), "invalid_request", "'subject_token'"),
        ("subject_token_type", Value::Null, "invalid_request", "'subject_token_type'"),
        ("identity_provider_id", Value::Null, "invalid_request", "'identity_provider_id'"),
        ("service_account_id", Value::Null, "invalid_request", "'service_account_id'"),
        ("subject_token", json!(7), "invalid_request", "expected a string"),
        ("grant_type", json!("client_credentials"), "unsupported_grant_type", "grant_type"),
        ("subject_token_type", json!("jwt"), "invalid_request", "subject_token_type"),
        ("audience", json!("x"), "invalid_request", "'audience'"),
        ("resource", json!("x"), "invalid_request", "'resource'"),
        ("requested_token_type", json!("x"), "invalid_request", "'requested_token_type'"),
        ("actor_token", json!("x"), "invalid_request", "'actor_token'"),
        ("identity_provider_id", json!("idp_other"), "invalid_request", "provider was not found"),
        ("identity_provider_id", json!("../x"), "invalid_request", "provider was not found"),
        ("service_account_id", json!("svc_acct_other"), "invalid_grant", "No enabled mapping"),
    ];
    for (name, value, code, words) in cases {
        let mut body = client.exchange_body();
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value,
        }
        let reply = client.post_json(ServiceName::Exchange, "/oauth/token", &body).await;
        refused(&reply, 400, code, words);
    }
    assert_eq!(sandbox.counters(ServiceName::Exchange).answered(400), 16);
    assert_eq!(sandbox.tokens_issued(), 0);
}

#[tokio::test]
async fn refused_subject_tokens() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let overrides: [(&str, Value, &str); 10] = [
        ("iss", json!("https://elsewhere.example"), "iss is not"),
        ("iss", Value::Null, "iss is missing"),
        ("aud", json!(["https://kubernetes.default.svc"]), "aud is not"),
        ("aud", Value::Null, "aud is missing"),
        ("sub", Value::Null, "sub is missing"),
        ("sub", json!(""), "sub is missing"),
        ("exp", Value::Null, "exp is missing"),
        ("exp", json!(1_000_000_000), "has expired"),
        ("iat", Value::Null, "iat is missing"),
        ("nbf", json!(9_000_000_000_u64), "not valid yet"),
    ];
    for (name, value, words) in overrides {
        let mut claims = sandbox.claims();
        claims.overrides.insert(name.to_owned(), value);
        sandbox.write_token(&claims).unwrap();
        refused(&client.exchange().await, 401, "invalid_subject_token", words);
    }

    let payload = json!({"sub": "system:serviceaccount:default:app"});
    let kid = sandbox.key_ids()[0].clone();
    let good = sandbox.issue(&sandbox.claims()).unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let forged = sandbox.sign(&json!({}), &payload).unwrap();
    let forged_payload = forged.split('.').nth(1).unwrap();
    let tokens: [(String, &str); 8] = [
        ("not a token".to_owned(), "not a JWT"),
        (signed.to_owned(), "not a JWT"),
        (sandbox.sign(&json!({"kid": kid}), &payload).unwrap(), "no alg"),
        (sandbox.sign(&json!({"kid": kid, "alg": "none"}), &payload).unwrap(), "alg is not supported"),
        (sandbox.sign(&json!({"kid": kid, "alg": "HS256"}), &payload).unwrap(), "alg is not supported"),
        (sandbox.sign(&json!({"alg": "ES256"}), &payload).unwrap(), "no kid"),
        (sandbox.sign(&json!({"alg": "ES256", "kid": "other"}), &payload).unwrap(), "kid is unknown"),
        (format!("{header}.{forged_payload}.{signature}"), "signature does not verify"),
    ];
    for (token, words) in tokens {
        sandbox.write_raw(token.as_bytes()).unwrap();
        refused(&client.exchange().await, 401, "invalid_subject_token", words);
    }
}

#[tokio::test]
async fn refused_forms_of_http() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    let good = client.exchange_body().to_string();
    let post = || {
        client
            .request(ServiceName::Exchange, Method::POST, "/oauth/token")
            .header("content-type", "application/json")
    };
    let send = async |request| client.send(ServiceName::Exchange, request).await.unwrap();

    refused(
        &send(post().body(chunked(good.clone())).unwrap()).await,
        411,
        "invalid_request",
        "Content-Length",
    );
    let authenticated = post().header("authorization", "Basic eDp5").body(full(good.clone())).unwrap();
    refused(&send(authenticated).await, 400, "invalid_request", "Authorization");
    refused(&send(post().body(full("{")).unwrap()).await, 400, "invalid_request", "not a JSON object");
    refused(&send(post().body(full("[]")).unwrap()).await, 400, "invalid_request", "not a JSON object");
    let form = client
        .request(ServiceName::Exchange, Method::POST, "/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(full("grant_type=x"))
        .unwrap();
    refused(&send(form).await, 415, "invalid_request", "application/json");

    let get = client.get(ServiceName::Exchange, "/oauth/token").await;
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST"));
    assert_eq!(client.get(ServiceName::Exchange, "/").await.status, 404);
    let large = send(post().body(full(vec![b' '; 1024 * 1024 + 1])).unwrap()).await;
    assert_eq!(large.status, 413);
}

#[tokio::test]
async fn both_shapes_of_a_refusal() {
    let sandbox = start().await;
    let client = Client::new(&sandbox);
    sandbox.write_raw(b"nothing").unwrap();
    assert_eq!(client.exchange().await.json()["error"], "invalid_subject_token");
    sandbox.set_error_shape(ErrorShape::Nested);
    let nested = client.exchange().await.json();
    assert_eq!(nested["error"]["code"], "invalid_subject_token");
    assert!(nested["error"]["message"].as_str().unwrap().contains("not a JWT"));
}

#[tokio::test]
async fn mappings_decide() {
    let mapping = |subject: &str, enabled| Mapping {
        service_account_id: "svc_acct_sandbox".to_owned(),
        subject: subject.to_owned(),
        enabled,
    };
    let exact = "system:serviceaccount:default:app";
    let cases = [
        (vec![mapping("system:serviceaccount:default:*", true)], 200),
        (vec![mapping("system:serviceaccount:prod:*", true)], 400),
        // A star anywhere but at the end is a letter like any other.
        (vec![mapping("system:*:default:app", true)], 400),
        (vec![mapping(exact, false)], 400),
        (vec![mapping(exact, true), mapping("system:*", true)], 400),
        (vec![mapping(exact, true), mapping("system:*", false)], 200),
    ];
    for (mappings, status) in cases {
        let shown = format!("{mappings:?}");
        let sandbox = Sandbox::start(Options { mappings, ..Options::default() }).await.unwrap();
        let reply = Client::new(&sandbox).exchange().await;
        assert_eq!(reply.status, status, "{shown}: {}", reply.text());
        if status == 400 {
            assert_eq!(reply.json()["error"], "invalid_grant");
        }
    }
}

fn refused(reply: &Reply, status: u16, code: &str, words: &str) {
    let body = reply.json();
    assert_eq!((reply.status.as_u16(), body["error"].as_str()), (status, Some(code)), "{body}");
    assert!(body["error_description"].as_str().unwrap().contains(words), "{body} lacks: {words}");
}
