//! What an identity token says of itself: its claims, never the token.
//!
//! Nothing is verified here; the token endpoint does that. A token is found wherever it passes: in a file, in a form, in
//! JSON or in XML, because none of these escapes what a compact JSON web token (RFC 7519) is made of.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// Nobody reads more of a claim than this many characters.
const CLAIM: usize = 200;

/// The claims that help to understand a refusal (RFC 7519, section 4.1), and the key that signed (RFC 7515).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IdentityToken {
    /// `iss`
    pub(crate) issuer: Option<String>,
    /// `sub`
    pub(crate) subject: Option<String>,
    /// `aud`, one or several.
    pub(crate) audience: Vec<String>,
    /// `exp`, Unix seconds.
    pub(crate) expires_at: Option<u64>,
    /// `iat`, Unix seconds.
    pub(crate) issued_at: Option<u64>,
    /// `nbf`, Unix seconds.
    pub(crate) not_before: Option<u64>,
    /// `kid`
    pub(crate) key_id: Option<String>,
    /// `alg`
    pub(crate) algorithm: Option<String>,
}

impl IdentityToken {
    /// The last token in these bytes.
    pub(crate) fn find(bytes: &[u8]) -> Option<Self> {
        let part_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        bytes.rsplit(|byte| !part_of_token(byte)).find_map(Self::read)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b'.');
        let (header, payload) = (object(parts.next()?)?, object(parts.next()?)?);
        if parts.next()?.is_empty() || parts.next().is_some() {
            return None;
        }
        let text = |from: &Map<String, Value>, name| from.get(name)?.as_str().map(shortened);
        Some(Self {
            issuer: text(&payload, "iss"),
            subject: text(&payload, "sub"),
            audience: match payload.get("aud") {
                Some(Value::String(audience)) => vec![shortened(audience)],
                Some(Value::Array(several)) => {
                    several.iter().filter_map(Value::as_str).map(shortened).collect()
                }
                _ => Vec::new(),
            },
            expires_at: seconds(&payload, "exp"),
            issued_at: seconds(&payload, "iat"),
            not_before: seconds(&payload, "nbf"),
            key_id: text(&header, "kid"),
            algorithm: text(&header, "alg"),
        })
    }

    /// How long it lasts from `now` on, in seconds; negative once it has ended.
    pub(crate) fn seconds_left(&self, now: SystemTime) -> Option<i64> {
        Some(difference(self.expires_at?, now))
    }

    /// How long until it begins, in seconds, if it has not begun at `now`.
    pub(crate) fn begins_in(&self, now: SystemTime) -> Option<i64> {
        let begins = self.not_before.max(self.issued_at)?;
        Some(difference(begins, now)).filter(|left| *left > 0)
    }

    /// For people and machines.
    pub(crate) fn to_json(&self, now: SystemTime) -> Value {
        let moment = |at: Option<u64>| {
            at.and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at)))
                .map(crate::output::credential::rfc3339)
        };
        serde_json::json!({
            "issuer": self.issuer,
            "audience": self.audience,
            "subject": self.subject,
            "issued_at": moment(self.issued_at),
            "expires_at": moment(self.expires_at),
            "seconds_left": self.seconds_left(now),
            "key_id": self.key_id,
            "algorithm": self.algorithm,
        })
    }
}

fn object(part: &[u8]) -> Option<Map<String, Value>> {
    let json = URL_SAFE_NO_PAD.decode(part).map(Zeroizing::new).ok()?;
    match serde_json::from_slice(&json).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Whole seconds; some issuers write a fraction.
fn seconds(claims: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = claims.get(name)?;
    value.as_u64().or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}

fn difference(at: u64, now: SystemTime) -> i64 {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(i128::from(at) - i128::from(now)).unwrap_or(i64::MAX)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(CLAIM) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"ES256","kid":"k1"}"#), part(claims), part("canary"))
    }

    #[test]
    fn a_token_is_found_wherever_it_stands() {
        let token = token(r#"{"iss":"https://i","sub":"s","aud":["a","b"],"exp":100.5,"iat":40}"#);
        let expected = IdentityToken {
            issuer: Some("https://i".into()),
            subject: Some("s".into()),
            audience: vec!["a".into(), "b".into()],
            expires_at: Some(100),
            issued_at: Some(40),
            not_before: None,
            key_id: Some("k1".into()),
            algorithm: Some("ES256".into()),
        };
        for text in [
            token.clone(),
            format!(" {token}\n"),
            format!(r#"{{"grant_type":"x","subject_token":"{token}","id":"idp_1"}}"#),
            format!("grant_type=a%3Ab&assertion={token}&scope=x.y"),
            format!("<WebIdentityToken>{token}</WebIdentityToken>"),
        ] {
            assert_eq!(IdentityToken::find(text.as_bytes()), Some(expected.clone()), "{text}");
        }
        assert!(!format!("{expected:?}{}", expected.to_json(UNIX_EPOCH)).contains("canary"));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let whole = token("{}");
        let cut = whole.rsplit_once('.').unwrap().0;
        for text in ["", "sk-key", "a.b.c", "...", cut, &format!("{cut}."), &format!("{whole}.x")] {
            assert_eq!(IdentityToken::find(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn time_left_may_be_negative() {
        let token = IdentityToken { expires_at: Some(100), not_before: Some(50), ..IdentityToken::default() };
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!((token.seconds_left(at(90)), token.seconds_left(at(130))), (Some(10), Some(-30)));
        assert_eq!((token.begins_in(at(40)), token.begins_in(at(60))), (Some(10), None));
    }
}
