//! Connections with names.

use crate::harness::Scratch;

const TWO: &str = "\
default = 'stage'

[connections]
airflow = 'openai://:sk-1@https%3A%2F%2Fairflow.example'

[connections.stage]
api_key = 'sk-1'
api = { project = 'stage' }

[connections.prod]
api_key = 'sk-1'
api.project = 'prod'
";

#[test]
fn a_name_a_default_and_a_uri() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", TWO);
    assert_eq!(scratch.keyless(["plan", "--json"]).outcome().project(), "stage");
    assert_eq!(scratch.keyless(["plan", "--json", "-c", "prod"]).outcome().project(), "prod");
    let airflow = scratch.keyless(["plan", "--json", "-c", "airflow"]).outcome().json();
    assert_eq!(airflow["dialect"], "airflow-uri");
}

#[test]
fn the_nearest_file_wins() {
    let scratch = Scratch::new();
    let file =
        |project: &str| format!("default='x'\n[connections.x]\napi_key='sk-1'\napi.project='{project}'\n");
    let project = |arguments: &[&str], xdg: Option<&str>| {
        let start = scratch.keyless(["plan", "--json"].iter().chain(arguments));
        xdg.into_iter()
            .fold(start, |command, xdg| command.env("XDG_CONFIG_HOME", scratch.path().join(xdg)))
            .outcome()
            .project()
    };
    scratch.file(".config/keyless/keyless.toml", file("home"));
    assert_eq!(project(&[], None), "home");
    scratch.file("xdg/keyless/keyless.toml", file("xdg"));
    assert_eq!(project(&[], Some("xdg")), "xdg");
    scratch.file("keyless.toml", file("here"));
    assert_eq!(project(&[], Some("xdg")), "here");
    scratch.file("other.toml", file("named"));
    assert_eq!(project(&["--config", "other.toml"], Some("xdg")), "named");
    let outcome = scratch.keyless(["plan", "--json"]).env("KEYLESS_CONFIG", "other.toml").outcome();
    assert_eq!(outcome.project(), "named");
}

#[test]
fn an_unknown_name_lists_the_known_ones_nearest_first() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", TWO);
    scratch
        .keyless(["plan", "-c", "prdo"])
        .outcome()
        .failure(2, "connection-name")
        .says("choose one of prod, ");
    scratch.file("keyless.toml", TWO.replace("'stage'\n\n", "'satge'\n\n"));
    scratch.keyless(["plan"]).outcome().failure(2, "config-invalid").says("choose one of stage, ");
}

#[test]
fn a_name_without_a_file() {
    Scratch::new()
        .keyless(["plan", "-c", "prod"])
        .outcome()
        .failure(2, "connection-name")
        .says("no keyless.toml");
}

#[test]
fn a_file_that_is_wrong() {
    for (content, code, place) in [
        ("default = ", "config-invalid", "line 1"),
        ("default = 1", "config-invalid", "`default` that is not text"),
        ("connections = 'canary'", "config-invalid", "`connections` that is not a table"),
        ("[connections]\nx = ['canary']", "config-invalid", "`x` that is neither"),
        ("[connections.'a b']\n", "config-invalid", "letters, digits"),
        ("[connections.x]\nsince = 07:30:00", "config-invalid", "line 2, column 9"),
        ("[connections.x]\napi_key = 'canary", "config-invalid", "line 2"),
    ] {
        let scratch = Scratch::new();
        scratch.file("keyless.toml", content);
        let outcome = scratch.keyless(["plan", "-c", "x"]).outcome();
        outcome.failure(2, code).says("keyless.toml ").says(place).says_nothing_of("canary");
    }
    let scratch = Scratch::new();
    scratch.keyless(["plan", "-c", "x", "--config", "none.toml"]).outcome().failure(2, "config-unreadable");
}

#[test]
fn an_unknown_key_is_reported_with_the_nearest_known_one() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", "defualt = 'x'\n[connections.x]\napi_key = 'sk-1'\n");
    let outcome = scratch.keyless(["plan", "-c", "x"]).outcome();
    assert_eq!(outcome.code, 0);
    outcome.says("key=\"defualt\"").says("known are default, ");
}

#[test]
fn it_is_not_even_looked_at_when_not_needed() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", "not toml");
    scratch.keyless(["plan", "-c", "{\"api_key\":\"sk-1\"}"]).outcome().success();
}

#[test]
fn each_connection_is_given_its_own_and_nothing_of_the_others() {
    let scratch = Scratch::new();
    scratch.file(
        "keyless.toml",
        "[connections.reading]\nnickname = 'reading'\norganization_id = 'org-1'\napi_key = { variable = 'READ_KEY' }\n\
         [connections.all]\nnickname = 'all'\norganization_id = 'org-1'\napi_key = { variable = 'FULL_KEY' }\n",
    );
    let run = |arguments: &[&str]| {
        let both = scratch.keyless(arguments).env("READ_KEY", "sk-canary-read");
        both.env("FULL_KEY", "sk-canary-full").outcome()
    };
    let plan = run(&["plan", "--json", "-c", "reading"]).json();
    assert_eq!(plan["dialect"], "okta");
    assert_eq!(plan["requirements"]["variables"], serde_json::json!(["READ_KEY"]));
    assert_eq!(run(&["token", "-c", "reading"]).success(), "sk-canary-read\n");
    assert_eq!(run(&["token", "-c", "all"]).success(), "sk-canary-full\n");
    // A lock for the one refuses the other.
    run(&["plan", "-c", "reading", "--lock", "reading.lock"]).success();
    run(&["token", "-c", "reading", "--locked", "reading.lock"]).success();
    run(&["token", "-c", "all", "--locked", "reading.lock"]).failure(3, "grant-exceeded").says("FULL_KEY");
}
