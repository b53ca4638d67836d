//! Answers of our own: errors in the shape that clients of these APIs understand, without secrets.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;

use crate::connection::Unavailable;
use crate::service::Body;

/// A whole body.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A status without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// JSON that no cache may keep.
pub(crate) fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(whole(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `{"error": {...}}`, which the SDKs of OpenAI and Anthropic show to their users. `code` is stable and kebab-case.
pub(crate) fn error(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    json(status, &json!({"error": {"type": "keyless", "code": code, "message": message}}))
}

/// 503: there is no credential, and when there may be one.
pub(crate) fn unavailable(reason: &Unavailable) -> Response<Body> {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, &reason.code, &reason.message);
    let seconds = reason.retry_after.unwrap_or(Duration::from_secs(1)).as_secs().max(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
