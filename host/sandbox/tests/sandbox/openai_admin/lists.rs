//! Pages, and what is on them.

use http::Method;
use serde_json::{Value, json};

use super::{Admin, granted, ids, refused, start, text};

#[tokio::test]
async fn two_hundred_and_fifty_accounts_in_pages() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let mut made = Vec::new();
    for number in 0..250 {
        made.push(text(&admin.create(&format!("number-{number}")).await["id"]));
    }
    for (limit, sizes) in [
        ("limit=100", vec![100, 100, 50]),
        ("limit=50", vec![50; 5]),
        ("", {
            let mut sizes = vec![20; 12];
            sizes.push(10);
            sizes
        }),
    ] {
        let (mut seen, mut after, mut pages) = (Vec::new(), String::new(), Vec::new());
        loop {
            let page = granted(&admin.list(&format!("?{limit}{after}")).await);
            let here = ids(&page);
            assert_eq!(page["object"], "list");
            assert_eq!(
                (&page["first_id"], &page["last_id"]),
                (&json!(here[0]), &json!(here[here.len() - 1]))
            );
            after = format!("&after={}", here[here.len() - 1]);
            pages.push(here.len());
            seen.extend(here);
            if page["has_more"] == false {
                break;
            }
        }
        assert_eq!((pages, &seen), (sizes, &made), "{limit}");
    }
    assert_eq!((sandbox.service_accounts().alive, sandbox.service_accounts().most_alive), (250, 250));

    // What has gone still marks its place.
    granted(&admin.delete(&made[99]).await);
    granted(&admin.delete(&made[100]).await);
    let next = granted(&admin.list(&format!("?limit=2&after={}", made[99])).await);
    assert_eq!((ids(&next), &next["has_more"]), (made[101..103].to_vec(), &json!(true)));
    let last = granted(&admin.list(&format!("?after={}", made[249])).await);
    assert_eq!(
        last,
        json!({"object": "list", "data": [], "first_id": null, "last_id": null, "has_more": false})
    );
    assert_eq!((sandbox.service_accounts().alive, sandbox.service_accounts().most_alive), (248, 250));
}

#[tokio::test]
async fn the_life_of_an_account() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let made = admin.create("ci-1").await;
    let id = text(&made["id"]);
    assert!(id.starts_with("svc_acct_"), "{id}");
    assert_eq!(made["api_key"]["object"], "organization.project.service_account.api_key");
    assert_eq!(
        (&made["api_key"]["name"], &made["api_key"]["expires_at"]),
        (&json!("Secret Key"), &Value::Null)
    );
    let account = json!({
        "object": "organization.project.service_account",
        "id": id,
        "name": "ci-1",
        "role": "member",
        "created_at": made["created_at"],
    });
    let mut without_key = made.clone();
    without_key.as_object_mut().unwrap().remove("api_key");
    assert_eq!(without_key, account);
    let created_s = made["created_at"].as_u64().unwrap();
    assert!((0..60).contains(&(sandbox.now_ms() / 1_000 - created_s)), "{created_s}");

    let path = format!("service_accounts/{id}");
    assert_eq!(granted(&admin.call(Method::GET, &path, None).await), account);
    assert_eq!(granted(&admin.list("").await)["data"], json!([account]));
    let record = &sandbox.service_accounts().accounts[0];
    assert_eq!((record.id.as_str(), record.name.as_str(), record.deleted_at_ms), (id.as_str(), "ci-1", None));
    assert_eq!(record.created_at_ms / 1_000, created_s);

    // Names need not be unique.
    let twin = text(&admin.create("ci-1").await["id"]);
    assert_ne!(twin, id);
    let deleted =
        json!({"object": "organization.project.service_account.deleted", "id": id, "deleted": true});
    assert_eq!(granted(&admin.delete(&id).await), deleted);
    assert_eq!(admin.listed().await, [twin]);
    refused(&admin.delete(&id).await, 404, &id);
    refused(&admin.call(Method::GET, &path, None).await, 404, &id);
    refused(&admin.call(Method::POST, &format!("{path}/api_keys"), None).await, 404, &id);
    refused(&admin.delete("svc_acct_other").await, 404, "svc_acct_other");
    let record = &sandbox.service_accounts().accounts[0];
    assert!(record.deleted_at_ms.unwrap() >= record.created_at_ms);
    assert_eq!((sandbox.service_accounts().alive, sandbox.service_accounts().most_alive), (1, 2));
}

#[tokio::test]
async fn the_ledger_as_the_admin_endpoint_shows_it() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let nothing = json!({"project_id": "proj_sandbox", "alive": 0, "most_alive": 0, "accounts": []});
    let view = async || admin.client.admin(Method::GET, "/service-accounts", "").await.json();
    assert_eq!(view().await, nothing);
    let id = text(&admin.create("a").await["id"]);
    let created = sandbox.service_accounts().accounts[0].created_at_ms;
    let account = json!({
        "id": id,
        "name": "a",
        "created_at_ms": created,
        "deleted_at_ms": null,
        "keys": 1,
        "uses": 0,
        "uses_after_deletion": 0,
    });
    let one = json!({"project_id": "proj_sandbox", "alive": 1, "most_alive": 1, "accounts": [account]});
    assert_eq!(view().await, one);
    let state = admin.client.admin(Method::GET, "/state", "").await.json();
    assert_eq!(state["service_accounts"], one);
    assert_eq!(state["openai_project_id"], "proj_sandbox");
    assert_eq!(state["addresses"]["openai_admin_key_file"], json!(sandbox.openai_admin_key_path()));
    granted(&admin.delete(&id).await);
    let gone = view().await;
    assert_eq!((&gone["alive"], &gone["accounts"][0]["keys"]), (&json!(0), &json!(0)));
    assert!(gone["accounts"][0]["deleted_at_ms"].as_u64().unwrap() >= created);
}

#[tokio::test]
async fn the_keys_of_the_project() {
    let sandbox = start().await;
    let admin = Admin::of(&sandbox);
    let made = admin.create("a").await;
    let id = text(&made["id"]);
    let (key_id, key) = (text(&made["api_key"]["id"]), text(&made["api_key"]["value"]));
    let listed =
        async |query: &str| granted(&admin.call(Method::GET, &format!("api_keys{query}"), None).await);

    let all = listed("").await;
    assert_eq!(ids(&all), ["key_sandbox", &key_id]);
    let (personal, minted) = (&all["data"][0], &all["data"][1]);
    assert_eq!((&personal["owner"]["type"], &personal["object"]), (&json!("user"), &minted["object"]));
    assert_eq!(minted["object"], "organization.project.api_key");
    assert_eq!(minted["owner"]["type"], "service_account");
    assert_eq!(
        (&minted["owner"]["service_account"]["id"], &minted["last_used_at"]),
        (&json!(id), &Value::Null)
    );
    for (shown, key) in [(personal, sandbox.api_key()), (minted, &key)] {
        let shown = text(&shown["redacted_value"]);
        let (start, end) = shown.split_once("...").unwrap();
        assert!(key.starts_with(start) && key.ends_with(end) && end.len() == 4, "{shown}");
        assert!(start.starts_with("sk-") && shown.len() < 20, "{shown}");
    }
    admin.client.call(&key, "/v1/models", None).await;
    let used = &listed("?limit=1&after=key_sandbox").await["data"][0]["last_used_at"];
    assert!(used.as_u64().unwrap() >= made["created_at"].as_u64().unwrap(), "{used}");
    assert_eq!(listed("?limit=1").await["has_more"], true);

    // One key goes; the account, and its other key, stay.
    let path = format!("service_accounts/{id}/api_keys");
    let second =
        granted(&admin.call(Method::POST, &path, Some(&json!({"name": "second", "scopes": []}))).await);
    assert_eq!((&second["object"], &second["name"]), (&made["api_key"]["object"], &json!("second")));
    let deleted = admin.call(Method::DELETE, &format!("api_keys/{key_id}"), None).await;
    let expected = json!({"object": "organization.project.api_key.deleted", "id": key_id, "deleted": true});
    assert_eq!(granted(&deleted), expected);
    refused(&admin.call(Method::DELETE, &format!("api_keys/{key_id}"), None).await, 404, &key_id);
    assert_eq!(ids(&listed("").await), ["key_sandbox", &text(&second["id"])]);
    assert_eq!(sandbox.service_accounts().accounts[0].keys, 1);
    granted(&admin.delete(&id).await);
    assert_eq!(ids(&listed("").await), ["key_sandbox"]);

    assert_eq!(admin.client.call(sandbox.api_key(), "/v1/models", None).await.status, 200);
    granted(&admin.call(Method::DELETE, "api_keys/key_sandbox", None).await);
    refused(&admin.call(Method::DELETE, "api_keys/key_sandbox", None).await, 404, "key_sandbox");
    refused(&admin.client.call(sandbox.api_key(), "/v1/models", None).await, 401, "Incorrect API key");
    assert_eq!(ids(&listed("").await), Vec::<String>::new());
}
