//! What a request looks like in the records: everything a test wants to compare, and no secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::form::{self, Form};
use crate::sha256::Sha256;

/// Body fields that carry an identity token.
const SECRET_FIELDS: &[&str] =
    &["subject_token", "actor_token", "assertion", "client_assertion", "client_secret", "WebIdentityToken"];

/// Headers that carry a credential.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "x-identity-header",
    "x-aws-ec2-metadata-token",
    "x-amz-security-token",
    "cookie",
];

/// Names in lower case; the value of a credential's header is `SCHEME sha256:HEX`.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let text =
                if SECRET_HEADERS.contains(&name.as_str()) { digest_of_credential(&text) } else { text };
            (name.as_str().to_owned(), text)
        })
        .collect()
}

/// A JSON body or a form with its identity token reduced to claims and digest; of any other body its length and digest.
pub(crate) fn body(headers: &HeaderMap, bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let parsed = if form::announced(headers) {
        Form::parse(bytes).ok().map(|form| form.to_json())
    } else {
        serde_json::from_slice::<Value>(bytes).ok()
    };
    let Some(mut value) = parsed else {
        return json!({"not_json": {"length": bytes.len(), "sha256": Sha256::of(bytes).hex()}});
    };
    for name in SECRET_FIELDS {
        if let Some(secret) = value.get_mut(name) {
            *secret = reduced(secret);
        }
    }
    value
}

/// The digest of what follows the scheme, so that it can be compared with that of a token.
fn digest_of_credential(value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, credential)) => format!("{scheme} sha256:{}", Sha256::of(credential.as_bytes()).hex()),
        None => format!("sha256:{}", Sha256::of(value.as_bytes()).hex()),
    }
}

fn reduced(secret: &Value) -> Value {
    match secret {
        Value::String(text) => json!({
            "length": text.len(),
            "sha256": Sha256::of(text.as_bytes()).hex(),
            "claims": claims(text),
        }),
        Value::Null => Value::Null,
        _ => json!({"not_text": true}),
    }
}

/// Claims are no secret: without the signature nobody is let in with them.
fn claims(token: &str) -> Value {
    token
        .split('.')
        .nth(1)
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null)
}
