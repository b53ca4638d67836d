//! What may be asked for, on paper and when it counts.

use keyless::{ClientCertificate, ConnectTo, Endpoint, ErrorKind, Grant, Lock, Requirements, Variables};

use crate::world::{DOCUMENT, ENDPOINT, World};

fn needs() -> Requirements {
    Requirements {
        endpoints: vec![Endpoint::new("POST", ENDPOINT)],
        files: vec!["/var/run/secrets/openai/token".into()],
        variables: vec!["OPENAI_API_KEY".into()],
        client_certificate: None,
        source: None,
    }
}

#[tokio::test]
async fn a_plan_names_all_that_it_needs() {
    let world = World::without_token();
    assert!(world.runtime.variables(DOCUMENT).await.unwrap().is_empty());
    let plan = world.runtime.plan(DOCUMENT, &Variables::new()).await.unwrap();
    assert_eq!(plan.dialect, "native");
    assert_eq!(plan.requirements, Requirements { variables: Vec::new(), ..needs() });
    assert!(plan.settings.iter().any(|setting| setting.name == "source.token_file_path"));
}

#[tokio::test]
async fn a_wrong_document_is_the_author_s() {
    let world = World::without_token();
    for document in ["", "{", "{\"source\":{\"type\":\"nowhere\"}}"] {
        assert_eq!(
            world.runtime.variables(document).await.err().map_or(ErrorKind::Invalid, |e| e.kind),
            ErrorKind::Invalid
        );
        let error = world.runtime.plan(document, &Variables::new()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{document}");
        let error = world.runtime.open(document, Variables::new(), Grant::none()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{document}");
    }
}

#[test]
fn a_grant_covers_what_it_names_and_says_what_is_beyond() {
    let grant = Grant::for_requirements(&needs());
    grant.covers(&needs()).unwrap();
    grant.covers(&Requirements::default()).unwrap();
    let spelt = Requirements {
        endpoints: vec![Endpoint::new("POST", "https://AUTH.openai.com:443/oauth/token")],
        ..Requirements::default()
    };
    grant.covers(&spelt).unwrap();

    let error = Grant::none().covers(&needs()).unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "grant-exceeded"));
    for named in [&format!("POST {ENDPOINT}"), "/var/run/secrets/openai/token", "OPENAI_API_KEY"] {
        assert!(error.message.contains(named), "{error}");
    }
    for (method, url) in
        [("GET", ENDPOINT), ("POST", "https://auth.openai.com/oauth/token2"), ("POST", "no url")]
    {
        let more = Requirements { endpoints: vec![Endpoint::new(method, url)], ..Requirements::default() };
        assert_eq!(grant.covers(&more).unwrap_err().code, "grant-exceeded", "{method} {url}");
    }
}

#[test]
fn a_client_certificate_is_granted_by_name() {
    let certificate =
        |key: &str| ClientCertificate { certificate_file: "/tls.crt".into(), private_key_file: key.into() };
    let wanted = Requirements { client_certificate: Some(certificate("/tls.key")), ..needs() };
    let error = Grant::for_requirements(&needs()).covers(&wanted).unwrap_err();
    assert!(error.message.contains("/tls.crt with the key /tls.key"), "{error}");
    let grant = Grant::for_requirements(&wanted);
    grant.covers(&wanted).unwrap();
    grant.covers(&needs()).unwrap();
    assert!(grant.clone().present(certificate("/other.key")).covers(&wanted).is_err());
    let lock = Lock::new(grant, World::without_token().runtime.component_info());
    assert_eq!(Lock::from_json(&lock.to_json()).unwrap(), lock);
}

#[tokio::test]
async fn a_document_that_needs_more_is_not_opened() {
    let world = World::new();
    let grants = [
        Grant::none(),
        Grant::none().endpoint(Endpoint::new("POST", ENDPOINT)),
        Grant::none().file("/var/run/secrets/openai/token"),
        Grant::none().file("/var/run/secrets/openai/token").endpoint(Endpoint::new("GET", ENDPOINT)),
    ];
    for grant in grants {
        let error = world.runtime.open(DOCUMENT, Variables::new(), grant).await.unwrap_err();
        assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "grant-exceeded"));
    }
    let insecure = Grant::none().endpoint(Endpoint::new("POST", "http://auth.openai.com/oauth/token"));
    let error = world.runtime.open(DOCUMENT, Variables::new(), insecure).await.unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "grant-endpoint-insecure"));
    assert_eq!(world.endpoint.requests(), 0);
}

#[tokio::test]
async fn a_lock_file_says_the_same_every_time() {
    let world = World::without_token();
    let lock = Lock::new(Grant::for_requirements(&needs()), world.runtime.component_info());
    let json = lock.to_json();
    assert!(json.ends_with("}\n"));
    assert!(json.contains(&world.runtime.component_info().sha256));
    assert_eq!(Lock::from_json(&json).unwrap(), lock);
    let mut turned = needs();
    turned.endpoints.insert(0, Endpoint::new("PUT", "https://z.example/"));
    turned.endpoints.push(Endpoint::new("GET", "https://a.example/"));
    let lock = Lock::new(Grant::for_requirements(&turned), world.runtime.component_info());
    turned.endpoints.reverse();
    let again = Lock::new(Grant::for_requirements(&turned), world.runtime.component_info());
    assert_eq!(lock.to_json(), again.to_json());
}

#[test]
fn a_lock_file_that_is_none_says_why() {
    let with = |fields: &str| format!(r#"{{"version":1,"component":{{"sha256":"00"}},{fields}}}"#);
    for (json, code) in [
        ("", "lock-invalid"),
        ("[]", "lock-invalid"),
        (r#"{"version":2,"new":true}"#, "lock-version"),
        (&with(r#""endpoints":[],"files":[]"#), "lock-invalid"),
        (&with(r#""endpoints":[],"files":[],"variables":[],"sockets":[]"#), "lock-invalid"),
        (
            &with(r#""endpoints":[{"method":"GET","url":"http://a.example/"}],"files":[],"variables":[]"#),
            "grant-endpoint-insecure",
        ),
        (
            &with(r#""endpoints":[{"method":"GET","url":"x"}],"files":[],"variables":[]"#),
            "grant-endpoint-invalid",
        ),
    ] {
        assert_eq!(Lock::from_json(json).unwrap_err().code, code, "{json}");
    }
}

#[tokio::test]
async fn the_component_is_what_it_claims_to_be() {
    let world = World::without_token();
    let info = world.runtime.component_info();
    assert_eq!((info.sha256.len(), info.size), (64, keyless_artifact::CREDENTIAL_PROVIDER.len() as u64));
    assert_eq!(info.exports, ["keyless:credentials/credential-provider@0.1.0"]);
    let imports = [
        "keyless:credentials/types@0.1.0",
        "wasi:clocks/monotonic-clock@0.2.0",
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:filesystem/types@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:http/types@0.2.0",
        "wasi:io/error@0.2.0",
        "wasi:io/poll@0.2.0",
        "wasi:io/streams@0.2.0",
    ];
    assert_eq!(info.imports, imports);
}

#[test]
fn what_is_no_component_is_refused() {
    for bytes in [&b""[..], b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0", b"hello"] {
        let error = keyless::Runtime::builder()
            .cache(keyless::Cache::Off)
            .component(bytes.to_vec())
            .build()
            .unwrap_err();
        assert_eq!((error.kind, &*error.code), (ErrorKind::Invalid, "component-invalid"), "{error}");
    }
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error =
            keyless::Runtime::builder().cache(keyless::Cache::Off).ca_certificates(pem).build().unwrap_err();
        assert_eq!((error.kind, &*error.code), (ErrorKind::Invalid, "ca-certificates-invalid"), "{error}");
    }
    assert!("a.example:443".parse::<ConnectTo>().is_err());
}

#[test]
fn a_component_that_wants_more_than_its_world_is_refused_by_name() {
    const WANTED: &str = "wasi:sockets/tcp@0.2.0";
    // (component (import "wasi:sockets/tcp@0.2.0" (instance)))
    let mut component = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\x00\x0a".to_vec();
    component.extend([5 + WANTED.len() as u8, 1, 0, WANTED.len() as u8]);
    component.extend(WANTED.bytes().chain([5, 0]));
    let error =
        keyless::Runtime::builder().cache(keyless::Cache::Off).component(component).build().unwrap_err();
    assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "component-import-denied"), "{error}");
    assert!(error.message.contains(WANTED), "{error}");
}

#[tokio::test]
async fn a_link_does_not_lead_out_of_the_granted_directory() {
    let world = World::without_token();
    world.write_token();
    let volume = world.root().join("var/run/secrets/openai");
    std::fs::rename(volume.join("..data/token"), world.root().join("outside")).unwrap();
    for target in ["../../../../outside", "/etc/hostname"] {
        let token = volume.join("token");
        std::fs::remove_file(&token).unwrap();
        std::os::unix::fs::symlink(target, token).unwrap();
        let connection = world.open().await;
        let error = connection.ready(std::time::Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied, "{target}: {error}");
    }
    assert_eq!(world.endpoint.requests(), 0);
}
