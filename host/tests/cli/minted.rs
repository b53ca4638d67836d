//! Keys that a connection makes itself, through the command: rotated, listed, used, deleted; and docs/minted-keys.md, pasted
//! into a shell.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use keyless_sandbox::{Fault, OpenAiAdminCall, ServiceAccountRecord};
use serde_json::Value;

use crate::harness::{Background, Outcome, World, setting};

/// With a minted document as the connection.
fn keyless(world: &World, arguments: &[&str]) -> crate::harness::Keyless {
    let document = world.sandbox.documents().openai_service_account.document;
    world.keyless(arguments).env("KEYLESS_CONNECTION", document)
}

fn accounts(world: &World) -> Vec<ServiceAccountRecord> {
    world.sandbox.service_accounts().accounts
}

fn listed(world: &World) -> Vec<Value> {
    keyless(world, &["accounts", "list", "--json"]).outcome().json().as_array().unwrap().clone()
}

/// A command that made something and says so.
#[track_caller]
fn made(outcome: Outcome) -> String {
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.out
}

#[test]
fn the_plan_names_all_that_is_needed() {
    let world = World::new();
    let plan = keyless(&world, &["plan", "--json"]).outcome();
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(setting(&plan, "auth_type"), "minted_key");
    assert_eq!(plan["requirements"]["endpoints"].as_array().unwrap().len(), 3);
    assert_eq!(plan["requirements"]["files"].as_array().unwrap().len(), 1);
    assert!(accounts(&world).is_empty(), "a plan makes nothing");
}

#[test]
fn rotating_makes_a_key_and_leaves_the_one_before_in_its_grace() {
    let world = World::new();
    let first = keyless(&world, &["rotate"]).outcome();
    assert!(first.err.contains("a new key, good until"), "{first:?}");
    assert!(first.err.contains("0 accounts deleted"), "{first:?}");
    let second = made(keyless(&world, &["rotate"]).outcome());
    assert!(first.out.starts_with("sk-svcacct-") && first.out != second);
    assert_eq!((accounts(&world).len(), world.sandbox.service_accounts().alive), (2, 2));
    assert!(
        listed(&world)
            .iter()
            .all(|account| account["standing"] == "in use" && account["of_this_connection"] == true)
    );

    // The interval and twice the grace are 70 s, and there is a margin of a minute.
    world.sandbox.advance_clock(Duration::from_secs(140));
    let dry = keyless(&world, &["accounts", "prune", "--dry-run"]).outcome().success();
    assert!(dry.starts_with("2 service accounts would be deleted, 0 left\n"), "{dry}");
    assert_eq!(world.sandbox.service_accounts().alive, 2);
    let third = keyless(&world, &["rotate"]).outcome();
    assert!(third.err.contains("2 accounts deleted"), "{third:?}");
    assert_eq!(world.sandbox.service_accounts().alive, 1);
}

#[test]
fn what_a_program_was_given_is_deleted_when_it_ends() {
    let world = World::new();
    let script =
        r#"curl --fail --silent -H "Authorization: Bearer $OPENAI_API_KEY" "$OPENAI_BASE_URL/models""#;
    let models = made(keyless(&world, &["run", "--", "sh", "-c", script]).outcome());
    assert!(models.contains("\"object\""), "{models}");
    let [account] = &accounts(&world)[..] else { panic!("one account") };
    assert!(account.uses == 1 && account.deleted_at_ms.is_some() && account.uses_after_deletion == 0);
}

#[test]
fn an_answer_that_gets_lost_leaves_nothing() {
    let world = World::new();
    world.sandbox.fault_on(OpenAiAdminCall::CreateServiceAccount, Fault::CloseAfter, 1);
    made(keyless(&world, &["rotate"]).outcome());
    let accounts = accounts(&world);
    assert_eq!((accounts.len(), world.sandbox.service_accounts().alive), (2, 1));
    assert!(accounts[0].deleted_at_ms.is_some() && accounts[0].uses == 0);
}

#[test]
fn an_instance_knows_what_an_earlier_life_left() {
    let world = World::new();
    made(keyless(&world, &["rotate", "--instance", "web-0"]).outcome());
    let plan = keyless(&world, &["plan", "--json", "--instance", "web-0"]).outcome();
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(setting(&plan, "exchange.instance"), "web-0");
    // The next life, for as long as its program runs: then all of the instance's are deleted.
    made(keyless(&world, &["run", "--instance", "web-0", "--", "true"]).outcome());
    assert_eq!(world.sandbox.service_accounts().alive, 0);
}

#[test]
fn an_admin_key_that_is_refused_is_named() {
    let world = World::new();
    fs::write(world.sandbox.openai_admin_key_path(), "sk-admin-of-somebody-else").unwrap();
    keyless(&world, &["rotate"]).outcome().failure(5, "admin-key-refused").says("sk-admin-...");
    fs::remove_file(world.sandbox.openai_admin_key_path()).unwrap();
    keyless(&world, &["accounts", "list"]).outcome().failure(4, "key-file-missing").says("the Admin key");
}

#[test]
fn what_makes_no_keys_has_none_to_rotate_or_list() {
    let world = World::new();
    world.keyless(["rotate"]).outcome().failure(2, "not-minted").says("makes no keys");
    world.keyless(["accounts", "list"]).outcome().failure(2, "field-value").says("openai-service-account");
    world.keyless(["token"]).outcome().success();
    let token = keyless(&world, &["token"]).outcome();
    assert!(token.code == 0 && token.err.contains("minted-for-one-use"), "{token:?}");
}

#[test]
fn the_doctor_leaves_nothing_behind() {
    let world = World::new();
    let report = keyless(&world, &["doctor", "--json"]).outcome();
    assert_eq!(report.code, 0, "{report:?}");
    assert_eq!((accounts(&world).len(), world.sandbox.service_accounts().alive), (1, 0));
}

/// The manifests that External Secrets takes, with the Secret mounted beside.
#[test]
fn the_generators_manifest_is_a_connection() {
    let world = World::new();
    let key = fs::read(world.sandbox.openai_admin_key_path()).unwrap();
    world.scratch.file("secrets/openai-admin-secret/api-key", key);
    let host = world.sandbox.documents().openai_service_account.try_on.replace("/models", "");
    let manifest = world.scratch.file(
        "generator.yaml",
        format!(
            "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {{name: openai}}\nspec: {{refreshInterval: 1h0m0s}}\n---\n\
             apiVersion: generators.external-secrets.io/v1alpha1\nkind: OpenAI\nmetadata: {{name: openai-generator}}\n\
             spec:\n  projectId: {}\n  openAiAdminKey: {{name: openai-admin-secret, key: api-key}}\n  host: {host}\n  serviceAccountNamePrefix: app\n",
            world.sandbox.openai_project_id()
        ),
    );
    let secrets = world.scratch.path().join("secrets");
    let start = |arguments: &[&str]| {
        let command = world.keyless(arguments).env("KEYLESS_SECRETS_DIR", &secrets);
        command.env("KEYLESS_CONNECTION", format!("@{}", manifest.display())).outcome()
    };
    let plan = start(&["plan", "--json"]).json();
    assert_eq!(plan["dialect"], "external-secrets");
    assert_eq!(setting(&plan, "exchange.refresh_interval"), "1h");
    assert!(made(start(&["rotate"])).starts_with("sk-svcacct-"));
    assert!(accounts(&world)[0].name.starts_with("app-"));
}

/// With the page's own words, in a directory in which the sandbox's announcement lies, and nothing else.
#[test]
fn the_page_works_as_it_is_written() {
    let world = World::new();
    let mut sandbox = world.scratch.keyless(["sandbox", "--json"]).command;
    let mut sandbox = sandbox.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut announced = String::new();
    let mut lines = BufReader::new(sandbox.stdout.take().unwrap());
    while serde_json::from_str::<Value>(&announced).is_err() {
        assert!(lines.read_line(&mut announced).unwrap() > 0, "the sandbox ended: {announced}");
    }
    let sandbox = Background(sandbox);
    world.scratch.file("sandbox.json", &announced);

    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/minted-keys.md")).unwrap();
    let (_, block) = page.split_once("\n```sh\n").unwrap();
    let (block, _) = block.split_once("\n```\n").unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_keyless")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-euc", block]).current_dir(world.scratch.path());
    shell.env_clear().env("PATH", path).env("HOME", world.scratch.path());
    let mut shell = shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    shell.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let mut complained = String::new();
    shell.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
    assert!(shell.wait().unwrap().success(), "{said}\n{complained}");
    drop(sandbox);
    for expected in [
        "openai-service-account",
        "1 service account of Keyless in this project",
        "1 service account would be deleted, 0 left",
        "1 service account deleted, 0 left",
        "no service accounts of Keyless in this project",
    ] {
        assert!(said.contains(expected), "{expected:?} is not in:\n{said}\n{complained}");
    }
    assert!(!said.contains("sk-svcacct-"), "a key is shown:\n{said}");
}
