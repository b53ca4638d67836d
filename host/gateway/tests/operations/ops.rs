//! What operators look at, over real sockets.

use std::sync::Arc;

use http::Method;
use keyless_gateway::Gateway;
use serde_json::{Value, json};

use crate::stand_in::{CANARY, Held, address, ask, config, connections, gateway, get, json, request};

fn tables() -> Value {
    json!({"ops": {"listen": "127.0.0.1:0"}, "endpoint": {"x": {"listen": "127.0.0.1:0"}}})
}

fn serving(held: &[(&str, &Arc<Held>)]) -> (Gateway, String) {
    let mut gateway = gateway([]);
    gateway.apply(&config(tables()), &connections(held)).unwrap();
    let address = address(&gateway, "ops");
    (gateway, address)
}

#[tokio::test]
async fn ready_when_every_connection_holds_a_credential() {
    let (one, other) = (Held::new("idle"), Held::new("idle"));
    one.hold(1);
    let (_gateway, ops) = serving(&[("one", &one), ("other", &other)]);
    assert_eq!(ask(&ops, get("/livez")).await.status(), 200);

    let answer = ask(&ops, get("/readyz")).await;
    assert_eq!(answer.status(), 503);
    let lacking = json!([{"connection": "other", "phase": "idle", "code": null, "message": null}]);
    assert_eq!(json(&answer), json!({"ready": false, "without_credential": lacking}));

    other.lose("exchange-refused", "refused; compare the audience");
    let answer = ask(&ops, get("/readyz")).await;
    assert_eq!(json(&answer)["without_credential"][0]["code"], "exchange-refused");
    assert_eq!(ask(&ops, get("/livez")).await.status(), 200);

    other.hold(1);
    let answer = ask(&ops, get("/readyz")).await;
    assert_eq!(
        (answer.status().as_u16(), json(&answer)),
        (200, json!({"ready": true, "without_credential": []}))
    );
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let held = Held::new("idle");
    held.hold(4);
    held.change(|status| (status.failures, status.replacements) = (7, 2));
    let (gateway, ops) = serving(&[("a \"quoted\"\nname", &held)]);
    let endpoint = address(&gateway, "endpoint.x");
    ask(&endpoint, get("/v1/credential/nobody")).await;
    let mut from_a_page = get("/v1/credential/nobody");
    from_a_page.headers_mut().insert("origin", "https://attacker.example".parse().unwrap());
    assert_eq!(ask(&endpoint, from_a_page).await.status(), 403);

    let answer = ask(&ops, get("/metrics")).await;
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.body();
    let connection = r#"connection="a \"quoted\"\nname""#;
    for line in [
        format!("keyless_connection_phase{{{connection},phase=\"fresh\"}} 1"),
        format!("keyless_connection_phase{{{connection},phase=\"failed\"}} 0"),
        format!("keyless_connection_usable{{{connection}}} 1"),
        format!("keyless_renewals_total{{{connection}}} 1"),
        format!("keyless_failures_total{{{connection}}} 7"),
        format!("keyless_replacements_total{{{connection}}} 2"),
        format!("keyless_credential_generation{{{connection}}} 4"),
        r#"keyless_requests_total{listener="endpoint.x",status_class="4xx"} 2"#.to_owned(),
        r#"keyless_requests_refused_total{listener="endpoint.x"} 1"#.to_owned(),
        r#"keyless_client_connections_total{listener="endpoint.x"} 2"#.to_owned(),
        r#"keyless_client_connections_open{listener="ops"} 1"#.to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    let expires = text.lines().find_map(|line| {
        line.strip_prefix(&format!("keyless_credential_expires_timestamp_seconds{{{connection}}} "))
    });
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let left = expires.unwrap().parse::<f64>().unwrap() - now;
    assert!((3_500.0..=3_600.0).contains(&left), "{left}");
    assert!(!text.contains(CANARY));

    held.lose("x", "y");
    let text = ask(&ops, get("/metrics")).await.into_body();
    assert!(!text.contains("keyless_credential_expires_timestamp_seconds{"), "no credential, no end: {text}");
}

#[tokio::test]
async fn the_report_shows_a_lease_and_survives_changes_of_the_configuration() {
    let held = Held::new("idle");
    let (mut gateway, ops) = serving(&[("a", &held)]);
    let report = json(&ask(&ops, get("/status.json")).await);
    assert_eq!(report["connections"][0]["phase"], "idle");
    assert_eq!(report["connections"][0]["obtained_at"], Value::Null);
    assert_eq!(report["connections"][0]["usable"], false);

    held.hold(1);
    let first = loop {
        let report = json(&ask(&ops, get("/status.json")).await)["connections"][0].clone();
        if report["obtained_at"] != Value::Null {
            break report;
        }
    };
    assert_eq!(
        (&first["phase"], &first["usable"], &first["generation"]),
        (&json!("fresh"), &json!(true), &json!(1))
    );
    let moments = ["obtained_at", "renew_at", "expires_at"].map(|name| first[name].as_str().unwrap());
    assert!(moments.is_sorted(), "{moments:?}");
    assert_eq!(first["base_url"], "https://api.example/v1");

    gateway.apply(&config(tables()), &connections(&[("a", &held), ("b", &held)])).unwrap();
    let answer = ask(&ops, get("/status.json")).await;
    let report = json(&answer);
    assert_eq!(report["connections"][0], first);
    let names: Vec<_> = report["connections"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    let listeners: Vec<_> =
        report["listeners"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
    assert_eq!(listeners, ["endpoint.x", "ops"]);
    assert!(report["listeners"][1]["answers"]["2xx"].as_u64().unwrap() >= 2, "kept through the change");
    assert_eq!(report["listeners"][1]["address"], ops);
    assert_eq!(report["listeners"][1]["events"], json!({}));
    assert!(!answer.body().contains(CANARY));

    held.lose("exchange-refused", "refused; compare the audience");
    let report = json(&ask(&ops, get("/status.json")).await);
    let problem = json!({"code": "exchange-refused", "message": "refused; compare the audience"});
    assert_eq!(report["connections"][0]["problem"], problem);
    assert_eq!(report["connections"][0]["usable"], false);
}

#[tokio::test]
async fn the_page_is_whole_and_may_load_nothing() {
    let (_gateway, ops) = serving(&[]);
    let answer = ask(&ops, get("/")).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(answer.body().starts_with("<!doctype html>") && answer.body().ends_with("</html>\n"));
}

#[tokio::test]
async fn what_is_not_there_and_what_cannot_be_done() {
    let (_gateway, ops) = serving(&[]);
    assert_eq!(json(&ask(&ops, get("/metric")).await)["error"]["code"], "ops-path");
    let answer = ask(&ops, request(&Method::POST, "/livez", "")).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
}
