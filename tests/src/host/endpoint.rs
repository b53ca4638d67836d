//! A connection of the host library, opened on an endpoint in this process that grants every exchange for an hour.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless::sender::{Body, Patience, Sender, Sending};
use keyless::{Cache, Clocks, Connection, Grant, Runtime, Variables};

const DOCUMENT: &str = r#"{
  "source": { "type": "kubernetes", "token_file_path": "/var/run/secrets/openai/token" },
  "exchange": { "type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1" }
}"#;

struct Endpoint;

impl Sender for Endpoint {
    fn send(&self, _: http::Request<Body>, _: Patience) -> Sending {
        let answer = br#"{"access_token":"granted","token_type":"Bearer","expires_in":3600}"#;
        Box::pin(async { Ok(http::Response::new(Body::new(answer.to_vec()))) })
    }
}

/// Holds its first credential. Nothing renews it any more: the runtime in which it was opened is gone.
pub(super) fn connection(clocks: impl Clocks) -> Connection {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let root = tempfile::tempdir().unwrap();
    let volume = root.path().join("var/run/secrets/openai");
    std::fs::create_dir_all(&volume).unwrap();
    std::fs::write(volume.join("token"), identity_token()).unwrap();
    tokio.block_on(async {
        let builder = Runtime::builder().cache(Cache::Off).root(root.path()).clocks(clocks).sender(Endpoint);
        let runtime = builder.build().unwrap();
        let plan = runtime.plan(DOCUMENT, &Variables::new()).await.unwrap();
        let connection = runtime.open(DOCUMENT, Variables::new(), Grant::for_plan(&plan)).await.unwrap();
        connection.ready(Duration::from_secs(10)).await.unwrap();
        connection
    })
}

/// In the form of a kubelet's, good until the year 2100.
fn identity_token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"iss":"https://kubernetes.example","aud":["https://api.openai.com/v1"],"sub":"s","exp":4102444800}"#;
    [part(r#"{"alg":"ES256"}"#), part(claims), part("signature")].join(".")
}
