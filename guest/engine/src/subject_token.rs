//! The identity token that the platform issues (RFC 8693's subject token), checked before it goes anywhere.
//!
//! Nothing here verifies a signature: the token endpoint does that. What is read are the claims that explain a refusal
//! beforehand: a token that has expired, that is for somebody else, or that is no token at all.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, Map, Value};
use base64ct::{Base64UrlUnpadded, Encoding as _};

use crate::error::{Code, Error};
use crate::io::Now;
use crate::secret::{Secret, SecretBytes};
use crate::split;

/// What the careful clients accept at most (Codex and Anthropic: 16 KiB). A kubelet's token has about 1 KiB.
pub const LIMIT: usize = 16 * 1024;

/// A compact JSON web token (RFC 7519) and what it says of itself.
pub struct SubjectToken {
    text: Secret,
    /// In a box: the token is handed on through a handful of futures.
    claims: Box<Claims>,
}

/// The claims that can be shown to people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// `iss`
    pub issuer: Option<String>,
    /// `sub`
    pub subject: Option<String>,
    /// `aud`, one or several.
    pub audience: Vec<String>,
    /// `exp` in Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// `iat` in Unix milliseconds.
    pub issued_at_ms: Option<u64>,
}

impl SubjectToken {
    /// For an identity that is shown in the TLS handshake: there is nothing to send.
    #[must_use]
    pub fn in_the_handshake() -> Self {
        Self { text: Secret::new(String::new()), claims: Box::default() }
    }

    /// Reads a token as a platform hands it out: surrounding white space and a byte order mark are tolerated.
    /// `origin` names the place for the error.
    pub fn parse(bytes: &[u8], origin: &str) -> Result<Self, Error> {
        if bytes.len() > LIMIT {
            return Err(Error::new(
                Code::TokenTooLarge,
                format_args!(
                    "{origin} holds more than 16 KiB, no identity token is that long; check that it is the right one"
                ),
            ));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if bytes.is_empty() {
            return Err(Error::new(
                Code::TokenEmpty,
                format_args!("{origin} is empty; check that the platform has written the identity token"),
            ));
        }
        let malformed = |fault: &str| {
            Error::new(
                Code::TokenMalformed,
                format_args!("{origin} holds {}, which is not a JSON web token: {fault}", shape(bytes)),
            )
        };
        let text = str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
        let text = text.ok_or_else(|| malformed("it has bytes outside ASCII"))?;
        let mut parts = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("it should have three parts, separated by dots"));
        };
        for (name, part) in [("first", header), ("second", payload), ("third", signature)] {
            if part.is_empty() {
                return Err(malformed(&format!("its {name} part is empty")));
            }
            if !part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
                return Err(malformed(&format!(
                    "its {name} part has characters outside the base64url alphabet"
                )));
            }
        }
        let claims = Base64UrlUnpadded::decode_vec(payload).map(SecretBytes::from).ok();
        let claims = claims.and_then(|json| json::parse(&json).ok());
        let Some(Value::Object(claims)) = claims else {
            return Err(malformed("its second part is not a base64url-encoded JSON object"));
        };
        Ok(Self { text: Secret::new(text.to_owned()), claims: Box::new(Claims::read(&claims)) })
    }

    /// Refuses a token that has expired, or that is not for `audience` where the document names one.
    pub fn check(self, now: Now, audience: Option<&str>, origin: &str) -> Result<Self, Error> {
        if let Some(ago) = self.claims.expired_for(now.wall_ms) {
            return Err(Error::new(
                Code::TokenExpired,
                format_args!(
                    "the identity token in {origin} expired {ago} ago by its own `exp`; the platform has stopped renewing it, or this machine's clock is wrong"
                ),
            ));
        }
        if let Some(audience) = audience
            && !self.claims.audience.iter().any(|aud| aud == audience)
        {
            return Err(Error::new(
                Code::TokenForeign,
                format_args!(
                    "the identity token in {origin} is for {}, not for `{audience}`; point to the token with that audience, or change `audience`",
                    self.claims.audience_text()
                ),
            ));
        }
        Ok(self)
    }

    /// The raw token, for the body of the exchange and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What may be shown.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl Claims {
    fn read(claims: &Map) -> Self {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(printable);
        let moment = |name: &str| claims.get(name).and_then(numeric_date);
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![printable(one)],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(printable).collect(),
            _ => Vec::new(),
        };
        Self {
            issuer: text("iss"),
            subject: text("sub"),
            audience,
            expires_at_ms: moment("exp"),
            issued_at_ms: moment("iat"),
        }
    }

    /// For how long the token has been expired at that Unix time (milliseconds), for an error message.
    #[must_use]
    pub fn expired_for(&self, wall_ms: u64) -> Option<String> {
        self.expires_at_ms.and_then(|exp| wall_ms.checked_sub(exp)).map(duration)
    }

    /// The audience for an error message.
    #[must_use]
    pub fn audience_text(&self) -> String {
        match self.audience.as_slice() {
            [] => "no audience at all".to_owned(),
            several => {
                let texts: Vec<_> = several.iter().map(String::as_str).collect();
                format!("`{}`", split::joined(&texts, "` and `"))
            }
        }
    }

    /// Who the token says it is, for an administrator who compares it with the mapping.
    #[must_use]
    pub fn describe(&self) -> String {
        let or = |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("`{text}`"));
        format!(
            "issuer {}, subject {}, audience {}",
            or(&self.issuer),
            or(&self.subject),
            self.audience_text()
        )
    }
}

/// RFC 7519's NumericDate: seconds, possibly with a fraction. Milliseconds here.
fn numeric_date(value: &Value) -> Option<u64> {
    let seconds = value.as_f64().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
    // Saturates at the type's bounds, which is what a date past the year 292,000,000 deserves.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
    Some((seconds * 1_000.0) as u64)
}

/// A claim is somebody else's text: one line, not endless.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(200).collect()
}

/// What a thing that is not a token may be, without quoting it.
fn shape(bytes: &[u8]) -> String {
    let kind = match bytes {
        [b'-', b'-', b'-', b'-', b'-', ..] => "a PEM block",
        [b'{', ..] => "a JSON object",
        [b's', b'k', b'-', ..] => "an API key",
        [b'<', ..] => "a markup document",
        _ if bytes.contains(&0) => "binary data",
        _ => "text",
    };
    format!("{kind} of {} bytes", bytes.len())
}

/// `90 s`, `15 min`, `3 h`: precise enough to recognise the cause.
fn duration(ms: u64) -> String {
    match ms / 1_000 {
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests;
