//! Each kind of failure has its exit code, its error code and its advice; in JSON as well.

use keyless_sandbox::{Fault, ServiceName};
use serde_json::Value;

use crate::harness::{World, keyless};

#[test]
fn no_identity_token_is_4() {
    let world = World::new();
    world.sandbox.remove_token().unwrap();
    world.keyless(["token"]).outcome().failure(4, "token-file-missing").says("token volume is mounted");
    world.sandbox.write_raw(b"not a token").unwrap();
    world.keyless(["run", "--", "true"]).outcome().failure(4, "token-malformed");
}

#[test]
fn a_token_for_a_control_plane_is_4_where_that_is_refused() {
    let world = World::new();
    // Foreseen by the plan, before anything is read.
    let default =
        r#"{"source":"kubernetes","exchange":{"identity_provider_id":"idp_1","service_account_id":"s"}}"#;
    keyless(["plan", "-c", default]).success();
    keyless(["plan", "--strict", "-c", default]).failure(4, "token-for-a-control-plane").says("audience");
    // Seen in the token itself, before it is sent.
    let mut claims = world.sandbox.claims();
    claims.audience = vec!["https://kubernetes.default.svc".to_owned()];
    world.sandbox.write_token(&claims).unwrap();
    world.keyless(["token"]).env("KEYLESS_STRICT", "yes").outcome().failure(4, "token-for-a-control-plane");
    assert!(world.sandbox.exchanges().is_empty());
}

#[test]
fn a_refusal_is_5() {
    let world = World::new();
    let other = world.document_with("svc_acct_sandbox", "svc_acct_other");
    world.keyless(["token", "-c", &other]).outcome().failure(5, "exchange-refused").says("issuer `");
}

#[test]
fn an_outage_is_6() {
    let world = World::new();
    world
        .sandbox
        .fault_until_cleared(ServiceName::Exchange, Fault::Status { status: 503, retry_after: None });
    world.keyless(["token", "--timeout", "0.5"]).outcome().failure(6, "endpoint-failed").says("--timeout");
}

#[test]
fn an_endpoint_that_is_not_there_is_6() {
    let world = World::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = world
        .document_with(&world.sandbox.token_endpoint(), &format!("https://127.0.0.1:{port}/oauth/token"));
    let outcome = world.keyless(["token", "-c", &nowhere]).env("KEYLESS_TIMEOUT", "0.5").outcome();
    outcome.failure(6, "endpoint-unreachable");
}

#[test]
fn a_certificate_of_nobody_is_6_and_names_the_option() {
    let world = World::new();
    let keyless =
        world.scratch.keyless(["token", "--timeout", "0.5", "-c", &world.sandbox.documents().native]);
    keyless.outcome().failure(6, "endpoint-untrusted").says("--ca-cert");
}

#[test]
fn a_ca_file_without_a_certificate_is_2() {
    let world = World::new();
    world.scratch.file("empty.pem", "");
    let wrong = ["token", "--ca-cert", "empty.pem"];
    assert_eq!(world.keyless(wrong).outcome().code, 2);
    world.keyless(["token", "--ca-cert", "none.pem"]).outcome().failure(2, "ca-certificates-unreadable");
}

#[test]
fn errors_are_objects_for_machines() {
    let world = World::new();
    world.sandbox.remove_token().unwrap();
    let problem = |outcome: crate::harness::Outcome| -> Value {
        let lines: Vec<Value> = outcome.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.into_iter().find(|line| line.get("kind").is_some() && line.get("next").is_some()).unwrap()
    };
    let identity = problem(world.keyless(["token", "--log-format", "json"]).outcome());
    assert_eq!((&identity["kind"], &identity["code"]), (&"identity".into(), &"token-file-missing".into()));
    assert!(identity["message"].as_str().unwrap().ends_with(identity["next"].as_str().unwrap()));
    assert!(identity.as_object().unwrap().contains_key("retry_after_ms"));

    let usage = problem(world.keyless(["token", "--nonsense", "--log-format=json"]).outcome());
    assert_eq!((&usage["kind"], &usage["code"]), (&"invalid".into(), &"usage".into()));
    let missing = world.scratch.keyless(["token"]).env("KEYLESS_LOG_FORMAT", "json").outcome();
    assert_eq!(missing.code, 2);
    assert_eq!(problem(missing)["code"], "connection-missing");
}

#[test]
fn a_failure_writes_no_result() {
    for document in ["{}", "openai://", "[1]", "{\"api_key\":7}"] {
        let outcome = keyless(["token", "-c", document]);
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{document}");
    }
}
