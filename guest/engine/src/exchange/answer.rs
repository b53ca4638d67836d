//! The answer of a token endpoint that granted a token (RFC 6749, section 5.1; RFC 8693, section 2.2.1).
//!
//! Strict about what is used, indifferent to the rest: unknown fields, a missing `issued_token_type` and a `scope` are
//! all seen in the field. Nothing of the body gets into an error.

use alloc::vec::Vec;

use crate::json::{self, Map, Value};

use crate::error::{Code, Error};
use crate::exchange::Issued;
use crate::io::Now;
use crate::lease::{MAX_LIFETIME_MS, MIN_LIFETIME_MS};
use crate::secret::Secret;

/// `expires_in` is recommended, not required; without it a token is trusted for five minutes.
const UNSTATED_LIFETIME_MS: u64 = 300_000;

/// The fields of the answer.
pub(super) fn object(body: &[u8]) -> Result<Map, Error> {
    let malformed = |fault: &str| {
        Error::new(
            Code::ResponseMalformed,
            format_args!(
                "the token endpoint granted the exchange, but its answer {fault}; check that the URL is a token endpoint's"
            ),
        )
    };
    if body.trim_ascii().is_empty() {
        return Err(malformed("is empty"));
    }
    let body: Value = json::parse(body).map_err(|_| malformed("is not JSON"))?;
    match body {
        Value::Object(fields) => Ok(fields),
        _ => Err(malformed("is not a JSON object")),
    }
}

/// What the fields grant.
pub(super) fn issued(mut fields: Map, anchor: Now) -> Result<Issued, Error> {
    let access_token = access_token(fields.remove("access_token"))?;
    if let Some(Value::String(kind)) = fields.get("token_type")
        && !kind.eq_ignore_ascii_case("bearer")
    {
        return Err(Error::new(
            Code::ResponseToken,
            "the token endpoint issued a token whose `token_type` is not Bearer, which cannot be used as a header",
        ));
    }
    let lifetime_ms = lifetime(fields.get("expires_in"))?;
    Ok(Issued { access_token, lifetime_ms, anchor, beside: Vec::new() })
}

fn access_token(value: Option<Value>) -> Result<Secret, Error> {
    let fault = |fault: &str| {
        Error::new(
            Code::ResponseToken,
            format_args!(
                "the token endpoint granted the exchange, but `access_token` {fault}; ask its operator"
            ),
        )
    };
    match value {
        None | Some(Value::Null) => Err(fault("is missing")),
        Some(Value::String(text)) => {
            let token = Secret::new(text);
            if token.expose().trim().is_empty() {
                Err(fault("is empty"))
            } else if token.fits_header() {
                Ok(token)
            } else {
                Err(fault("has characters that cannot stand in a header"))
            }
        }
        Some(_) => Err(fault("is not a string")),
    }
}

/// Integers, floats and decimal strings are all in use (RFC 6749 says seconds, and no more about the spelling).
fn lifetime(value: Option<&Value>) -> Result<u64, Error> {
    let seconds = match value {
        None | Some(Value::Null) => return Ok(UNSTATED_LIFETIME_MS),
        Some(Value::Number(number)) => Some(*number),
        Some(Value::String(text)) => json::parse(text.as_bytes()).ok().and_then(|number| number.as_f64()),
        Some(_) => None,
    };
    let fault = |fault: &str| {
        Error::new(
            Code::ResponseLifetime,
            format_args!(
                "the token endpoint granted the exchange, but `expires_in` {fault}; ask its operator"
            ),
        )
    };
    let seconds = seconds
        .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
        .ok_or_else(|| fault("is not a positive number of seconds"))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and a float cast saturates"
    )]
    let ms = (seconds * 1_000.0) as u64;
    if ms < MIN_LIFETIME_MS {
        return Err(fault("is less than two seconds, too short to follow with another"));
    }
    Ok(ms.min(MAX_LIFETIME_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_a_positive_number_of_seconds_of_at_least_two() {
        let read = |text: &str| lifetime(json::parse(text.as_bytes()).ok().as_ref());
        for (text, ms) in [
            ("null", 300_000),
            ("2", 2_000),
            ("2.5", 2_500),
            (r#""3600""#, 3_600_000),
            ("86400", MAX_LIFETIME_MS),
            ("86401", MAX_LIFETIME_MS),
            ("1e300", MAX_LIFETIME_MS),
        ] {
            assert_eq!(read(text).unwrap(), ms, "{text}");
        }
        assert_eq!(lifetime(None).unwrap(), 300_000);
        for (text, fault) in [
            ("1.999", "less than two seconds"),
            ("1e-9", "less than two seconds"),
            ("0", "not a positive number"),
            ("-3600", "not a positive number"),
            (r#""1e400""#, "not a positive number"),
            (r#""soon""#, "not a positive number"),
            (r#""""#, "not a positive number"),
            ("true", "not a positive number"),
            ("[3600]", "not a positive number"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code(), Code::ResponseLifetime);
            assert!(error.message().contains(fault), "{text}: {error}");
        }
    }
}
