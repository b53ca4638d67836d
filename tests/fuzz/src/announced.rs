//! What a connection asks for is what its plan announced, in a form that can be sent.

use keyless_engine::io::{Effect, Request};
use keyless_engine::plan::Requirements;

/// The requests and files that the plan names, and no others.
pub fn is_announced(effect: &Effect, needs: &Requirements) {
    match effect {
        Effect::ReadFile { path, limit, .. } => {
            assert!(needs.files.contains(path), "reads {path}, which the plan does not name");
            assert!((1..=64 * 1024).contains(limit), "reads up to {limit} bytes");
        }
        Effect::Send { request, .. } => {
            let (url, _) = request.url.split_once('?').unwrap_or((&request.url, ""));
            let named = |granted: &str| granted == url || any_last_segment(url).as_deref() == Some(granted);
            let named = needs.endpoints.iter().any(|one| one.method == request.method && named(&one.url));
            assert!(named, "sends {} {url}, which the plan does not name", request.method);
            is_well_formed(request);
        }
        Effect::AskSource { .. } => {
            assert!(needs.source_component.is_some(), "asks a component that is not named");
        }
        Effect::Cancel { .. } => {}
    }
}

/// `/a/*` for `/a/b`: a segment that only the other side knows.
fn any_last_segment(url: &str) -> Option<String> {
    let (parent, name) = url.rsplit_once('/')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (!name.is_empty() && name.bytes().all(plain) && !matches!(name, "." | ".."))
        .then(|| format!("{parent}/*"))
}

/// What can be sent as it is, and arrives as what was meant.
fn is_well_formed(request: &Request) {
    assert!(request.url.bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", request.url);
    assert!(matches!(request.method, "GET" | "PUT" | "POST" | "DELETE"));
    assert!(request.timeout_ms <= 10_000 && request.response_limit <= 64 * 1024);
    let mut length = None;
    for (name, value) in &request.headers {
        is_header(name, value.expose());
        if *name == "content-length" {
            assert!(length.replace(value.expose().to_owned()).is_none(), "content-length twice");
        }
    }
    assert_eq!(length, Some(request.body.len().to_string()), "content-length");
}

/// A name and a value that stay in their line.
pub(crate) fn is_header(name: &str, value: &str) {
    let token =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
    assert!(!name.is_empty() && name.bytes().all(token), "a header named {name:?}");
    assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{name}: {value:?}");
}
