//! Connections that work, and those that work but not for long.

use std::time::Duration;

use keyless_sandbox::{Fault as Bad, ServiceName};
use serde_json::{Value, json};

use super::stage::{Stage, claims};
use super::step;
use crate::harness::{Keyless, Outcome};

fn doctor(mut keyless: Keyless, arguments: &[&str]) -> Outcome {
    keyless.command.args(["doctor", "--json"]).args(arguments);
    keyless.outcome()
}

/// The report of a connection that works.
#[track_caller]
fn healthy(outcome: &Outcome) -> Value {
    assert_eq!((outcome.code, &*outcome.err), (0, ""), "{outcome:?}");
    let report: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((&report["ok"], &report["exit_code"]), (&json!(true), &json!(0)), "{report:#}");
    report
}

#[test]
fn every_platform_and_every_exchange() {
    let stage = Stage::new();
    let names: Vec<_> = stage.sandbox.documents().combinations.into_keys().collect();
    let one_of_each = |name: &&String| name.ends_with("-openai") || name.starts_with("kubernetes-");
    let chosen: Vec<_> = names.iter().filter(one_of_each).collect();
    assert!(chosen.len() >= 15, "{names:?}");
    for name in chosen {
        let outcome = doctor(stage.recipe(name), &[]);
        let report = healthy(&outcome);
        stage.holds_no_secret(&outcome, name);
        if name.starts_with("x509") {
            assert_eq!(step(&outcome, "api")["status"], "skipped", "{name}");
            continue;
        }
        let said = claims(&report);
        assert_eq!(said["audience"], json!(["https://api.openai.com/v1"]), "{name}: {report:#}");
        assert!(said["issuer"].as_str().unwrap().starts_with(&stage.sandbox.issuer_url()), "{name}: {said}");
        assert!(said["seconds_left"].as_i64().unwrap() > 200, "{name}: {said}");
        for field in ["subject", "key_id", "algorithm", "issued_at", "expires_at"] {
            assert!(said[field].is_string(), "{name}: {field} in {said}");
        }
        let called = step(&outcome, "api");
        let unknown = ["codex", "rfc8693", "rfc7523"].into_iter().any(|exchange| name.ends_with(exchange));
        assert_eq!(called["status"], if unknown { "skipped" } else { "ok" }, "{name}: {called}");
    }
}

#[test]
fn one_exchange_one_call_and_no_more() {
    let stage = Stage::new();
    healthy(&doctor(stage.ready_made(), &[]));
    let requests = |service| stage.sandbox.requests(service).len();
    assert_eq!((requests(ServiceName::Exchange), requests(ServiceName::Upstream)), (1, 1));
    let called = doctor(stage.ready_made(), &["--no-call"]);
    healthy(&called);
    assert_eq!(step(&called, "api")["status"], "skipped");
    assert_eq!((requests(ServiceName::Exchange), requests(ServiceName::Upstream)), (2, 1));
}

#[test]
fn a_static_key_needs_nothing_but_the_api() {
    let stage = Stage::new();
    let outcome = doctor(stage.document(stage.sandbox.documents().native_static), &[]);
    let report = healthy(&outcome);
    stage.holds_no_secret(&outcome, "a static key");
    let statuses: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| &step["status"]).collect();
    assert_eq!(statuses, ["ok", "ok", "skipped", "skipped", "skipped", "ok", "ok"]);
}

#[test]
fn doubts_that_stop_nobody() {
    let doubt = |stage: &Stage, keyless: Keyless, name: &str, code: &str| {
        let outcome = doctor(keyless, &[]);
        healthy(&outcome);
        stage.holds_no_secret(&outcome, code);
        let step = step(&outcome, name);
        assert_eq!((&step["status"], &step["code"]), (&json!("warning"), &json!(code)), "{step:#}");
    };
    let stage = Stage::new();
    doubt(&stage, stage.with(r#""api":{"#, r#""apy":1,"api":{"#), "document", "unknown-field");

    let mut claims = stage.sandbox.claims();
    claims.lifetime = Duration::from_secs(50);
    stage.sandbox.write_token(&claims).unwrap();
    doubt(&stage, stage.ready_made(), "source", "token-ends-soon");
    doubt(&stage, stage.ready_made(), "exchange", "credential-ends-soon");

    let stage = Stage::new();
    stage.sandbox.advance_clock(Duration::from_secs(120));
    doubt(&stage, stage.ready_made(), "clock", "clock-skew");
}

#[test]
fn a_wait_that_was_asked_for_is_told() {
    let stage = Stage::new();
    let outcome = doctor(stage.busy(ServiceName::Exchange, 429).ready_made(), &[]);
    assert_eq!(step(&outcome, "exchange")["retry_after_seconds"], 7, "{outcome:?}");
    stage.sandbox.clear_faults(None);
    let outcome = doctor(stage.busy(ServiceName::Upstream, 429).ready_made(), &[]);
    assert_eq!(step(&outcome, "api")["retry_after_seconds"], 7, "{outcome:?}");
    // Nobody asked for one: the component's own pace is none of the reader's business.
    stage.sandbox.clear_faults(None);
    let outcome = doctor(stage.fault(ServiceName::Exchange, Bad::status(500)).ready_made(), &[]);
    assert_eq!(step(&outcome, "exchange")["retry_after_seconds"], Value::Null, "{outcome:?}");
}

#[test]
fn the_loudest_log_tells_no_secret() {
    let stage = Stage::new();
    for recipe in ["kubernetes-openai", "github-openai", "aws-anthropic"] {
        let mut keyless = stage.recipe(recipe);
        keyless.command.args(["doctor", "-vvv"]);
        let outcome = keyless.outcome();
        assert!(outcome.code == 0 && !outcome.err.is_empty(), "{outcome:?}");
        stage.holds_no_secret(&outcome, recipe);
    }
}

#[test]
fn what_the_token_file_looks_like() {
    let stage = Stage::new();
    let file = &step(&doctor(stage.ready_made(), &[]), "source")["detail"]["file"];
    assert_eq!(file["path"], json!(stage.sandbox.token_path()));
    assert_eq!((&file["exists"], &file["projected"]), (&json!(true), &json!(true)));
    assert!(file["mode"].as_str().is_some_and(|mode| mode.len() == 4), "{file}");
}

#[test]
fn two_troubles_are_told_at_once() {
    let stage = Stage::new();
    let mut keyless = stage.token_file("").ready_made();
    keyless.command.env_remove("KEYLESS_CA_CERT");
    let outcome = doctor(keyless, &[]);
    assert_eq!(outcome.code, 4, "the first of them decides");
    let codes = ["source", "endpoint"].map(|name| step(&outcome, name)["code"].clone());
    assert_eq!(codes, ["token-empty", "certificate-unknown-issuer"]);
}
