//! The keys at the API, before and after the end of their accounts.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{Admin, granted, refused, start, text};
use crate::client::{Client, in_time};

/// Every kind of call, each with a body that is right.
fn calls() -> Vec<(&'static str, Option<Value>)> {
    let messages = json!([{"role": "user", "content": "x"}]);
    vec![
        ("/v1/models", None),
        ("/v1/responses", Some(json!({"model": "m", "input": "x"}))),
        ("/v1/chat/completions", Some(json!({"model": "m", "messages": messages}))),
        ("/v1/chat/completions", Some(json!({"model": "m", "messages": messages, "stream": true}))),
    ]
}

#[tokio::test]
async fn a_key_opens_the_api_until_its_account_is_deleted() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let (made, other) = (admin.create("a").await, admin.create("b").await);
    let key = text(&made["api_key"]["value"]);
    assert!(key.starts_with("sk-svcacct-") && key.len() > 100, "{}", key.len());
    let uses = || {
        let accounts = sandbox.service_accounts().accounts;
        accounts.iter().map(|account| (account.uses, account.uses_after_deletion)).collect::<Vec<_>>()
    };
    for (path, body) in calls() {
        let reply = admin.client.call(&key, path, body.as_ref()).await;
        assert_eq!(reply.status, 200, "{path}");
    }
    let reply = admin.client.call(&key, "/v1/responses", Some(&json!({"model": "m", "input": "x"}))).await;
    assert!(reply.text().contains(&format!("a key of service account {}", text(&made["id"]))));
    assert_eq!(uses(), [(5, 0), (0, 0)]);

    granted(&admin.delete(&text(&made["id"])).await);
    let nobodys = admin.client.call("sk-svcacct-x", "/v1/models", None).await;
    for (path, body) in calls() {
        let reply = admin.client.call(&key, path, body.as_ref()).await;
        assert_eq!((reply.status, reply.json()), (nobodys.status, nobodys.json()), "{path}");
    }
    assert_eq!(nobodys.json()["error"]["code"], "invalid_api_key");
    assert_eq!(uses(), [(5, 4), (0, 0)]);
    assert_eq!(admin.client.call(&text(&other["api_key"]["value"]), "/v1/models", None).await.status, 200);
    assert_eq!(uses(), [(5, 4), (1, 0)]);
    assert_eq!(Client::new(&start().await).call(&key, "/v1/models", None).await.status, 401, "another run");
}

#[tokio::test]
async fn a_key_that_was_deleted_alone() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let made = admin.create("a").await;
    let path = format!("service_accounts/{}/api_keys", text(&made["id"]));
    let second = granted(&admin.call(Method::POST, &path, None).await);
    let (first, second_text) = (text(&made["api_key"]["value"]), text(&second["value"]));
    assert_ne!(first, second_text);
    granted(&admin.call(Method::DELETE, &format!("api_keys/{}", text(&second["id"])), None).await);
    refused(&admin.client.call(&second_text, "/v1/models", None).await, 401, "Incorrect API key");
    assert_eq!(admin.client.call(&first, "/v1/models", None).await.status, 200);
    let account = &sandbox.service_accounts().accounts[0];
    assert_eq!((account.keys, account.uses, account.uses_after_deletion), (1, 1, 1));
}

#[tokio::test]
async fn keys_can_expire_and_accounts_be_without_any() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let create =
        async |body: Value| granted(&admin.call(Method::POST, "service_accounts", Some(&body)).await);
    let short = create(json!({"name": "a", "expires_in_seconds": 60})).await;
    assert_eq!(short["api_key"]["expires_at"], short["created_at"].as_u64().unwrap() + 60);
    let lasting = create(json!({"name": "b", "expires_in_seconds": null})).await;
    let alone = create(json!({"name": "c", "create_service_account_only": true})).await;
    assert_eq!((&alone["api_key"], &alone["role"]), (&Value::Null, &json!("none")));

    let status = async |made: &Value| {
        admin.client.call(&text(&made["api_key"]["value"]), "/v1/models", None).await.status.as_u16()
    };
    assert_eq!((status(&short).await, status(&lasting).await), (200, 200));
    sandbox.advance_clock(Duration::from_secs(60));
    assert_eq!((status(&short).await, status(&lasting).await), (401, 200));
    let counts = |at: usize| {
        let account = &sandbox.service_accounts().accounts[at];
        (account.keys, account.uses, account.uses_after_deletion)
    };
    assert_eq!((counts(0), counts(1), counts(2)), ((1, 1, 0), (1, 2, 0), (0, 0, 0)));
}

#[tokio::test]
async fn what_happens_can_be_waited_for() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let waiting = sandbox.wait_for_service_accounts(|record| {
        record.alive == 0 && record.accounts.first().is_some_and(|account| account.uses == 1)
    });
    let acting = async {
        let made = admin.create("a").await;
        admin.client.call(&text(&made["api_key"]["value"]), "/v1/models", None).await;
        granted(&admin.delete(&text(&made["id"])).await);
    };
    in_time(async { tokio::join!(waiting, acting) }).await;
}
