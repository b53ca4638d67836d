//! Identity tokens. Their signature is a marked secret and no signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// With these claims, which need not be JSON.
#[must_use]
pub fn with_claims(claims: &[u8]) -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.{}.CANARY-no-signature", URL_SAFE_NO_PAD.encode(claims))
}

/// A good one for this audience; `expires_at_s` in Unix seconds.
#[must_use]
pub fn for_audience(audience: &str, expires_at_s: u64) -> String {
    let audience = serde_json::Value::from(audience);
    with_claims(
        format!(r#"{{"iss":"https://issuer.example","sub":"worker","aud":{audience},"exp":{expires_at_s}}}"#)
            .as_bytes(),
    )
}
