//! Identity tokens, as a platform hands them out. What begins with a brace is taken for the claims of one.

#![no_main]

use keyless_engine::io::Now;
use keyless_engine::subject_token::SubjectToken;
use keyless_fuzz::shown::{self, MARK};
use keyless_fuzz::token;
use libfuzzer_sys::fuzz_target;

const ORIGIN: &str = "`/t`";

fuzz_target!(|bytes: &[u8]| {
    let written;
    let bytes = if bytes.starts_with(b"{") {
        written = token::with_claims(bytes).into_bytes();
        &written
    } else {
        bytes
    };
    let token = match SubjectToken::parse(bytes, ORIGIN) {
        Ok(token) => token,
        Err(error) => {
            shown::is_presentable(&error);
            return shown::holds_no_secret(error.message());
        }
    };
    let claims = token.claims().clone();
    let texts = claims.audience.iter().chain(&claims.issuer).chain(&claims.subject);
    for text in texts {
        assert!(!text.contains(char::is_control) && text.chars().count() <= 200, "{text:?}");
    }
    let parts = token.expose().split('.');
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    assert_eq!(parts.clone().count(), 3);
    assert!(parts.clone().all(|part| !part.is_empty() && part.bytes().all(base64url)), "{}", token.expose());
    // What is sent is what was read, and reads the same with what editors and shells put around it.
    let padded = format!("\u{feff}{} \r\n", token.expose());
    let again = SubjectToken::parse(padded.as_bytes(), ORIGIN);
    assert!(
        again.is_ok_and(|again| again.expose() == token.expose() && *again.claims() == claims)
            || padded.len() > 16_384
    );
    // Expired from that millisecond on.
    let audience = claims.audience.first().cloned();
    if let Some(expires) = claims.expires_at_ms {
        let at = |wall_ms| Now { wall_ms, monotonic_ms: 0 };
        let read = || SubjectToken::parse(bytes, ORIGIN);
        assert!(read().and_then(|token| token.check(at(expires), None, ORIGIN)).is_err());
        let before = read().and_then(|token| token.check(at(expires.saturating_sub(1)), None, ORIGIN));
        assert_eq!(before.is_ok(), expires > 0);
    }
    // For those whom it names, and nobody else.
    let now = Now { wall_ms: 0, monotonic_ms: 0 };
    let alive = claims.expires_at_ms.is_none_or(|expires| expires > 0);
    if let Some(audience) = audience.filter(|_| alive) {
        assert!(token.check(now, Some(&audience), ORIGIN).is_ok(), "{audience}");
        let other = SubjectToken::parse(bytes, ORIGIN)
            .and_then(|token| token.check(now, Some("somebody else's"), ORIGIN));
        let named = claims.audience.iter().any(|audience| audience == "somebody else's");
        assert_eq!(other.is_ok(), named);
        if let Err(error) = other {
            shown::is_presentable(&error);
            assert!(
                !error.message().contains(MARK)
                    || claims.audience.iter().any(|audience| audience.contains(MARK))
            );
        }
    }
});
