//! The source `custom`: another component, with a grant of its own.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyless::sender::{Body, Patience, Sender, Sending};
use keyless::{
    Cache, Connection, Endpoint, Error, ErrorKind, Grant, Limits, Lock, Runtime, SourceGrant, Variables,
};
use keyless_test_components::{MISBEHAVING, ORACLE};
use serde_json::{Value, json};

use crate::world::{ENDPOINT, cache, subject_token};

const PATIENCE: Duration = Duration::from_secs(10);
const DOMAIN: &str = "https://idcs-1.identity.oraclecloud.com";
/// Long after all of this.
const EXPIRES: u64 = 4_000_000_000;

/// Both ends of the network: the identity domain and the exchange.
#[derive(Clone, Default)]
struct Far(Arc<Mutex<Vec<http::Request<Body>>>>);

impl Sender for Far {
    fn send(&self, request: http::Request<Body>, _: Patience) -> Sending {
        let asked_domain = request.uri().host() == Some("idcs-1.identity.oraclecloud.com");
        self.0.lock().unwrap().push(request);
        let body = if asked_domain {
            json!({"access_token": subject_token(EXPIRES), "token_type": "Bearer", "expires_in": 3600})
        } else {
            json!({"access_token": "canary-1", "token_type": "Bearer", "expires_in": 3600})
        };
        let body = Body::new(body.to_string().into_bytes());
        let answer = http::Response::builder().header("content-type", "application/json").body(body);
        Box::pin(async { Ok(answer.unwrap()) })
    }
}

struct World {
    far: Far,
    runtime: Runtime,
    root: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let (far, root) = (Far::default(), tempfile::tempdir().unwrap());
        let runtime = Runtime::builder()
            .cache(Cache::Directory(cache()))
            .root(root.path())
            .sender(far.clone())
            .limits(limits)
            .build()
            .unwrap();
        let world = Self { far, runtime, root };
        world.write("/opt/oracle.wasm", ORACLE);
        world.write("/opt/misbehaving.wasm", MISBEHAVING);
        world.write("/etc/keyless/secret", b"canary-secret\n");
        world
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.root.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    async fn open(&self, source: Value) -> Result<Connection, Error> {
        let document = document(source);
        let plan = self.runtime.plan(&document, &Variables::new()).await.unwrap();
        self.runtime.open(&document, variables(), Grant::for_plan(&plan)).await
    }

    async fn open_error(&self, source: Value) -> Error {
        self.open(source).await.map(|_| ()).unwrap_err()
    }

    async fn failure(&self, source: Value) -> Error {
        self.open(source).await.unwrap().ready(PATIENCE).await.unwrap_err()
    }
}

fn document(source: Value) -> String {
    let exchange = json!({"identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"});
    json!({"source": source, "exchange": exchange}).to_string()
}

fn oracle() -> Value {
    json!({
        "type": "custom", "component": "/opt/oracle.wasm", "token_type": "id",
        "endpoints": [format!("POST {DOMAIN}/oauth2/v1/token")],
        "files": ["/etc/keyless/secret"],
        "variables": ["ORACLE_DOMAIN_URL", "ORACLE_CLIENT_ID", "ORACLE_CLIENT_SECRET_FILE"],
    })
}

fn misbehaving(audience: &str) -> Value {
    json!({"type": "custom", "component": "/opt/misbehaving.wasm", "audience": audience})
}

/// For the component, one more than it is granted; and one that is the provider's.
fn variables() -> Variables {
    let of_source: Variables = [
        ("ORACLE_DOMAIN_URL", DOMAIN),
        ("ORACLE_CLIENT_ID", "client-1"),
        ("ORACLE_CLIENT_SECRET_FILE", "/etc/keyless/secret"),
        ("NOT_GRANTED", "canary"),
    ]
    .into_iter()
    .collect();
    [("OPENAI_API_KEY", "canary")].into_iter().collect::<Variables>().with_source(of_source)
}

#[tokio::test]
async fn another_component_gives_the_token_through_its_own_grant() {
    let world = World::new();
    let connection = world.open(oracle()).await.unwrap();
    let credential = connection.ready(PATIENCE).await.unwrap();
    assert_eq!(credential.token(), Some("canary-1"));
    let seen = world.far.0.lock().unwrap();
    let [asked, traded] = &seen[..] else { panic!("{} requests", seen.len()) };
    assert_eq!(asked.uri().to_string(), format!("{DOMAIN}/oauth2/v1/token"));
    assert_eq!(asked.headers()["authorization"], "Basic Y2xpZW50LTE6Y2FuYXJ5LXNlY3JldA==");
    assert_eq!(
        asked.body().as_bytes(),
        b"grant_type=client_credentials&scope=urn%3Aopc%3Aidm%3A__myscopes__"
    );
    let body: Value = serde_json::from_slice(traded.body().as_bytes()).unwrap();
    assert_eq!(body["subject_token"], subject_token(EXPIRES));
    assert_eq!(body["subject_token_type"], "urn:ietf:params:oauth:token-type:id_token");
}

#[tokio::test]
async fn each_sees_its_own_grant_only() {
    let world = World::new();
    let error = world.failure(misbehaving("look")).await;
    assert_eq!((error.kind, &*error.code), (ErrorKind::Identity, "token-not-given"));
    assert!(error.message.contains("it sees [] and []"), "{error}");

    let mut granted = misbehaving("look");
    granted["files"] = json!(["/etc/keyless/secret"]);
    granted["variables"] = json!(["ORACLE_CLIENT_ID", "OPENAI_API_KEY"]);
    let error = world.failure(granted).await;
    let seen = r#"it sees ["/etc/keyless"] and [("ORACLE_CLIENT_ID", "client-1")]"#;
    assert!(error.message.contains(seen), "{error}");

    // The provider was granted the exchange, and the component may not send there.
    let mut elsewhere = oracle();
    elsewhere["endpoints"] = json!(["POST https://other.example/oauth2/v1/token"]);
    let error = world.failure(elsewhere).await;
    assert!(error.message.contains("gave no answer"), "{error}");
    assert!(world.far.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn whatever_a_component_does_it_is_contained() {
    let world = World::with(Limits {
        cpu: Duration::from_millis(50),
        source: Duration::from_millis(300),
        ..Limits::default()
    });
    for (audience, words) in [
        ("trap", "the component trapped"),
        ("loop", "used up its CPU time"),
        ("memory", "used up its memory"),
        ("wait", "did not return within 0.3 s"),
        ("long", "its answer has 1048576 bytes"),
        ("words", "out of order"),
    ] {
        let connection = world.open(misbehaving(audience)).await.unwrap();
        let error = connection.ready(PATIENCE).await.unwrap_err();
        assert_eq!((error.kind, &*error.code), (ErrorKind::Identity, "token-not-given"), "{error}");
        assert!(error.message.contains(words) && !error.message.contains('\n'), "{audience}: {error}");
        // It was the component that broke, and not the provider.
        assert_eq!(connection.status().replacements, 0, "{audience}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_such_component_is_refused() {
    let world = World::new();
    let of = |path: &str| json!({"type": "custom", "component": path});
    let error = world.open_error(of("/opt/missing.wasm")).await;
    assert_eq!((error.kind, &*error.code), (ErrorKind::Invalid, "source-component-unreadable"), "{error}");
    world.write("/opt/text.wasm", b"hello");
    world.write("/opt/empty.wasm", b"\0asm\x0d\0\x01\0");
    for path in ["/opt/text.wasm", "/opt/empty.wasm"] {
        let error = world.open_error(of(path)).await;
        assert_eq!((error.kind, &*error.code), (ErrorKind::Invalid, "source-component-invalid"), "{error}");
        assert!(error.message.contains(path) && error.message.contains("subject-token-source"), "{error}");
    }
    // (component (import "wasi:sockets/tcp@0.2.0" (instance)))
    const WANTED: &str = "wasi:sockets/tcp@0.2.0";
    let mut component = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\x00\x0a".to_vec();
    component.extend([5 + WANTED.len() as u8, 1, 0, WANTED.len() as u8]);
    component.extend(WANTED.bytes().chain([5, 0]));
    world.write("/opt/sockets.wasm", &component);
    let error = world.open_error(of("/opt/sockets.wasm")).await;
    assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "source-component-import-denied"), "{error}");
    assert!(error.message.contains(WANTED), "{error}");
    // The means to send, and nothing to send to.
    let error = world.open_error(of("/opt/oracle.wasm")).await;
    assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "source-component-import-denied"), "{error}");
    assert!(error.message.contains("wasi:http") && error.message.contains("`source.endpoints`"), "{error}");
}

#[tokio::test]
async fn a_grant_names_the_component_and_what_it_may_do() {
    let world = World::new();
    let document = document(oracle());
    let exchange = Grant::none().endpoint(Endpoint::new("POST", ENDPOINT));
    let asking = Grant::none().endpoint(Endpoint::new("POST", format!("{DOMAIN}/oauth2/v1/token")));
    for (grant, missing) in [
        (exchange.clone(), "the component /opt/oracle.wasm"),
        (
            exchange.clone().source(SourceGrant::new("/opt/other.wasm", asking.clone())),
            "the component /opt/oracle.wasm",
        ),
        (
            exchange.clone().source(SourceGrant::new("/opt/oracle.wasm", asking.clone())),
            "the file /etc/keyless/secret for the component /opt/oracle.wasm",
        ),
        // What the connection may do is not the component's.
        (
            exchange
                .clone()
                .file("/etc/keyless/secret")
                .source(SourceGrant::new("/opt/oracle.wasm", asking.clone())),
            "the variable ORACLE_CLIENT_ID for the component /opt/oracle.wasm",
        ),
    ] {
        let error = world.runtime.open(&document, variables(), grant).await.unwrap_err();
        assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "grant-exceeded"));
        assert!(error.message.contains(missing), "{error}");
    }
}

#[tokio::test]
async fn a_pinned_component_is_that_one_or_none() {
    let world = World::new();
    let document = document(oracle());
    let plan = world.runtime.plan(&document, &Variables::new()).await.unwrap();
    let grant = world.runtime.pin(Grant::for_plan(&plan)).await.unwrap();
    let lock = Lock::new(grant.clone(), world.runtime.component_info());
    assert_eq!(Lock::from_json(&lock.to_json()).unwrap(), lock);
    let granted = lock.grant().narrowed(&plan.requirements).unwrap();
    assert_eq!(granted, grant);
    world.runtime.open(&document, variables(), granted.clone()).await.unwrap().ready(PATIENCE).await.unwrap();

    world.write("/opt/oracle.wasm", MISBEHAVING);
    for error in [
        world.runtime.open(&document, variables(), granted.clone()).await.map(|_| ()).unwrap_err(),
        world.runtime.pin(granted).await.unwrap_err(),
    ] {
        assert_eq!((error.kind, &*error.code), (ErrorKind::Denied, "source-component-changed"));
        assert!(error.message.contains("/opt/oracle.wasm"), "{error}");
    }
}

#[tokio::test]
async fn a_provider_of_the_caller_s_asks_if_it_can() {
    let with_source = keyless_artifact::CREDENTIAL_PROVIDER_WITH_SOURCE;
    for (provider, code) in
        [(with_source, "token-not-given"), (keyless_artifact::CREDENTIAL_PROVIDER, "custom-source-missing")]
    {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("source.wasm"), MISBEHAVING).unwrap();
        let runtime = Runtime::builder()
            .cache(Cache::Directory(cache()))
            .root(root.path())
            .sender(Far::default())
            .component(provider.to_vec())
            .build()
            .unwrap();
        let document = document(json!({"type": "custom", "component": "/source.wasm"}));
        let plan = runtime.plan(&document, &Variables::new()).await.unwrap();
        let connection = runtime.open(&document, Variables::new(), Grant::for_plan(&plan)).await.unwrap();
        assert_eq!(connection.ready(PATIENCE).await.unwrap_err().code, code);
    }
}
