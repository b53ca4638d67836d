//! The host library: what a program pays for each request.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless::sender::{Body, Patience, Sender, Sending};
use keyless::{Grant, Runtime, Variables};

use crate::TOKEN_LENGTH;
use crate::engine::DOCUMENT;
use crate::measure::median;

/// Grants every exchange for an hour.
struct Endpoint;

impl Sender for Endpoint {
    fn send(&self, _: http::Request<Body>, _: Patience) -> Sending {
        let token = "t".repeat(TOKEN_LENGTH);
        let answer = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
        Box::pin(async { Ok(http::Response::new(Body::new(answer.into_bytes()))) })
    }
}

/// The snapshot of a credential that has an end, so that the clock is looked at.
pub(crate) fn cached_read() -> f64 {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let root = tempfile::tempdir().expect("a folder");
    let volume = root.path().join("var/run/secrets/tokens/openai");
    std::fs::create_dir_all(&volume).expect("a folder");
    std::fs::write(volume.join("token"), identity_token()).expect("a file");
    let connection = tokio.block_on(async {
        let runtime = Runtime::builder().root(root.path()).sender(Endpoint).build().expect("a runtime");
        let plan = runtime.plan(DOCUMENT, &Variables::default()).await.expect("a plan");
        let connection =
            runtime.open(DOCUMENT, Variables::default(), Grant::for_plan(&plan)).await.expect("a connection");
        connection.ready(Duration::from_secs(10)).await.expect("a credential");
        connection
    });
    median(|| connection.credential().expect("a credential is held"))
}

/// In the form of a kubelet's, good until the year 2100.
fn identity_token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"iss":"https://kubernetes.example","aud":["https://api.openai.com/v1"],"sub":"s","exp":4102444800}"#;
    [part(r#"{"alg":"ES256"}"#), part(claims), part("signature")].join(".")
}
