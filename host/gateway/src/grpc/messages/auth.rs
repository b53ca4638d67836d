//! `envoy/service/auth/v3/external_auth.proto` and `attribute_context.proto`: whether a request may go on, and how.

use std::collections::HashMap;

use super::core::Status;
use super::header::{HeaderMap, HeaderValueOption};

/// A request that Envoy has received.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct CheckRequest {
    #[prost(message, optional, tag = "1")]
    pub(crate) attributes: Option<AttributeContext>,
}

/// What Envoy knows of it.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct AttributeContext {
    #[prost(message, optional, tag = "4")]
    pub(crate) request: Option<AttributeRequest>,
}

/// `AttributeContext.Request`.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct AttributeRequest {
    #[prost(message, optional, tag = "2")]
    pub(crate) http: Option<HttpRequest>,
}

/// `AttributeContext.HttpRequest`. The path has its query with it.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HttpRequest {
    #[prost(map = "string, string", tag = "3")]
    pub(crate) headers: HashMap<String, String>,
    #[prost(string, tag = "4")]
    pub(crate) path: String,
    /// In place of `headers`, with `encode_raw_headers`.
    #[prost(message, optional, tag = "13")]
    pub(crate) header_map: Option<HeaderMap>,
}

/// The answer. The request goes on if the status is 0.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct CheckResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<Status>,
    #[prost(oneof = "HttpResponse", tags = "2, 3")]
    pub(crate) http_response: Option<HttpResponse>,
}

/// `CheckResponse.http_response`.
#[derive(PartialEq, prost::Oneof)]
#[prost(skip_debug)]
pub(crate) enum HttpResponse {
    /// What the client gets.
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    /// How its request goes on.
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
}

/// An answer in place of the upstream's.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct DeniedHttpResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<HttpStatus>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) headers: Vec<HeaderValueOption>,
    #[prost(string, tag = "3")]
    pub(crate) body: String,
}

/// Changes of the request.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct OkHttpResponse {
    #[prost(message, repeated, tag = "2")]
    pub(crate) headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "5")]
    pub(crate) headers_to_remove: Vec<String>,
}

/// `envoy/type/v3/http_status.proto`: an enumeration whose values are the status codes.
#[derive(PartialEq, prost::Message)]
pub(crate) struct HttpStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
}
