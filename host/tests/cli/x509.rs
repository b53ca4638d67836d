//! A client certificate as the identity: presented by the host, replaced while it runs, and out of the component's reach.

use std::fs;

use keyless_sandbox::ServiceName;
use serde_json::{Value, json};

use crate::harness::World;

/// The sandbox's recipe with other files.
fn document(world: &World, certificate: &str, key: &str) -> String {
    let recipe = &world.sandbox.documents().combinations["x509-openai"];
    let mut document: Value = serde_json::from_str(&recipe.document).unwrap();
    document["source"]["certificate_file"] = certificate.into();
    document["source"]["private_key_file"] = key.into();
    document.to_string()
}

fn recipe(world: &World) -> String {
    world.sandbox.documents().combinations["x509-openai"].document.clone()
}

#[test]
fn a_certificate_is_traded_and_so_is_the_next_one() {
    let world = World::new();
    let token = || world.keyless(["token", "-c", &recipe(&world)]).outcome().success();
    let (first, again) = (token(), token());
    assert_ne!(first, again, "each run has an exchange of its own");
    world.sandbox.rotate_client_certificate().unwrap();
    token();
    let requests = world.sandbox.requests(ServiceName::MutualTls);
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.status == Some(200)), "{requests:?}");
}

#[test]
fn what_cannot_be_presented_is_said_and_nothing_is_sent() {
    let world = World::new();
    let (certificate, key) = (world.sandbox.client_certificate_path(), world.sandbox.client_key_path());
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let empty = world.scratch.file("empty.pem", "");
    // The key of the certificate before this one.
    let old = world.scratch.file("old.key", fs::read(key).unwrap());
    world.sandbox.rotate_client_certificate().unwrap();
    let (empty, old) = (empty.to_str().unwrap(), old.to_str().unwrap());
    for (certificate, key, reason) in [
        ("/nonexistent/tls.crt", key, "/nonexistent/tls.crt"),
        (certificate, "/nonexistent/tls.key", "/nonexistent/tls.key"),
        (empty, key, "holds no certificate"),
        (certificate, empty, "holds no private key"),
        (certificate, old, "cannot be used together"),
    ] {
        let document = document(&world, certificate, key);
        let outcome = world.keyless(["token", "-c", &document]).outcome();
        outcome.failure(4, "client-certificate").says("`certificate_file`").says(reason);
    }
    assert!(world.sandbox.requests(ServiceName::MutualTls).is_empty());
}

#[test]
fn a_certificate_that_is_not_accepted_ends_the_session() {
    let (world, other) = (World::new(), World::new());
    let (certificate, key) = (other.sandbox.client_certificate_path(), other.sandbox.client_key_path());
    let document = document(&world, certificate.to_str().unwrap(), key.to_str().unwrap());
    let outcome = world.keyless(["token", "--timeout", "0.5", "-c", &document]).outcome();
    outcome.failure(6, "endpoint-untrusted").says("client certificate");
    assert!(world.sandbox.requests(ServiceName::MutualTls).is_empty());
}

#[test]
fn the_files_are_part_of_the_plan_and_of_the_lock() {
    let world = World::new();
    let plan = world.keyless(["plan", "--json", "-c", &recipe(&world)]).outcome().json();
    let (certificate, key) = (world.sandbox.client_certificate_path(), world.sandbox.client_key_path());
    assert_eq!(
        plan["requirements"]["client_certificate"],
        json!({"certificate_file": certificate, "private_key_file": key})
    );
    assert_eq!(plan["requirements"]["files"], json!([]), "the component reads neither");
    let text = world.keyless(["plan", "-c", &recipe(&world), "--lock", "lock"]).outcome().success();
    assert!(text.contains("  present  "), "{text}");
    world.keyless(["token", "-c", &recipe(&world), "--locked", "lock"]).outcome().success();
    let other = document(&world, certificate.to_str().unwrap(), "/etc/other.key");
    let outcome = world.keyless(["token", "-c", &other, "--locked", "lock"]).outcome();
    outcome.failure(3, "grant-exceeded").says("/etc/other.key");
}
