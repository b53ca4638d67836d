//! Who is let in, and what is refused.

use std::os::unix::fs::PermissionsExt as _;

use http::{Method, Request};
use keyless_sandbox::ServiceName;
use serde_json::{Value, json};

use super::{Admin, PROJECT, granted, refused, start, text};
use crate::client::{Client, Reply, SentBody, chunked, full};

#[tokio::test]
async fn the_admin_key_alone_opens_it() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let minted = text(&admin.create("a").await["api_key"]["value"]);
    let access_token = admin.client.access_token().await;
    let path = format!("{PROJECT}/service_accounts");
    let ask = async |bearer: &str, body: Option<&Value>| admin.client.call(bearer, &path, body).await;

    let missing = admin.client.get(ServiceName::Upstream, &path).await;
    refused(&missing, 401, "didn't provide an API key");
    for bearer in ["sk-admin-x", &access_token] {
        let reply = ask(bearer, None).await;
        refused(&reply, 401, "Incorrect API key");
        assert_eq!(reply.json()["error"]["code"], "invalid_api_key");
    }
    for bearer in [sandbox.api_key(), &minted] {
        for (body, scope) in
            [(None, "api.management.read"), (Some(json!({"name": "b"})), "api.management.write")]
        {
            let reply = ask(bearer, body.as_ref()).await;
            assert_eq!(reply.status, 403);
            // A bare sentence, and not an object.
            assert!(reply.json()["error"].as_str().unwrap().contains(&format!("Missing scopes: {scope}.")));
        }
    }
    granted(&ask(&admin.key, None).await);
    assert_eq!(sandbox.service_accounts().accounts.len(), 1, "a refused creation did something");
    assert_eq!(sandbox.service_accounts().accounts[0].uses, 0, "the Admin API is not the API");
    let elsewhere = admin.client.call(&admin.key, "/v1/models", None).await;
    refused(&elsewhere, 401, "Incorrect API key");
}

#[tokio::test]
async fn the_admin_key_can_be_replaced() {
    let sandbox = start().await;
    let file = sandbox.openai_admin_key_path();
    let mode = || std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    let before = Admin::of(&sandbox);
    assert!(before.key.starts_with("sk-admin-") && before.key.len() > 60, "{}", before.key.len());
    assert_eq!(mode(), 0o600);

    let switched = before.client.admin(Method::POST, "/rotate-openai-admin-key", "").await;
    assert_eq!(switched.json(), json!({"openai_admin_key_file": file}));
    let after = Admin::of(&sandbox);
    assert_ne!(before.key, after.key);
    assert_eq!(mode(), 0o600);
    refused(&before.list("").await, 401, "Incorrect API key");
    granted(&after.list("").await);

    sandbox.rotate_openai_admin_key().unwrap();
    refused(&after.list("").await, 401, "Incorrect API key");
    granted(&Admin::of(&sandbox).list("").await);
    assert_ne!(after.key, Admin::of(&start().await).key, "the key is the same in every run");
}

#[tokio::test]
async fn a_creation_is_read_strictly() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let bodies = [
        (json!({}), json!("name"), "Missing required parameter: 'name'"),
        (json!({"name": null}), json!("name"), "Missing required parameter: 'name'"),
        (json!({"name": ""}), json!("name"), "not empty"),
        (json!({"name": 7}), json!("name"), "a string"),
        (json!({"name": "a", "role": "member"}), Value::Null, "supplied: role"),
        (
            json!({"name": "a", "create_service_account_only": "yes"}),
            json!("create_service_account_only"),
            "boolean",
        ),
        (json!({"name": "a", "expires_in_seconds": 0}), json!("expires_in_seconds"), "1 to 31536000"),
        (
            json!({"name": "a", "expires_in_seconds": 31_536_001}),
            json!("expires_in_seconds"),
            "1 to 31536000",
        ),
        (
            json!({"name": "a", "create_service_account_only": true, "expires_in_seconds": 1}),
            json!("expires_in_seconds"),
            "no key is made",
        ),
        (json!([]), Value::Null, "could not parse"),
    ];
    for (body, param, words) in bodies {
        let reply = admin.call(Method::POST, "service_accounts", Some(&body)).await;
        refused(&reply, 400, words);
        assert_eq!(reply.json()["error"]["param"], param, "{body}");
    }
    let queried = admin.call(Method::POST, "service_accounts?x=1", Some(&json!({"name": "a"}))).await;
    refused(&queried, 400, "no query parameters");

    let good = json!({"name": "a"}).to_string();
    let send = async |media_type: Option<&str>, body: SentBody| -> Reply {
        let mut request = Request::post(format!("{PROJECT}/service_accounts"))
            .header("host", format!("localhost:{}", sandbox.port(ServiceName::Upstream)))
            .header("authorization", format!("Bearer {}", admin.key));
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        admin.client.send(ServiceName::Upstream, request.body(body).unwrap()).await.unwrap()
    };
    let json_type = Some("application/json; charset=utf-8");
    refused(&send(json_type, chunked(good.clone())).await, 411, "Content-Length");
    refused(&send(Some("text/plain"), full(good.clone())).await, 415, "application/json");
    refused(&send(None, full(good.clone())).await, 415, "application/json");
    refused(&send(json_type, full("{")).await, 400, "could not parse");
    assert_eq!(sandbox.service_accounts().accounts, []);
    granted(&send(json_type, full(good)).await);
}

#[tokio::test]
async fn a_key_is_read_strictly() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let path = format!("service_accounts/{}/api_keys", text(&admin.create("a").await["id"]));
    for (body, words) in [
        (json!({"name": 7}), "a string"),
        (json!({"scopes": "all"}), "array of strings"),
        (json!({"scopes": [1]}), "array of strings"),
        (json!({"expires_in_seconds": "1"}), "1 to 31536000"),
        (json!({"owner": "x"}), "supplied: owner"),
    ] {
        refused(&admin.call(Method::POST, &path, Some(&body)).await, 400, words);
    }
    refused(&admin.call(Method::POST, &format!("{path}?x=1"), None).await, 400, "no query parameters");
    assert_eq!(sandbox.service_accounts().accounts[0].keys, 1);
}

/// Every call, under a project: method, path, body.
fn calls(id: &str) -> Vec<(Method, String, &'static str)> {
    vec![
        (Method::POST, "service_accounts".to_owned(), r#"{"name":"a"}"#),
        (Method::GET, "service_accounts".to_owned(), ""),
        (Method::GET, format!("service_accounts/{id}"), ""),
        (Method::POST, format!("service_accounts/{id}/api_keys"), ""),
        (Method::GET, "api_keys".to_owned(), ""),
        (Method::DELETE, "api_keys/key_sandbox".to_owned(), ""),
        (Method::DELETE, format!("service_accounts/{id}"), ""),
    ]
}

#[tokio::test]
async fn the_project_must_be_there_and_not_archived() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let id = text(&admin.create("a").await["id"]);
    let authorization = format!("Bearer {}", admin.key);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    for (project, status, words) in [
        ("proj_other", 404, "'proj_other'"),
        ("proj_sandbox_archived", 400, "archived"),
        ("proj_sandbox", 200, ""),
    ] {
        for (method, path, body) in calls(&id) {
            let path = format!("/v1/organization/projects/{project}/{path}");
            let reply = admin.client.send_with(ServiceName::Upstream, method, &path, &headers, body).await;
            if status == 200 {
                granted(&reply);
            } else {
                refused(&reply, status, words);
            }
        }
    }
    assert_eq!(sandbox.service_accounts().alive, 1, "{:?}", sandbox.service_accounts());
}

#[tokio::test]
async fn queries_bodies_and_paths_that_are_none() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let id = text(&admin.create("a").await["id"]);
    for list in ["service_accounts", "api_keys"] {
        for (query, words) in [
            ("limit=0", "1 to 100"),
            ("limit=101", "1 to 100"),
            ("limit=-1", "1 to 100"),
            ("limit=many", "1 to 100"),
            ("after=nobody", "No object"),
            ("after=", "No object"),
            ("order=desc", "'order'"),
            ("limit=1&limit=2", "comes twice"),
            ("limit", "no `=`"),
        ] {
            refused(&admin.call(Method::GET, &format!("{list}?{query}"), None).await, 400, words);
        }
        refused(&admin.call(Method::GET, list, Some(&json!({}))).await, 400, "no body");
    }
    let account = format!("service_accounts/{id}");
    for method in [Method::GET, Method::DELETE] {
        refused(&admin.call(method.clone(), &account, Some(&json!({}))).await, 400, "no body");
        refused(&admin.call(method, &format!("{account}?x=1"), None).await, 400, "no query parameters");
    }
    for (method, path) in [
        (Method::PUT, account.clone()),
        (Method::POST, format!("{account}/")),
        (Method::GET, format!("{account}/api_keys/key_sandbox")),
        (Method::GET, "service_accounts/".to_owned()),
        (Method::DELETE, "service_accounts".to_owned()),
        (Method::POST, "api_keys".to_owned()),
        (Method::GET, "users".to_owned()),
    ] {
        let reply = admin.call(method, &path, None).await;
        refused(&reply, 404, "Invalid URL");
        assert_eq!(reply.json()["error"]["code"], "unknown_url", "{path}");
    }
    let records = sandbox.requests(ServiceName::Upstream);
    assert!(records.iter().all(|record| record.status.is_some()), "{records:?}");
    assert_eq!(sandbox.service_accounts().alive, 1);
}

#[tokio::test]
async fn records_hold_no_key() {
    let sandbox = start().await;
    let admin = Admin::over(Client::http2(&sandbox));
    let minted = text(&admin.create("a").await["api_key"]["value"]);
    admin.client.call(&minted, "/v1/models", None).await;
    let keys = admin.call(Method::GET, "api_keys", None).await;
    let view = admin.client.admin(Method::GET, "/service-accounts", "").await;
    for shown in [sandbox.state().to_string(), keys.text(), view.text(), sandbox.announce()] {
        assert!(!shown.contains(&minted) && !shown.contains(&admin.key), "{shown}");
    }
    let record = &sandbox.requests(ServiceName::Upstream)[0];
    assert_eq!((record.method.as_str(), &record.body), ("POST", &json!({"name": "a"})));
    assert!(record.header("authorization").unwrap().starts_with("Bearer sha256:"));
}
