//! The engine in this process, without a component around it.

use keyless_engine::io::Now;
use keyless_engine::{Answered, Event, Machine, Variables};

use crate::TOKEN_LENGTH;
use crate::measure::median;

/// A document as people have it, with everything that usually stands in one.
pub(crate) const DOCUMENT: &str = r#"{
  "auth_type": "workload_identity",
  "source": {
    "type": "kubernetes",
    "token_file_path": "/var/run/secrets/tokens/openai/token",
    "audience": "https://api.openai.com/v1"
  },
  "exchange": {
    "type": "openai",
    "identity_provider_id": "idp_0123456789abcdef01234567",
    "service_account_id": "svc_acct_0123456789abcdef",
    "token_type": "jwt",
    "token_endpoint": "https://auth.openai.com/oauth/token"
  },
  "api": {
    "base_url": "https://api.openai.com/v1",
    "organization": "org-0123456789abcdef",
    "project": "proj_0123456789abcdef"
  },
  "refresh_buffer_seconds": 1200
}"#;

/// A document whose credential is there at once and as long as an issued token.
pub(crate) fn static_document() -> String {
    format!(r#"{{"api_key":"{}"}}"#, "k".repeat(TOKEN_LENGTH))
}

pub(crate) fn json_alone() -> f64 {
    median(|| serde_json::from_str::<serde_json::Value>(DOCUMENT).expect("valid JSON"))
}

pub(crate) fn open() -> f64 {
    let variables = Variables::default();
    median(|| Machine::open(DOCUMENT, &variables).expect("a valid document"))
}

/// What the component does in a cached call, less the component: step, look, copy the headers out.
pub(crate) fn cached_credential() -> f64 {
    let mut machine = Machine::open(&static_document(), &Variables::default()).expect("a valid document");
    let now = Now { wall_ms: 1, monotonic_ms: 1 };
    median(move || {
        let effects = machine.step(now, Event::Tick);
        assert!(effects.is_empty(), "nothing is due");
        let Answered::Ready(credential) = machine.credential(now) else { panic!("a key is always there") };
        let headers = credential.headers.iter();
        headers.map(|(name, value)| (name.clone(), value.expose().to_owned())).collect::<Vec<_>>()
    })
}
