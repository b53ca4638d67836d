//! `--revoke`: the key goes at OpenAI first, as the sandbox plays it, and the connection only then.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use keyless_sandbox::{Fault, OpenAiAdminCall};
use serde_json::Value;

use super::{connection, key_file, text, toml};
use crate::harness::{Keyless, World};

/// A connection with a key of the sandbox's, and the command that deletes it.
struct Revoking {
    world: World,
    key: String,
}

impl Revoking {
    fn new(key: Option<&str>) -> Self {
        let world = World::new();
        let document: Value = serde_json::from_str(&world.sandbox.documents().native_static).unwrap();
        let key = key.map_or_else(|| document["api_key"].as_str().unwrap().to_owned(), str::to_owned);
        let added = world.keyless(["connection", "add", "a", "--project", world.sandbox.openai_project_id()]);
        added.input(key.as_str()).outcome().success();
        Self { world, key }
    }

    /// With the sandbox's Admin key in the variable.
    fn remove(&self, more: &[&str]) -> Keyless {
        let base_url = self.world.sandbox.base_url();
        let line = ["connection", "remove", "a", "--revoke", "--admin-url", base_url.as_str()];
        let admin = fs::read_to_string(self.world.sandbox.openai_admin_key_path()).unwrap();
        self.world.keyless(line.iter().chain(more)).env("OPENAI_ADMIN_KEY", admin)
    }

    /// The connection and its key are as they were.
    #[track_caller]
    fn is_untouched(&self) {
        assert!(text(&toml(&self.world.scratch)).contains("[connections.a]"));
        assert_eq!(text(&key_file(&self.world.scratch, "a")), format!("{}\n", self.key));
    }

    /// Whether the sandbox's API takes the key.
    fn is_valid(&self) -> bool {
        let document = self.world.sandbox.documents().native_static;
        self.world.keyless(["doctor", "-c", &document, "--json"]).outcome().code == 0
    }
}

#[test]
fn the_key_is_deleted_there_and_then_here() {
    let revoking = Revoking::new(None);
    assert!(revoking.is_valid());
    let out = revoking.remove(&[]).outcome().success();
    assert!(out.contains("the key key_sandbox is deleted at OpenAI"), "{out}");
    assert!(!revoking.is_valid());
    assert!(!text(&toml(&revoking.world.scratch)).contains("connections.a"));
    assert!(!key_file(&revoking.world.scratch, "a").exists());
}

#[test]
fn what_is_doubtful_deletes_nothing() {
    let revoking = Revoking::new(Some("sk-proj-nobody-knows-this-one"));
    revoking.remove(&[]).outcome().failure(1, "revoke-unclear").says("nothing was deleted");
    revoking.is_untouched();
    assert!(revoking.is_valid());
}

#[test]
fn a_service_account_s_key_is_left() {
    let minting = World::new();
    let document = minting.sandbox.documents().openai_service_account.document;
    // Which warns of accounts that are made for one use.
    let outcome = minting.keyless(["token", "-c", &document]).outcome();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    let key = outcome.out.trim().to_owned();
    let added = minting.keyless(["connection", "add", "a", "--project", minting.sandbox.openai_project_id()]);
    added.input(key.as_str()).outcome().success();
    let revoking = Revoking { world: minting, key };
    revoking.remove(&[]).outcome().failure(1, "revoke-unclear").says("belongs to a service account");
    revoking.is_untouched();
}

#[test]
fn a_refusal_or_an_outage_removes_nothing() {
    let revoking = Revoking::new(None);
    revoking
        .remove(&[])
        .env("OPENAI_ADMIN_KEY", "sk-admin-canary-wrong")
        .outcome()
        .failure(5, "admin-refused");
    revoking.remove(&["--project", "proj_other"]).outcome().failure(2, "admin-refused").says("status 404");
    revoking.remove(&[]).env("OPENAI_ADMIN_KEY", "").outcome().failure(2, "admin-key");
    let none = revoking.remove(&["--admin-key-file", "none.key"]).outcome();
    none.failure(2, "admin-key").says("none.key");
    let status = |status| Fault::Status { status, retry_after: None };
    revoking.world.sandbox.fault_on(OpenAiAdminCall::ListApiKeys, status(503), 1);
    revoking.remove(&[]).outcome().failure(6, "admin-refused").says("try again later");
    revoking.world.sandbox.fault_on(OpenAiAdminCall::ListApiKeys, Fault::CloseMidway, 1);
    revoking.remove(&[]).outcome().failure(6, "admin-unreachable");
    revoking.world.sandbox.fault_on(OpenAiAdminCall::DeleteApiKey, status(403), 1);
    revoking.remove(&[]).outcome().failure(5, "admin-refused");
    assert!(revoking.is_valid());
    // An answer that is lost: nobody knows, and that is what is said.
    revoking.world.sandbox.fault_on(OpenAiAdminCall::DeleteApiKey, Fault::CloseAfter, 1);
    revoking.remove(&[]).outcome().failure(1, "revoke-unknown").says("key_sandbox");
    revoking.is_untouched();
    assert!(!revoking.is_valid());
    connection(&revoking.world.scratch, &["remove", "a"]).success();
}

#[test]
fn an_admin_key_is_not_sent_just_anywhere_and_not_shown() {
    let revoking = Revoking::new(None);
    let admin = fs::read_to_string(revoking.world.sandbox.openai_admin_key_path()).unwrap();
    let file = revoking.world.scratch.file("admin.key", &admin);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let base_url = revoking.world.sandbox.base_url();
    let again = ["connection", "add", "a", "--replace", "--base-url", base_url.as_str()];
    revoking.world.keyless(again).input(revoking.key.as_str()).outcome().success();
    let line = ["connection", "remove", "a", "--revoke", "--admin-key-file", "admin.key"];
    let elsewhere = revoking.world.keyless(line).outcome();
    elsewhere.failure(1, "revoke-unclear").says("--admin-url");
    let plain = line.iter().copied().chain(["--admin-url", "http://api.example/v1"]);
    revoking.world.keyless(plain).outcome().failure(3, "grant-endpoint-insecure");
    let loud = ["-vvv", "--log-format", "json", "--admin-url", base_url.as_str()];
    let outcome = revoking.world.keyless(line.iter().chain(&loud)).outcome();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    for secret in [admin.trim(), revoking.key.as_str()] {
        assert!(!outcome.out.contains(secret) && !outcome.err.contains(secret), "{outcome:?}");
    }
}
