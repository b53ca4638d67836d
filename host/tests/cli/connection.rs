//! Every way to give a connection, and which one wins.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::harness::{Scratch, document, keyless, setting};

const PLAN: [&str; 3] = ["plan", "--json", "-c"];

#[track_caller]
fn project_of(scratch: &Scratch, connection: &str) -> String {
    scratch.keyless(PLAN.into_iter().chain([connection])).outcome().project()
}

#[test]
fn the_document_itself() {
    let scratch = Scratch::new();
    assert_eq!(project_of(&scratch, &document("p1")), "p1");
    assert_eq!(project_of(&scratch, &format!("\n  {}\n", document("p1"))), "p1");
    assert_eq!(project_of(&scratch, "api_key: sk-1\napi: {project: p2}"), "p2");
    let plan = scratch.keyless(PLAN.into_iter().chain(["openai://:sk-1@"])).outcome().json();
    assert_eq!(plan["dialect"], "airflow-uri");
}

#[test]
fn before_and_after_the_command() {
    let document = document("p1");
    for line in [["-c", &document, "plan", "--json"], ["plan", "--json", "-c", &document]] {
        assert_eq!(keyless(line).project(), "p1");
    }
    assert_eq!(keyless(["plan", "--json", &format!("--connection={document}")]).project(), "p1");
}

#[test]
fn a_file_in_any_form() {
    let scratch = Scratch::new();
    let yaml = "# ours\napi_key: sk-1\napi:\n  project: from-yaml\n";
    let toml = "api_key = \"sk-1\"\n[api]\nproject = \"from-toml\"\n";
    for (name, content, expected) in [
        ("a.json", &*document("from-json"), "from-json"),
        ("a.yaml", yaml, "from-yaml"),
        ("a.YML", yaml, "from-yaml"),
        ("a.toml", toml, "from-toml"),
        // Without a telling name, the content tells.
        ("json", &document("from-json"), "from-json"),
        ("yaml.txt", yaml, "from-yaml"),
        ("toml.conf", toml, "from-toml"),
        ("with bom", &format!("\u{feff}{}", document("from-json")), "from-json"),
    ] {
        scratch.file(name, content);
        assert_eq!(project_of(&scratch, &format!("@{name}")), expected, "{name}");
    }
    let absolute = scratch.file("below/a.json", document("p"));
    assert_eq!(project_of(&scratch, &format!("@{}", absolute.display())), "p");
}

#[test]
fn a_file_that_holds_a_uri() {
    let scratch = Scratch::new();
    for name in ["uri", "uri.yaml", "uri.json"] {
        scratch.file(name, "openai://:sk-1@https%3A%2F%2Fapi.example.com%2Fv1\n");
        let plan = scratch.keyless(PLAN.into_iter().chain([&*format!("@{name}")])).outcome().json();
        assert_eq!(setting(&plan, "api.base_url"), "https://api.example.com/v1");
    }
}

#[test]
fn a_file_whose_name_is_not_unicode() {
    let scratch = Scratch::new();
    let name = OsStr::from_bytes(b"\xff.json");
    std::fs::write(scratch.path().join(name), document("p1")).unwrap();
    let given = OsStr::from_bytes(b"@\xff.json");
    assert_eq!(scratch.keyless(PLAN.map(OsStr::new).into_iter().chain([given])).outcome().project(), "p1");
}

#[test]
fn standard_input_in_any_form() {
    for text in
        [&document("p1"), "api_key: sk-1\napi: {project: p1}\n", "api_key = 'sk-1'\napi.project = 'p1'\n"]
    {
        let scratch = Scratch::new();
        assert_eq!(
            scratch.keyless(PLAN.into_iter().chain(["-"])).input(text).outcome().project(),
            "p1",
            "{text}"
        );
    }
}

#[test]
fn the_order_of_places() {
    let scratch = Scratch::new();
    let plan = |arguments: &[&str], variables: &[(&str, &str)]| {
        let start = scratch.keyless(["plan", "--json"].iter().chain(arguments));
        variables.iter().fold(start, |command, (name, value)| command.env(name, value)).outcome()
    };
    let (keyless, airflow) = (document("keyless"), r#"{"conn_type":"openai","password":"sk-1"}"#);
    let openai = ("OPENAI_API_KEY", "sk-1");
    let all = [("KEYLESS_CONNECTION", &*keyless), ("AIRFLOW_CONN_OPENAI_DEFAULT", airflow), openai];

    plan(&[], &[]).failure(2, "connection-missing").says("-c").says("OPENAI_API_KEY").says("keyless.toml");
    assert_eq!(plan(&[], &[openai]).json()["dialect"], "environment");
    scratch.file("keyless.toml", "[connections]\nx = '{}'\n");
    assert_eq!(plan(&[], &[openai]).json()["dialect"], "environment", "a keyless.toml without default");
    scratch
        .file("keyless.toml", "default = 'x'\n[connections.x]\napi_key = 'sk-1'\napi = {project = 'toml'}\n");
    assert_eq!(plan(&[], &[openai]).project(), "toml");
    assert_eq!(plan(&[], &all[1..]).json()["dialect"], "airflow-json");
    assert_eq!(plan(&[], &all).project(), "keyless");
    assert_eq!(plan(&["-c", &document("given")], &all).project(), "given");
}

#[test]
fn an_empty_variable_is_none() {
    let scratch = Scratch::new();
    let outcome = scratch
        .keyless(["plan", "--json"])
        .env("KEYLESS_CONNECTION", "")
        .env("AIRFLOW_CONN_OPENAI_DEFAULT", " \n")
        .env("OPENAI_API_KEY", "sk-1")
        .outcome();
    assert_eq!(outcome.json()["dialect"], "environment");
}

#[test]
fn identity_variables_make_a_connection_too() {
    let outcome = Scratch::new()
        .keyless(["plan", "--json"])
        .env("OPENAI_IDENTITY_PROVIDER_ID", "idp_1")
        .env("OPENAI_SERVICE_ACCOUNT_ID", "svc_acct_1")
        .outcome();
    assert_eq!(setting(&outcome.json(), "exchange.identity_provider_id"), "idp_1");
}

#[test]
fn keyless_connection_has_the_same_grammar() {
    let scratch = Scratch::new();
    scratch.file("a.yaml", "api_key: sk-1\napi: {project: file}\n");
    scratch.file("keyless.toml", "[connections.prod]\napi_key = 'sk-1'\napi.project = 'name'\n");
    for (value, expected) in [("@a.yaml", "file"), ("prod", "name")] {
        let outcome = scratch.keyless(["plan", "--json"]).env("KEYLESS_CONNECTION", value).outcome();
        assert_eq!(outcome.project(), expected);
    }
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let scratch = Scratch::new();
    scratch.file("bad.yaml", "api_key: sk-canary\napi_key: sk-canary\n");
    scratch.file("bad.toml", "api_key = 'sk-canary'\nsince = 2026-11-21\n");
    scratch.file("bad.json", "{\"api_key\": \"sk-canary\",}");
    scratch.file("bytes", b"\xff\xfe");
    scratch.file("large", vec![b' '; 70_000]);
    scratch.file("empty", "");
    for (given, code, place) in [
        ("@bad.yaml", "document-syntax", "@bad.yaml has a key twice at line 2, column 1"),
        (
            "@bad.toml",
            "document-syntax",
            "@bad.toml has a date or time, which JSON cannot express, at line 2, column 9",
        ),
        ("@bad.json", "document-syntax", "line 1, column 25"),
        ("@bytes", "document-syntax", "@bytes is not UTF-8"),
        ("@large", "document-too-large", "@large holds more than 64 KiB"),
        ("@empty", "document-syntax", "@empty is neither"),
        ("@missing", "connection-file", "@missing cannot be read"),
        ("@.", "connection-file", "@. cannot be read"),
        ("@", "connection-file", "without a file"),
        ("{}", "field-missing", "in the connection from -c"),
        ("what is this", "connection-form", "neither a document nor a name"),
        ("", "connection-form", "neither a document nor a name"),
    ] {
        scratch
            .keyless(PLAN.into_iter().chain([given]))
            .outcome()
            .failure(2, code)
            .says(place)
            .says_nothing_of("canary");
    }
}

#[test]
fn a_document_that_is_not_unicode() {
    let given = OsStr::from_bytes(b"{\xff}");
    let arguments = PLAN.map(OsStr::new).into_iter().chain([given]);
    Scratch::new().keyless(arguments).outcome().failure(2, "document-syntax").says("not UTF-8");
    let scratch = Scratch::new();
    scratch.keyless(["plan"]).env("KEYLESS_CONNECTION", given).outcome().failure(2, "document-syntax");
    scratch
        .keyless(["plan"])
        .env("AIRFLOW_CONN_OPENAI_DEFAULT", given)
        .outcome()
        .failure(2, "document-syntax");
}

#[test]
fn an_endless_file_ends() {
    keyless(PLAN.into_iter().chain(["@/dev/zero"])).failure(2, "document-too-large");
}

#[test]
fn common_mistakes_are_met_with_advice() {
    let scratch = Scratch::new();
    scratch.file("conn", document("p"));
    scratch.file("conn.json", document("p"));
    for given in ["conn", "conn.json"] {
        let outcome = scratch.keyless(PLAN.into_iter().chain([given])).outcome();
        assert_eq!(outcome.code, 2);
        outcome.says(&format!("write @{given} to read that"));
    }
    scratch
        .keyless(PLAN.into_iter().chain(["sk-canary-0123"]))
        .outcome()
        .failure(2, "connection-name")
        .says("an API key is given as")
        .says_nothing_of("canary");
}
