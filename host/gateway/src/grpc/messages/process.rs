//! `envoy/service/ext_proc/v3/external_processor.proto`: a request and its answer as they pass.

use super::auth::HttpStatus;
use super::header::{HeaderMap, HeaderValueOption};

/// What passes.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct ProcessingRequest {
    /// Bodies and trailers, which need not be sent here, are none of these.
    #[prost(oneof = "Passing", tags = "2, 3")]
    pub(crate) request: Option<Passing>,
}

/// `ProcessingRequest.request`.
#[derive(PartialEq, prost::Oneof)]
#[prost(skip_debug)]
pub(crate) enum Passing {
    /// The head of the request.
    #[prost(message, tag = "2")]
    Request(HttpHeaders),
    /// The head of the answer.
    #[prost(message, tag = "3")]
    Response(HttpHeaders),
}

/// A head: `:path`, `:status` and the like are among its headers.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HttpHeaders {
    #[prost(message, optional, tag = "1")]
    pub(crate) headers: Option<HeaderMap>,
}

/// What becomes of it.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct ProcessingResponse {
    #[prost(oneof = "Passage", tags = "1, 2, 7")]
    pub(crate) response: Option<Passage>,
}

/// `ProcessingResponse.response`.
#[derive(PartialEq, prost::Oneof)]
#[prost(skip_debug)]
pub(crate) enum Passage {
    /// How the request goes on.
    #[prost(message, tag = "1")]
    Request(HeadersResponse),
    /// How the answer goes on.
    #[prost(message, tag = "2")]
    Response(HeadersResponse),
    /// What the client gets in place of an answer.
    #[prost(message, tag = "7")]
    Immediate(ImmediateResponse),
}

/// Without a response: unchanged.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HeadersResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) response: Option<CommonResponse>,
}

/// Its status, 0, is to go on.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct CommonResponse {
    #[prost(message, optional, tag = "2")]
    pub(crate) header_mutation: Option<HeaderMutation>,
}

/// Changes of headers.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct HeaderMutation {
    #[prost(message, repeated, tag = "1")]
    pub(crate) set_headers: Vec<HeaderValueOption>,
    #[prost(string, repeated, tag = "2")]
    pub(crate) remove_headers: Vec<String>,
}

/// An answer in place of the upstream's.
#[derive(PartialEq, prost::Message)]
#[prost(skip_debug)]
pub(crate) struct ImmediateResponse {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<HttpStatus>,
    #[prost(message, optional, tag = "2")]
    pub(crate) headers: Option<HeaderMutation>,
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) body: Vec<u8>,
    /// For Envoy's access log.
    #[prost(string, tag = "5")]
    pub(crate) details: String,
}
