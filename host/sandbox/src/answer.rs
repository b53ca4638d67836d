//! How services phrase an answer.

use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::body::{self, Body};

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    typed(status, "application/json", value.to_string())
}

/// An answer of any media type.
pub(crate) fn typed(
    status: StatusCode,
    media_type: &'static str,
    text: impl Into<bytes::Bytes>,
) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// 404, in a neutral JSON shape.
pub(crate) fn not_found() -> Response<Body> {
    json(
        StatusCode::NOT_FOUND,
        &json!({"error": "not_found", "error_description": "Nothing is served at this path."}),
    )
}

/// 405, naming the method that would do.
pub(crate) fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let body = json!({"error": "method_not_allowed", "error_description": format!("Use {allowed} here.")});
    let mut response = json(StatusCode::METHOD_NOT_ALLOWED, &body);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
