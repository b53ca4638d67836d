//! The answer to a request for which there is no credential.

use alloc::string::{String, ToString as _};

use keyless_engine::Error;
use keyless_engine::error::Code;
use keyless_engine::json::{self, Map, Value};

use crate::host;

/// 503, when it may be better, and why: in the form in which the SDKs of OpenAI and Anthropic show errors. For the context
/// that is acted for.
pub(crate) fn unavailable(error: &Error) {
    let seconds = error.retry_after_ms().map_or(1, |ms| ms.div_ceil(1_000).max(1)).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("retry-after", seconds.as_str()),
    ];
    // For `%RESPONSE_CODE_DETAILS%` in access logs.
    let details = format!("keyless_{}", error.code().as_str());
    host::send_local_response(503, &details, &headers, body(error).as_bytes());
}

/// For who waited in vain, or found too many waiting.
pub(crate) fn not_yet(what: &str) -> Error {
    let message = format!("{what}, and no credential is there yet; ask again");
    Error::new(Code::NotYet, message).retry_after(Some(1_000))
}

fn body(error: &Error) -> String {
    let mut inner = Map::new();
    for (name, value) in [("type", "keyless"), ("code", error.code().as_str()), ("message", error.message())]
    {
        inner.insert(name.into(), Value::String(value.into()));
    }
    let mut outer = Map::new();
    outer.insert("error".into(), Value::Object(inner));
    json::text(&Value::Object(outer), 256 + 2 * error.message().len()).expose().into()
}
