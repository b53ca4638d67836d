//! A token endpoint in this process, and the documents and the token file that lead to it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless::sender::{Body, Patience, Sender, Sending};
use tokio::time::Instant;

/// As long as the tokens of OpenAI's endpoint.
const TOKEN_LENGTH: usize = 1_200;
/// Of an answer.
const DELAY: Duration = Duration::from_millis(50);

/// Grants every exchange for an hour, and counts them by the second.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Mutex<Counts>>);

struct Counts {
    began: Instant,
    by_second: BTreeMap<u64, u32>,
    issued: u64,
}

impl Endpoint {
    /// With an identity token below that folder.
    pub(crate) fn new(root: &Path) -> Self {
        let volume = root.join("var/run/secrets/openai");
        std::fs::create_dir_all(&volume).expect("a folder");
        std::fs::write(volume.join("token"), identity_token()).expect("a file");
        let counts = Counts { began: Instant::now(), by_second: BTreeMap::new(), issued: 0 };
        Self(Arc::new(Mutex::new(counts)))
    }

    /// Counts from 0 again.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_second.clear();
    }

    /// The most in one second, and the mean of all seconds.
    pub(crate) fn requests_per_second(&self, of: Duration) -> (u32, f64) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: u32 = counts.by_second.values().sum();
        (counts.by_second.values().copied().max().unwrap_or_default(), f64::from(all) / of.as_secs_f64())
    }
}

impl Sender for Endpoint {
    fn send(&self, _: http::Request<Body>, _: Patience) -> Sending {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let second = counts.began.elapsed().as_secs();
        *counts.by_second.entry(second).or_default() += 1;
        counts.issued += 1;
        let token = format!("{:0>TOKEN_LENGTH$}", counts.issued);
        let answer = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
        Box::pin(async {
            tokio::time::sleep(DELAY).await;
            Ok(http::Response::new(Body::new(answer.into_bytes())))
        })
    }
}

/// One of many identities.
pub(crate) fn document(number: usize) -> String {
    format!(
        r#"{{
  "source": {{ "type": "kubernetes", "token_file_path": "/var/run/secrets/openai/token" }},
  "exchange": {{ "type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_{number}" }}
}}"#
    )
}

/// In the form of a kubelet's, good until the year 2100.
fn identity_token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"iss":"https://kubernetes.example","aud":["https://api.openai.com/v1"],"sub":"s","exp":4102444800}"#;
    [part(r#"{"alg":"ES256"}"#), part(claims), part("signature")].join(".")
}
