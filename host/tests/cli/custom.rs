//! The source `custom`: a component of one's own, by the recipe for Oracle Cloud. The identity domain is played here, on
//! loopback; what it gives is a token that the sandbox's exchange accepts.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use keyless_test_components::{MISBEHAVING, ORACLE};
use serde_json::{Value, json};

use crate::harness::World;

const PATH: &str = "/oauth2/v1/token";

/// Answers until the test ends. Where it is.
fn identity_domain(token_file: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &std::fs::read_to_string(&token_file).unwrap());
        }
    });
    url
}

fn answer(mut stream: TcpStream, token: &str) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut form = vec![0; length];
    reader.read_exact(&mut form).unwrap();
    // client-1:domain-secret
    let known = head.contains("authorization: Basic Y2xpZW50LTE6ZG9tYWluLXNlY3JldA==");
    let asked =
        head.starts_with(&format!("POST {PATH} ")) && form.starts_with(b"grant_type=client_credentials&");
    let (status, body) = if known && asked {
        ("200 OK", json!({"access_token": token.trim(), "token_type": "Bearer", "expires_in": 3600}))
    } else {
        ("401 Unauthorized", json!({"error": "invalid_client"}))
    };
    let body = body.to_string();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

/// The sandbox, a component with all that it needs, and the document that says so.
struct Setting {
    world: World,
    domain: String,
    document: Value,
}

impl Setting {
    fn new() -> Self {
        let world = World::new();
        let domain = identity_domain(world.sandbox.token_path());
        let component = world.scratch.file("oracle.wasm", ORACLE);
        let secret = world.scratch.file("secrets/domain", "domain-secret\n");
        let mut document: Value = serde_json::from_str(&world.sandbox.documents().native).unwrap();
        document["source"] = json!({
            "type": "custom",
            "component": component,
            "endpoints": [format!("POST {domain}{PATH}")],
            "files": [secret],
            "variables": ["ORACLE_DOMAIN_URL", "ORACLE_CLIENT_ID", "ORACLE_CLIENT_SECRET_FILE"],
        });
        Self { world, domain, document }
    }

    fn keyless(&self, arguments: &[&str], document: &Value) -> crate::harness::Outcome {
        self.world
            .keyless(arguments)
            .env("KEYLESS_CONNECTION", document.to_string())
            .env("ORACLE_DOMAIN_URL", &self.domain)
            .env("ORACLE_CLIENT_ID", "client-1")
            .env("ORACLE_CLIENT_SECRET_FILE", self.world.scratch.path().join("secrets/domain"))
            .outcome()
    }

    fn announced_type(&self) -> String {
        let exchanges = self.world.sandbox.exchanges();
        exchanges.last().unwrap().body["subject_token_type"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_component_of_one_s_own_gives_the_token() {
    let setting = Setting::new();
    for (kind, urn) in [("jwt", "jwt"), ("id", "id_token")] {
        let mut document = setting.document.clone();
        document["source"]["token_type"] = json!(kind);
        let token = setting.keyless(&["token"], &document).success();
        assert!(!token.trim().is_empty());
        assert_eq!(setting.announced_type(), format!("urn:ietf:params:oauth:token-type:{urn}"));
    }
}

#[test]
fn airflow_s_custom_names_a_component() {
    let setting = Setting::new();
    let mut document: Value = serde_json::from_str(&setting.world.sandbox.documents().airflow_json).unwrap();
    let extra = document["extra"].as_object_mut().unwrap();
    extra.remove("token_file_path");
    extra.insert("workload_identity_provider".into(), json!("custom"));
    extra.insert("token_type".into(), json!("id"));
    for name in ["component", "endpoints", "files", "variables"] {
        extra.insert(format!("token_source_{name}"), setting.document["source"][name].clone());
    }
    setting.keyless(&["token"], &document).success();
    assert_eq!(setting.announced_type(), "urn:ietf:params:oauth:token-type:id_token");
}

#[test]
fn a_plan_says_who_needs_what() {
    let setting = Setting::new();
    let text = setting.keyless(&["plan"], &setting.document).success();
    let component = setting.world.scratch.path().join("oracle.wasm");
    let (of_connection, of_component) =
        text.split_once(&format!("{} needs to\n", component.display())).unwrap();
    assert!(of_connection.contains("  ask      "), "{text}");
    assert!(!of_connection.contains(PATH) && !of_connection.contains("$ORACLE_CLIENT_ID"), "{text}");
    assert!(of_component.contains(PATH) && of_component.contains("secrets/domain"), "{text}");
    assert!(of_component.contains("$ORACLE_CLIENT_ID") && of_component.contains("  set\n"), "{text}");
}

#[test]
fn what_a_component_is_not_granted_it_does_not_get() {
    let setting = Setting::new();
    for (name, granted, says) in [
        ("files", json!([]), "is not in `source.files`"),
        (
            "variables",
            json!(["ORACLE_DOMAIN_URL", "ORACLE_CLIENT_SECRET_FILE"]),
            "ORACLE_CLIENT_ID is not set",
        ),
        ("endpoints", json!([format!("POST {}/other", setting.domain)]), "gave no answer"),
    ] {
        let mut document = setting.document.clone();
        document["source"][name] = granted;
        let outcome = setting.keyless(&["token"], &document);
        outcome.failure(4, "token-not-given").says(says).says_nothing_of("domain-secret");
    }
    let mut document = setting.document.clone();
    document["source"]["endpoints"] = json!([]);
    setting.keyless(&["token"], &document).failure(3, "source-component-import-denied").says("wasi:http");
    document["source"]["component"] = json!("/no/such/component.wasm");
    setting.keyless(&["token"], &document).failure(2, "source-component-unreadable");
    assert!(setting.world.sandbox.exchanges().is_empty());
}

#[test]
fn a_lock_covers_the_component_to_the_byte() {
    let setting = Setting::new();
    setting.keyless(&["plan", "--lock", "keyless.lock"], &setting.document).success();
    let lock = std::fs::read_to_string(setting.world.scratch.path().join("keyless.lock")).unwrap();
    let lock: Value = serde_json::from_str(&lock).unwrap();
    assert_eq!(lock["source"]["path"], setting.document["source"]["component"]);
    assert_eq!(lock["source"]["sha256"].as_str().unwrap().len(), 64);
    let locked = ["token", "--locked", "keyless.lock"];
    setting.keyless(&locked, &setting.document).success();

    let mut more = setting.document.clone();
    more["source"]["variables"].as_array_mut().unwrap().push(json!("HOME"));
    setting.keyless(&locked, &more).failure(3, "grant-exceeded").says("the variable HOME for the component");

    setting.world.scratch.file("oracle.wasm", MISBEHAVING);
    for arguments in [&locked[..], &["plan", "--locked", "keyless.lock"]] {
        let outcome = setting.keyless(arguments, &setting.document);
        outcome.failure(3, "source-component-changed").says("oracle.wasm").says("--lock FILE");
    }
}
