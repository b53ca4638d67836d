//! `keyless plan`, the lock file that it writes, and `--locked`.

use serde_json::{Value, json};

use crate::harness::{Scratch, World, keyless, setting};

/// Exchanges a token file at a made-up endpoint.
const FEDERATED: &str = r#"{
  "source": {"type": "file", "token_file_path": "/tokens/token"},
  "exchange": {"type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1",
               "token_endpoint": "https://sts.example/token"}
}"#;

#[test]
fn text_for_people() {
    let text = keyless(["plan", "-c", FEDERATED]).success();
    for line in [
        "native connection from -c",
        "  source.token_file_path         /tokens/token",
        "needs to",
        "  send to  POST https://sts.example/token",
        "  read     /tokens/token",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} is not in\n{text}");
    }
    let default = text.lines().find(|line| line.contains("api.base_url")).unwrap();
    assert!(default.ends_with("  default"), "{default}");
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
}

#[test]
fn json_for_machines() {
    let plan = keyless(["plan", "--json", "-c", FEDERATED]).json();
    assert_eq!(plan["dialect"], "native");
    assert_eq!(
        plan["requirements"],
        json!({
            "endpoints": [{"method": "POST", "url": "https://sts.example/token"}],
            "files": ["/tokens/token"],
            "variables": [],
        })
    );
    assert_eq!(setting(&plan, "source.token_file_path"), "/tokens/token");
}

#[test]
fn variables_are_shown_with_their_state_and_never_their_value() {
    let scratch = Scratch::new();
    let outcome = scratch
        .keyless(["plan", "-c", r#"{"environment":"openai"}"#])
        .env("OPENAI_API_KEY", "sk-canary")
        .outcome();
    let text = outcome.success();
    assert!(text.contains("from $OPENAI_API_KEY"), "{text}");
    let line = |name: &str| {
        text.lines().find(|line| line.contains(&format!("be given  ${name} "))).unwrap().to_owned()
    };
    assert!(line("OPENAI_API_KEY").ends_with("  set"), "{text}");
    assert!(line("OPENAI_BASE_URL").ends_with("  not set"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn warnings_are_part_of_it() {
    let document = r#"{"api_key":"sk-1","api":{"projct":"p"}}"#;
    let text = keyless(["plan", "-c", document]).success();
    assert!(text.contains("\n1 warning\n") && text.contains("projct") && text.contains("project"), "{text}");
    // And they do not get lost when nobody looks at a plan.
    let outcome = keyless(["token", "-c", document]);
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "sk-1\n"));
    outcome.says("projct");
}

#[test]
fn a_plan_does_nothing() {
    let world = World::new();
    world.sandbox.remove_token().unwrap();
    world.keyless(["plan"]).outcome().success();
    assert!(world.sandbox.exchanges().is_empty());
}

#[test]
fn a_document_cannot_play_with_the_terminal() {
    let document = r#"{"api_key":"sk-1","api":{"a\u001b[2Jb\nc":"p"}}"#;
    let text = keyless(["plan", "-c", document]).success();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text}");
    let lines: Vec<_> = text.lines().filter(|line| line.contains("[2J")).collect();
    assert_eq!(lines.len(), 1, "the line break in the name must not break the line: {text}");
}

#[test]
fn what_is_locked_is_allowed_and_nothing_else() {
    let scratch = Scratch::new();
    let text = scratch.keyless(["plan", "-c", FEDERATED, "--lock", "keyless.lock"]).outcome().success();
    assert!(text.ends_with("\nlocked in keyless.lock\n"), "{text}");
    let lock: Value =
        serde_json::from_slice(&std::fs::read(scratch.path().join("keyless.lock")).unwrap()).unwrap();
    assert_eq!(lock["files"], json!(["/tokens/token"]));

    let locked =
        |document: &str| scratch.keyless(["plan", "-c", document, "--locked", "keyless.lock"]).outcome();
    assert!(locked(FEDERATED).success().contains("within what keyless.lock allows"));
    assert!(locked(r#"{"api_key":"sk-1"}"#).success().contains("needs nothing"), "less is allowed");
    for (from, to, named) in [
        ("sts.example", "evil.example", "POST https://evil.example/token"),
        ("https://sts.example/token", "https://sts.example/other", "POST https://sts.example/other"),
        ("/tokens/token", "/etc/shadow", "the file /etc/shadow"),
    ] {
        locked(&FEDERATED.replace(from, to)).failure(3, "grant-exceeded").says(named).says("--lock FILE");
    }
}

#[test]
fn a_lock_binds_token_and_run_before_anything_happens() {
    let world = World::new();
    world.keyless(["plan", "--lock", "keyless.lock"]).outcome().success();
    for arguments in [&["token"][..], &["run", "--", "true"]] {
        let locked = |document: &str| {
            world
                .keyless(arguments)
                .env("KEYLESS_LOCKED", "keyless.lock")
                .env("KEYLESS_CONNECTION", document)
                .outcome()
        };
        locked(&world.sandbox.documents().native).success();
        let before = world.sandbox.exchanges().len();
        let other = world.document_with("/oauth/token", "/oauth/other");
        locked(&other).failure(3, "grant-exceeded").says("/oauth/other");
        assert_eq!(world.sandbox.exchanges().len(), before);
    }
}

#[test]
fn a_locked_variable_is_not_even_read() {
    let scratch = Scratch::new();
    scratch.keyless(["plan", "-c", r#"{"api_key":"sk-1"}"#, "--lock", "keyless.lock"]).outcome().success();
    // Not Unicode: reading it would be another error.
    let value = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff");
    let document = r#"{"api_key":{"variable":"OTHER_SECRET"}}"#;
    let arguments = ["token", "-c", document, "--locked", "keyless.lock"];
    let outcome = scratch.keyless(arguments).env("OTHER_SECRET", value).outcome();
    outcome.failure(3, "grant-exceeded").says("the variable OTHER_SECRET");
}

#[test]
fn a_lock_that_cannot_be_used() {
    let scratch = Scratch::new();
    scratch.file("bad.lock", "{");
    scratch.file("new.lock", r#"{"version": 99}"#);
    for (file, code) in
        [("bad.lock", "lock-invalid"), ("new.lock", "lock-version"), ("none.lock", "lock-unreadable")]
    {
        scratch.keyless(["plan", "-c", FEDERATED, "--locked", file]).outcome().failure(2, code);
    }
    let nowhere = ["plan", "-c", FEDERATED, "--lock", "no/such/directory/lock"];
    scratch.keyless(nowhere).outcome().failure(1, "lock-unwritable");
}
