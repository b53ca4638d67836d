//! Server-sent events (WHATWG HTML, section 9.2): each event leaves as a piece of its own.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde_json::Value;

use crate::body::{self, Body};

/// An event with a name.
pub(crate) fn named(name: &str, data: &Value) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// An event without a name.
pub(crate) fn unnamed(data: &str) -> Bytes {
    format!("data: {data}\n\n").into()
}

/// The stream.
pub(crate) fn stream(events: Vec<Bytes>, pause: Duration) -> Response<Body> {
    let mut response = Response::new(body::paced(events, pause));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
