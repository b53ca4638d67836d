//! Which paths are forwarded at all: those that every server reads the same way.
//!
//! A prefix and an allow-list are compared with the path as it was written. So a path that somebody further on may read
//! as another one (`/v1/x/../admin`, `/v1/x%2f..%2fadmin`, `/v1/x/%252e%252e/admin`) is refused, not repaired. The cases
//! are those of RFC 3986, sections 2.1, 3.3 and 6.2.2, and what servers were seen to do beyond it.

/// What is wrong with a path, for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous(pub &'static str);

/// Whether every server understands the path as it is written. Without the query.
///
/// # Errors
/// What is ambiguous about it.
pub fn check(path: &str) -> Result<(), Ambiguous> {
    if !path.starts_with('/') {
        return Err(Ambiguous("the path does not start with a slash"));
    }
    if path.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(Ambiguous("the path holds a character that must be percent-encoded"));
    }
    if path.contains('\\') {
        return Err(Ambiguous("the path holds a backslash"));
    }
    if path.contains(['?', '#']) {
        return Err(Ambiguous("the path holds a question mark or a number sign, which would end it"));
    }
    if !path.contains(['%', '.']) {
        return Ok(());
    }
    path.split('/').try_for_each(segment)
}

fn segment(segment: &str) -> Result<(), Ambiguous> {
    let decoded =
        decode(segment).ok_or(Ambiguous("the path holds a percent sign that is no percent-encoding"))?;
    let decoded = String::from_utf8(decoded).map_err(|_| Ambiguous("the path is not UTF-8"))?;
    if decoded.contains(['/', '\\']) {
        return Err(Ambiguous("a segment of the path holds an encoded slash or backslash"));
    }
    if decoded.contains(char::is_control) {
        return Err(Ambiguous("the path holds an encoded control character"));
    }
    if twice(&decoded) {
        return Err(Ambiguous("the path is percent-encoded twice"));
    }
    // Some servers take what follows a semicolon for parameters of the segment.
    let name = decoded.split_once(';').map_or(decoded.as_str(), |(name, _)| name);
    if matches!(name, "." | "..") {
        return Err(Ambiguous("the path holds a segment of dots alone"));
    }
    Ok(())
}

/// The bytes that a percent-encoded text stands for (RFC 3986, section 2.1). `None`: it is not one.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            decoded.push(hex(bytes.next()?)? << 4 | hex(bytes.next()?)?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

/// Whether decoding once more yields a dot, a slash, a backslash or a further escape.
fn twice(decoded: &str) -> bool {
    decoded.match_indices('%').any(|(at, _)| {
        let escape = decoded.get(at + 1..at + 3).unwrap_or_default();
        ["2e", "2f", "5c", "25"].iter().any(|one| one.eq_ignore_ascii_case(escape))
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_pass() {
        for path in [
            "/",
            "/v1/chat/completions",
            "/v1/models/gpt-4.1",
            "/v1/files/%C3%A9t%C3%A9.jsonl",
            "/v1/models/org%3Amodel@2",
            "/v1/files/100%25",
            "/v1//models",
            "/v1/.../x",
            "/.well-known/x",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_could_be_read_in_two_ways_do_not() {
        for path in [
            "",
            "*",
            "v1",
            "/v1/..",
            "/v1/../admin",
            "/v1/./admin",
            "/v1/%2e%2e/admin",
            "/v1/.%2E/admin",
            "/v1/..;x=1/admin",
            "/v1/..%3b/admin",
            "/v1/x%2f..%2fadmin",
            "/v1/x%5cadmin",
            "/v1/x\\admin",
            "/v1/..#x",
            "/v1/..?x",
            "/v1/%252e%252e/admin",
            "/v1/%25252e/admin",
            "/v1/x%252fadmin",
            "/v1/%",
            "/v1/%2",
            "/v1/%zz",
            "/v1/%+1",
            "/v1/%ff",
            "/v1/%c0%ae%c0%ae/admin",
            "/v1/x%00",
            "/v1/x%0d%0aHost:evil",
            "/v1/été",
            "/v1/ x",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
    }
}
