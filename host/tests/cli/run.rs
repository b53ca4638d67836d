//! `keyless run`: the environment of the program, and how it ends.

use std::os::unix::fs::PermissionsExt as _;

use crate::harness::{Scratch, World, keyless};

const KEY: &str = r#"{"api_key":"sk-1","api":{"base_url":"https://api.example/v1","project":"proj_1"}}"#;

#[track_caller]
fn run(script: &str) -> crate::harness::Outcome {
    keyless(["run", "-c", KEY, "--", "sh", "-c", script])
}

#[test]
fn the_program_gets_the_credential() {
    let out = run("echo $OPENAI_API_KEY $OPENAI_BASE_URL ${OPENAI_ORG_ID-none} $OPENAI_PROJECT_ID").success();
    assert_eq!(out, "sk-1 https://api.example/v1 none proj_1\n");
}

#[test]
fn what_the_credential_replaces_is_gone() {
    let scratch = Scratch::new();
    let names = "env | cut -d= -f1 | grep -E 'OPENAI|KEYLESS_C|OTHER' | sort | xargs";
    let outcome = scratch
        .keyless(["run", "--", "sh", "-c", names])
        .env("KEYLESS_CONNECTION", KEY)
        .env("AIRFLOW_CONN_OPENAI_DEFAULT", "openai://:old@")
        .env("OPENAI_API_KEY", "old")
        .env("OPENAI_ORG_ID", "old")
        .env("OTHER", "stays")
        .outcome();
    assert_eq!(
        outcome.success(),
        "KEYLESS_CACHE_DIR OPENAI_API_KEY OPENAI_BASE_URL OPENAI_PROJECT_ID OTHER\n"
    );
}

#[test]
fn identity_variables_are_used_up() {
    let world = World::new();
    let variables = [
        ("OPENAI_IDENTITY_PROVIDER_ID", "idp_sandbox".to_owned()),
        ("OPENAI_SERVICE_ACCOUNT_ID", "svc_acct_sandbox".to_owned()),
        ("OPENAI_IDENTITY_TOKEN_FILE", world.sandbox.token_path().display().to_string()),
    ];
    let port = world.sandbox.port(keyless_sandbox::ServiceName::Exchange);
    let rule = format!("auth.openai.com:443:127.0.0.1:{port}");
    let script = "env | grep -c ^OPENAI_IDENTITY; test ${#OPENAI_API_KEY} -gt 40";
    let start = world.scratch.keyless(["run", "--connect-to", &rule, "--", "sh", "-c", script]);
    let start = start.env("KEYLESS_CA_CERT", world.sandbox.ca_path());
    let outcome = variables.iter().fold(start, |command, (name, value)| command.env(name, value)).outcome();
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "0\n"), "{outcome:?}");
}

#[test]
fn it_ends_as_the_program_does() {
    for code in [0, 1, 42, 255] {
        assert_eq!(run(&format!("exit {code}")).code, code);
    }
    assert_eq!(run("kill -TERM $$").code, 128 + 15);
    assert_eq!(run("kill -KILL $$").code, 128 + 9);
}

#[test]
fn standard_streams_are_the_programs() {
    let scratch = Scratch::new();
    let outcome =
        scratch.keyless(["run", "-c", KEY, "--", "sh", "-c", "cat; echo err >&2"]).input("in").outcome();
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "in", "err\n"));
}

#[test]
fn a_program_that_is_not_there_or_no_program() {
    keyless(["run", "-c", KEY, "--", "no-such-program-anywhere"]).failure(127, "program-missing");
    let scratch = Scratch::new();
    let plain = scratch.file("plain", "#!/bin/sh\n");
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    for program in ["./plain", "/"] {
        scratch.keyless(["run", "-c", KEY, "--", program]).outcome().failure(126, "program-not-executable");
    }
}

#[test]
fn the_programs_arguments_are_its_own() {
    let out = keyless(["run", "-c", KEY, "--", "echo", "--help", "-c", "--", "@x"]).success();
    assert_eq!(out, "--help -c -- @x\n");
}

#[test]
fn without_a_credential_nothing_is_started() {
    let world = World::new();
    world.sandbox.remove_token().unwrap();
    world.keyless(["run", "--", "touch", "started"]).outcome().failure(4, "token-file-missing");
    assert!(!world.scratch.path().join("started").exists());
}

#[test]
fn the_credential_opens_the_api() {
    let world = World::new();
    let outcome = world.keyless(["run", "--", "sh", "-c", "printf %s \"$OPENAI_API_KEY\""]).outcome();
    assert_eq!(world.sandbox.tokens_issued(), 1);
    assert!(outcome.success().len() > 40);
}
