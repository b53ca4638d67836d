//! What goes wrong at the Admin API on demand: with one call alone, or with all.

use std::time::Duration;

use http::Method;
use keyless_sandbox::{Fault, OpenAiAdminCall as Call, RetryAfter, ServiceName};
use serde_json::{Value, json};

use super::{Admin, granted, ids, refused, start, text};
use crate::client::Client;

/// How creating, listing and deleting are answered now.
async fn statuses(admin: &Admin<'_>) -> [u16; 3] {
    let created = admin.try_create("a").await.unwrap().status.as_u16();
    let listed = admin.list("").await.status.as_u16();
    [created, listed, admin.delete("svc_acct_nobody").await.status.as_u16()]
}

#[tokio::test]
async fn each_call_has_faults_of_its_own() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    assert_eq!(statuses(&admin).await, [200, 200, 404]);
    sandbox.fault_on(Call::CreateServiceAccount, Fault::status(500), 2);
    sandbox.fault_on(Call::CreateServiceAccount, Fault::status(502), 1);
    sandbox.fault_on(Call::ListServiceAccounts, Fault::status(503), 1);
    sandbox.fault_on_until_cleared(Call::DeleteServiceAccount, Fault::status(504));
    assert_eq!(statuses(&admin).await, [500, 503, 504]);
    assert_eq!(statuses(&admin).await, [500, 200, 504]);
    assert_eq!(statuses(&admin).await, [502, 200, 504]);
    assert_eq!(statuses(&admin).await, [200, 200, 504]);
    assert_eq!(sandbox.service_accounts().alive, 2, "a fault of this kind leaves the work undone");

    // What is aimed elsewhere ends nothing here, and the rest of the API has no part in it.
    sandbox.fault_on_until_cleared(Call::ListServiceAccounts, Fault::status(507));
    assert_eq!(statuses(&admin).await, [200, 507, 504]);
    sandbox.fault_on(Call::DeleteServiceAccount, Fault::status(505), 1);
    assert_eq!(statuses(&admin).await, [200, 507, 505]);
    assert_eq!(statuses(&admin).await, [200, 507, 404]);
    assert_eq!(admin.client.call(sandbox.api_key(), "/v1/models", None).await.status, 200);
    sandbox.clear_faults(Some(ServiceName::Upstream));

    // Without an aim it is for all calls of the party.
    sandbox.fault(ServiceName::Upstream, Fault::status(501), 3);
    assert_eq!(statuses(&admin).await, [501, 501, 501]);
    assert_eq!(statuses(&admin).await, [200, 200, 404]);
}

#[tokio::test]
async fn the_other_calls_can_be_aimed_at() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let id = text(&admin.create("a").await["id"]);
    let others = [
        (Call::RetrieveServiceAccount, Method::GET, format!("service_accounts/{id}")),
        (Call::CreateApiKey, Method::POST, format!("service_accounts/{id}/api_keys")),
        (Call::ListApiKeys, Method::GET, "api_keys".to_owned()),
        (Call::DeleteApiKey, Method::DELETE, "api_keys/key_sandbox".to_owned()),
    ];
    for (aimed, _, _) in &others {
        sandbox.fault_on(*aimed, Fault::status(500), 1);
        for (call, method, path) in &others {
            if aimed == call {
                assert_eq!(admin.call(method.clone(), path, None).await.status, 500, "{call:?}");
            }
        }
    }
    for (call, method, path) in others {
        let status = admin.call(method, &path, None).await.status;
        assert_eq!(status, 200, "{call:?}");
    }
}

#[tokio::test]
async fn over_the_admin_endpoint() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let switch = async |body: &str| admin.client.admin(Method::POST, "/faults", body).await;
    let throttled = r#"{"service": "upstream", "on": "create_service_account",
        "fault": {"kind": "status", "status": 429, "retry_after": {"seconds": 7}}, "times": 1}"#;
    let armed = switch(throttled).await.json();
    assert_eq!(armed["faults"]["upstream"][0]["on"], "create_service_account", "{armed}");
    assert_eq!(admin.list("").await.status, 200);
    let reply = admin.try_create("a").await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "7"));

    let forbidden = |on: &str, scope: &str| {
        format!(r#"{{"service": "upstream", "on": "{on}", "fault": {{"kind": "missing_scope"{scope}}}}}"#)
    };
    switch(&forbidden("delete_service_account", "")).await;
    switch(&forbidden("list_service_accounts", r#", "scope": "api.management.read""#)).await;
    let id = text(&admin.create("a").await["id"]);
    for (reply, scope) in
        [(admin.delete(&id).await, "api.management.write"), (admin.list("").await, "api.management.read")]
    {
        assert_eq!(reply.status, 403);
        assert!(reply.json()["error"].as_str().unwrap().contains(&format!("Missing scopes: {scope}.")));
    }
    assert_eq!(sandbox.service_accounts().alive, 1);
    admin.client.admin(Method::DELETE, "/faults?service=upstream", "").await;
    granted(&admin.delete(&id).await);

    for (wrong, words) in [
        (
            r#"{"service": "upstream", "on": "create", "fault": {"kind": "stall"}}"#,
            "`create_service_account`",
        ),
        (r#"{"service": "exchange", "on": "list_api_keys", "fault": {"kind": "stall"}}"#, "`upstream`"),
        (r#"{"service": "exchange", "fault": {"kind": "lag", "seconds": 1}}"#, "`upstream`"),
        (r#"{"service": "upstream", "fault": {"kind": "lag"}}"#, "`seconds`"),
        (r#"{"service": "upstream", "fault": {"kind": "close_after", "seconds": 1}}"#, "`seconds`"),
        (
            r#"{"service": "upstream", "fault": {"kind": "lag", "seconds": 1, "then": {"kind": "status", "status": 1}}}"#,
            "200 to 599",
        ),
    ] {
        let reply = switch(wrong).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(reply.json()["message"].as_str().unwrap().contains(words), "{wrong}: {}", reply.text());
    }
}

#[tokio::test]
async fn answers_get_lost_after_the_work() {
    let sandbox = start().await;
    for client in [Client::new(&sandbox), Client::http2(&sandbox)] {
        let before = sandbox.service_accounts().alive;
        let admin = Admin::over(client);
        sandbox.fault_on(Call::CreateServiceAccount, Fault::CloseAfter, 1);
        assert!(admin.try_create("lost").await.is_err());
        assert_eq!(sandbox.service_accounts().alive, before + 1, "nothing was made");
        let id = admin.listed().await.pop().unwrap();

        sandbox.fault_on(Call::DeleteServiceAccount, Fault::CloseAfter, 1);
        let path = format!("service_accounts/{id}");
        assert!(admin.try_call(Method::DELETE, &path, None).await.is_err());
        assert_eq!(sandbox.service_accounts().alive, before, "nothing was deleted");
        refused(&admin.delete(&id).await, 404, &id);
    }
    assert_eq!(sandbox.counters(ServiceName::Upstream).broken_off, 4);
}

#[tokio::test]
async fn lists_lag_behind() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let lag = |seconds| Fault::Lag { seconds, then: None };
    let early = text(&admin.create("early").await["id"]);
    sandbox.fault_on(Call::CreateServiceAccount, lag(10), 1);
    sandbox.fault_on(Call::DeleteServiceAccount, lag(20), 1);
    let late = admin.create("late").await;
    let (late, key) = (text(&late["id"]), text(&late["api_key"]["value"]));
    granted(&admin.delete(&early).await);
    let prompt = text(&admin.create("prompt").await["id"]);

    // Only lists lag.
    assert_eq!(admin.client.call(&key, "/v1/models", None).await.status, 200);
    granted(&admin.call(Method::GET, &format!("service_accounts/{late}"), None).await);
    refused(&admin.delete(&early).await, 404, &early);
    assert_eq!(sandbox.service_accounts().alive, 2);
    assert_eq!(admin.listed().await, [early.clone(), prompt.clone()]);
    // Pages go by what is shown.
    let first = granted(&admin.list("?limit=1").await);
    assert_eq!((ids(&first), &first["has_more"]), (vec![early.clone()], &json!(true)));
    let second = granted(&admin.list(&format!("?limit=1&after={early}")).await);
    assert_eq!((ids(&second), &second["has_more"]), (vec![prompt.clone()], &json!(false)));

    sandbox.advance_clock(Duration::from_secs(10));
    assert_eq!(admin.listed().await, [early.clone(), late.clone(), prompt.clone()]);
    sandbox.advance_clock(Duration::from_secs(10));
    assert_eq!(admin.listed().await, [late.clone(), prompt.clone()]);

    // A list that lags shows what was there so long ago.
    sandbox.fault_on(Call::ListServiceAccounts, lag(15), 1);
    granted(&admin.delete(&prompt).await);
    assert_eq!(admin.listed().await, [early, prompt]);
    assert_eq!(admin.listed().await, [late]);
}

#[tokio::test]
async fn lag_goes_with_other_faults() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let then = Some(Box::new(Fault::CloseAfter));
    sandbox.fault_on(Call::CreateServiceAccount, Fault::Lag { seconds: 10, then }, 1);
    assert!(admin.try_create("lost and late").await.is_err());
    let then = Some(Box::new(Fault::Lag { seconds: 10, then: None }));
    sandbox.fault_on(Call::CreateServiceAccount, Fault::Delay { ms: 1, then }, 1);
    let slow = text(&admin.create("slow and late").await["id"]);
    assert_eq!((sandbox.service_accounts().alive, admin.listed().await.len()), (2, 0));
    sandbox.advance_clock(Duration::from_secs(10));
    let listed = admin.listed().await;
    assert_eq!((listed.len(), &listed[1]), (2, &slow));
}

#[tokio::test]
async fn answers_without_what_they_should_have() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    sandbox.fault_on(Call::CreateServiceAccount, Fault::DropField { name: "api_key".to_owned() }, 1);
    let made = admin.create("a").await;
    assert_eq!((made.get("api_key"), sandbox.service_accounts().alive), (None, 1));
    let null = Fault::SetField { name: "api_key".to_owned(), value: Value::Null };
    sandbox.fault_on(Call::CreateServiceAccount, null, 1);
    assert_eq!(admin.create("b").await["api_key"], Value::Null);

    for garbage in [Fault::Html, Fault::MalformedJson, Fault::EmptyBody] {
        sandbox.fault_on(Call::ListServiceAccounts, garbage.clone(), 1);
        let reply = admin.list("").await;
        assert_eq!(reply.status, 200);
        assert!(serde_json::from_slice::<Value>(&reply.bytes()).is_err(), "{garbage:?}");
    }
    let odd = Fault::SetField { name: "data".to_owned(), value: json!([7]) };
    sandbox.fault_on(Call::ListServiceAccounts, odd, 1);
    assert_eq!(granted(&admin.list("").await)["data"], json!([7]));
    let later = Fault::Status { status: 503, retry_after: Some(RetryAfter::Seconds(3)) };
    sandbox.fault_on(Call::ListServiceAccounts, later, 1);
    assert_eq!(admin.list("").await.header("retry-after"), "3");
    assert_eq!(admin.listed().await.len(), 2);
}
