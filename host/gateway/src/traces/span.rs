//! A span: what was done, from when to when, and how it came out.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::context::Context;

/// A span that has ended. Holds no secret: no header, no query, and of a path only what is the same for many requests.
#[derive(Debug)]
pub(super) struct Span {
    pub(super) context: Context,
    /// The span above it, in another program.
    pub(super) parent: Option<u64>,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) started_at: SystemTime,
    pub(super) took: Duration,
    pub(super) attributes: Vec<(&'static str, Value)>,
    /// Whether it came out badly, by OpenTelemetry's conventions.
    pub(super) failed: bool,
}

/// Who takes part in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// This program alone.
    Internal,
    /// A client that asked for it.
    Server,
}

#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Shared(Arc<str>),
    Number(u64),
}

/// Of a path what names an operation, such as `/v1/chat/completions`: identifiers, and whatever else is not a plain word,
/// become `*`, so that neither a secret nor a customer's name gets into a trace. What Envoy calls is named in whole.
pub(super) fn route(path: &str) -> String {
    let method_of_envoy = path.len() <= 100
        && path.starts_with("/envoy.service.")
        && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'));
    if method_of_envoy {
        return path.to_owned();
    }
    path.split('/')
        .take(8)
        .map(|segment| if is_word(segment) { segment } else { "*" })
        .collect::<Vec<_>>()
        .join("/")
}

fn is_word(segment: &str) -> bool {
    let version = segment.strip_prefix('v').is_some_and(|rest| {
        let rest = rest.trim_end_matches("beta").trim_end_matches("alpha");
        rest.len() <= 2 && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    version
        || (segment.len() <= 24
            && segment.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_names_the_operation_and_nothing_else() {
        for (path, expected) in [
            ("/", "/"),
            ("/v1/chat/completions", "/v1/chat/completions"),
            ("/v1/responses/resp_0123abc/input_items", "/v1/responses/*/input_items"),
            ("/v1/files/customer%20list", "/v1/files/*"),
            ("/v1beta/models/gemini-2:generate", "/v1beta/models/*"),
            ("/v123456/x", "/*/x"),
            ("/sk-0123456789abcdef0123456789abcdef", "/*"),
            ("/a/b/c/d/e/f/g/h/i", "/a/b/c/d/e/f/g"),
            ("/envoy.service.auth.v3.Authorization/Check", "/envoy.service.auth.v3.Authorization/Check"),
            ("/envoy.service.x/sk-0123456789", "/*/*"),
        ] {
            assert_eq!(route(path), expected);
        }
    }
}
