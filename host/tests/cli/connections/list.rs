//! Listing and showing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{KEY, add, connection, is_nowhere_else, key_file};
use crate::harness::Scratch;

const FILE: &str = "\
default = 'cluster'

[connections]
airflow = 'openai://:sk-canary-1@https%3A%2F%2Fairflow.example'
number = 7

[connections.cluster]
source = { type = 'kubernetes', token_file_path = '/t' }
exchange = { identity_provider_id = 'idp_1', service_account_id = 'svc_acct_1' }
api.project = 'proj_c'

[connections.text]
nickname = 'text'
organization_id = 'org-1'
api_key = 'sk-canary-2'

[connections.variable]
api_key = { variable = 'NOT_SET' }

[connections.ring]
nickname = 'ring'
api_key = { keyring = 'ring' }

[connections.dated]
since = 2026-11-21

[connections.wrong]
exchange = { identity_provider_id = 'idp_1' }
";

fn find<'a>(list: &'a Value, name: &str) -> &'a Value {
    list["connections"].as_array().unwrap().iter().find(|c| c["name"] == name).unwrap()
}

#[test]
fn all_are_listed_and_a_broken_one_hides_no_other() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", FILE);
    add(&scratch, &["kept", "--organization", "org-K", "--permissions", "full"]);
    let outcome = connection(&scratch, &["list", "--format", "json"]);
    is_nowhere_else(&outcome);
    let list = outcome.json();
    let kinds = |name: &str| {
        let connection = find(&list, name);
        (connection["dialect"].clone(), connection["auth"].clone(), connection["key"]["stored_in"].clone())
    };
    let null = Value::Null;
    assert_eq!(kinds("airflow"), (json!("airflow-uri"), json!("api_key"), null.clone()));
    assert_eq!(kinds("cluster"), (json!("native"), json!("kubernetes, openai"), null.clone()));
    assert_eq!(kinds("text"), (json!("okta"), json!("api_key"), json!("document")));
    assert_eq!(kinds("variable"), (json!("native"), json!("api_key"), json!("variable")));
    assert_eq!(kinds("ring"), (json!("okta"), json!("api_key"), json!("keyring")));
    assert_eq!(kinds("kept"), (json!("okta"), json!("api_key"), json!("file")));
    assert_eq!(find(&list, "cluster")["default"], true);
    assert_eq!(find(&list, "cluster")["project"], "proj_c");
    let kept = find(&list, "kept");
    assert_eq!((&kept["organization"], &kept["permissions"]), (&json!("org-K"), &json!("full")));
    assert_eq!((&kept["key"]["managed"], &kept["fault"]), (&json!(true), &null));
    for (name, code) in
        [("number", "config-invalid"), ("dated", "config-invalid"), ("wrong", "field-missing")]
    {
        assert_eq!(find(&list, name)["fault"]["code"], code, "{name}");
    }
    let table = connection(&scratch, &["list"]).success();
    for line in ["NAME", "cluster", "default", "dated cannot be used: ", "line 25", "wrong cannot be used: "]
    {
        assert!(table.contains(line), "{line} is not in {table}");
    }
    assert!(!table.contains("canary"), "{table}");
}

#[test]
fn without_a_file_there_are_none() {
    let scratch = Scratch::new();
    assert!(connection(&scratch, &["list"]).success().starts_with("no connections in "));
    assert_eq!(connection(&scratch, &["list", "--format", "json"]).json()["connections"], json!([]));
    scratch.file("keyless.toml", "a = 'canary");
    connection(&scratch, &["list"]).failure(2, "config-invalid").says_nothing_of("canary");
    connection(&scratch, &["list", "--config", "."]).failure(2, "config-unreadable");
}

#[test]
fn one_is_shown_with_the_state_of_its_key() {
    let scratch = Scratch::new();
    add(&scratch, &["a", "--project", "proj_1"]);
    let outcome = connection(&scratch, &["show", "a"]);
    is_nowhere_else(&outcome);
    let shown = outcome.success();
    for part in ["proj_1", "kept by keyless", "there, 28 characters"] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let file = key_file(&scratch, "a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(file.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
    let shown = connection(&scratch, &["show", "a", "--format", "json"]).json();
    let warnings = shown["secret"]["warnings"].as_array().unwrap();
    assert!(warnings[0].as_str().unwrap().contains("the mode 0640"), "{warnings:?}");
    assert!(warnings[1].as_str().unwrap().contains("the mode 0777"), "{warnings:?}");
    fs::remove_file(&file).unwrap();
    let shown = connection(&scratch, &["show", "a", "--format", "json"]).json();
    assert_eq!(
        (&shown["secret"]["readable"], &shown["secret"]["fault"]["code"]),
        (&json!(false), &json!("key-unreadable"))
    );

    scratch.file("keyless.toml", FILE);
    let text = connection(&scratch, &["show", "text"]);
    is_nowhere_else(&text);
    assert!(text.success().contains("stands in keyless.toml itself"));
    assert!(connection(&scratch, &["show", "variable"]).success().contains("not set here"));
    let set = scratch.keyless(["connection", "show", "variable"]).env("NOT_SET", KEY).outcome();
    is_nowhere_else(&set);
    assert!(set.success().contains("there, 28 characters"));
    assert!(connection(&scratch, &["show", "dated"]).success().contains("line 25"));
    connection(&scratch, &["show", "clustre"]).failure(2, "connection-name").says("choose one of cluster, ");
}
