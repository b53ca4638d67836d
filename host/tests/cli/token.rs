//! `keyless token`: forms of a credential, static and exchanged.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::harness::{Scratch, World, keyless};

const KEY: &str = r#"{"api_key":"sk-1","api":{"base_url":"https://api.example/v1","organization":"org-1","project":"p'1"}}"#;

#[track_caller]
fn token(format: &str, document: &str) -> String {
    keyless(["token", "--format", format, "-c", document]).success()
}

#[test]
fn a_token_and_a_newline() {
    assert_eq!(token("token", KEY), "sk-1\n");
    assert_eq!(keyless(["token", "-c", KEY]).success(), "sk-1\n", "the default");
    assert_eq!(
        Scratch::new().keyless(["token", "-c", KEY]).env("KEYLESS_FORMAT", "token").outcome().success(),
        "sk-1\n"
    );
}

#[test]
fn header_lines() {
    assert_eq!(
        token("headers", KEY),
        "authorization: Bearer sk-1\nopenai-organization: org-1\nopenai-project: p'1\n"
    );
}

#[test]
fn json_of_a_static_key() {
    let value: serde_json::Value = serde_json::from_str(&token("json", KEY)).unwrap();
    assert_eq!(
        value,
        json!({
            "headers": [
                {"name": "authorization", "value": "Bearer sk-1"},
                {"name": "openai-organization", "value": "org-1"},
                {"name": "openai-project", "value": "p'1"},
            ],
            "base_url": "https://api.example/v1",
            "token": "sk-1",
            "generation": 1,
            "renew_at": null,
            "expires_at": null,
        })
    );
}

#[test]
fn a_shell_reads_the_variables_back() {
    let lines = token("env", KEY);
    let script = format!(
        "{lines}\nprintf '%s|' \"$OPENAI_API_KEY\" \"$OPENAI_BASE_URL\" \"$OPENAI_ORG_ID\" \"$OPENAI_PROJECT_ID\""
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "sk-1|https://api.example/v1|org-1|p'1|");
    assert_eq!(token("env", r#"{"api_key":"sk-1"}"#).lines().count(), 2, "only those that apply");
}

#[test]
fn a_header_that_no_variable_carries_is_reported() {
    let document = r#"{"api_key":"sk-1","api":{"default_headers":{"x-team":"a"}}}"#;
    let outcome = keyless(["token", "--format", "env", "-c", document]);
    assert_eq!(outcome.code, 0);
    outcome.says("header=\"x-team\"");
}

#[test]
fn an_exchanged_token_opens_the_api() {
    let world = World::new();
    let value = world.keyless(["token", "--format", "json"]).outcome().json();
    assert_eq!(value["base_url"], world.sandbox.base_url());
    assert_eq!(value["headers"][0]["value"], format!("Bearer {}", value["token"].as_str().unwrap()));
    assert_eq!((world.sandbox.exchanges().len(), world.sandbox.tokens_issued()), (1, 1));

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for name in ["renew_at", "expires_at"] {
        let at = parse_rfc3339(value[name].as_str().unwrap());
        assert!(at > now && at <= now + 3_600, "{name}: {}", value[name]);
    }
}

#[test]
fn no_proxy_gets_between() {
    // Through a proxy a metadata server would answer for another machine. Nobody listens at this one.
    let world = World::new();
    let mut command = world.keyless(["token"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command = command.env(name, "http://127.0.0.1:1");
    }
    command.outcome().success();
    assert_eq!(world.sandbox.exchanges().len(), 1);
}

/// Seconds since the epoch.
fn parse_rfc3339(text: &str) -> u64 {
    let format = time::format_description::well_known::Rfc3339;
    let time = time::OffsetDateTime::parse(text, &format).unwrap();
    u64::try_from(time.unix_timestamp()).unwrap()
}

#[test]
fn every_dialect_of_the_same_connection_works() {
    let world = World::new();
    let documents = world.sandbox.documents();
    let all =
        [documents.native, documents.airflow_uri, documents.airflow_json, documents.airflow_json_text_extra];
    for document in all {
        let token = world.keyless(["token", "-c", &document]).outcome().success();
        assert!(token.trim_end().len() > 40, "{document}");
    }
    assert_eq!(world.sandbox.tokens_issued(), 4);
}

#[test]
fn an_address_that_is_not_the_names() {
    let world = World::new();
    let port = world.sandbox.port(keyless_sandbox::ServiceName::Exchange);
    let document =
        world.document_with(&world.sandbox.token_endpoint(), "https://auth.openai.com/oauth/token");
    let rule = format!("auth.openai.com:443:127.0.0.1:{port}");
    world.keyless(["token", "-c", &document, "--connect-to", &rule]).outcome().success();
    let twin = format!("api.openai.com:443:127.0.0.1:1,{rule}");
    world.keyless(["token", "-c", &document]).env("KEYLESS_CONNECT_TO", twin).outcome().success();
    world
        .keyless(["token", "-c", &document, "--connect-to", "nonsense"])
        .outcome()
        .failure(2, "connect-to-invalid");
}

#[test]
fn an_outage_shorter_than_the_patience_is_bridged() {
    let world = World::new();
    let fault = keyless_sandbox::Fault::Status { status: 503, retry_after: None };
    world.sandbox.fault(keyless_sandbox::ServiceName::Exchange, fault, 1);
    let outcome = world.keyless(["token"]).outcome();
    assert_eq!(outcome.code, 0);
    assert_eq!(world.sandbox.exchanges().len(), 2);
    outcome.says("endpoint-failed");
}

#[test]
fn a_full_disk_is_no_panic() {
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let scratch = Scratch::new();
        let mut keyless = scratch.keyless(["token", "-c", KEY]);
        let output = keyless.command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr).unwrap().contains("(output-failed)\nnext: "));
    }
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let scratch = Scratch::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut keyless = scratch.keyless(["token", "-c", KEY]);
    let output = keyless.command.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("(output-failed)"));
}

#[test]
fn standard_error_may_be_closed() {
    let scratch = Scratch::new();
    for arguments in [&["token", "-vvv", "-c", KEY][..], &["token", "-c", "{}"], &[]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let status = scratch.keyless(arguments).command.stderr(writer).output().unwrap().status;
        assert_eq!(status.code(), Some(if arguments.contains(&KEY) { 0 } else { 2 }));
    }
}
