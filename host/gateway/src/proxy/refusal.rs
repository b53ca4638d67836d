//! Requests that go no further, and what their clients are told. Never anything that an upstream or a client sent.

use http::{Response, StatusCode};

use crate::answer;
use crate::connection::Unavailable;
use crate::path::Ambiguous;
use crate::service::Body;

/// Why a request is not forwarded, or was in vain.
#[derive(Debug)]
pub(super) enum Refusal {
    /// TRACE would show the credential; CONNECT would make a tunnel to anywhere.
    Method,
    /// A path that servers may understand differently.
    Path(Ambiguous),
    /// No route has a prefix of this path.
    NoRoute,
    /// The route has no prefix, and the path is not one of the API.
    NotBelow,
    /// `paths` does not list it.
    PathNotAllowed,
    /// `models` does not list it, or it cannot be told.
    Model(&'static str),
    /// Longer than what is read to look for its model.
    BodyTooLong,
    /// The client's own body stopped coming.
    UploadStalled,
    /// The client's own body ended early, or is not framed as it says.
    UploadBroken,
    /// There is no credential.
    NoCredential(Unavailable),
    /// There is no connection to the upstream.
    Unreachable,
    /// A connection to the upstream, or the upstream's answer, took too long.
    TimedOut,
    /// The upstream closed the connection, or does not speak HTTP.
    Failed,
}

impl Refusal {
    pub(super) fn answer(&self) -> Response<Body> {
        let (status, code, message) = match self {
            Self::NoCredential(reason) => return answer::unavailable(reason),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "TRACE and CONNECT are not forwarded; a WebSocket is opened by an upgrade over HTTP/1.1",
            ),
            Self::Path(Ambiguous(what)) => (StatusCode::BAD_REQUEST, "path-ambiguous", *what),
            Self::NoRoute => (
                StatusCode::NOT_FOUND,
                "route-unknown",
                "no route of this listener has a prefix of this path",
            ),
            Self::NotBelow => (
                StatusCode::NOT_FOUND,
                "route-unknown",
                "this path is not below the API's base URL, whose path goes into the URL here as well, such as /v1",
            ),
            Self::PathNotAllowed => {
                (StatusCode::FORBIDDEN, "path-not-allowed", "the `paths` of this route do not list this path")
            }
            Self::Model(what) => (StatusCode::FORBIDDEN, "model-not-allowed", *what),
            Self::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-long",
                "the `models` of this route are looked up in bodies of up to 32 MiB",
            ),
            Self::UploadStalled => {
                (StatusCode::REQUEST_TIMEOUT, "upload-stalled", "the body of the request stopped coming")
            }
            Self::UploadBroken => (
                StatusCode::BAD_REQUEST,
                "upload-broken",
                "the body of the request is not as long or as framed as it says",
            ),
            Self::Unreachable => {
                (StatusCode::BAD_GATEWAY, "upstream-unreachable", "there is no connection to the upstream")
            }
            Self::TimedOut => {
                (StatusCode::GATEWAY_TIMEOUT, "upstream-timeout", "the upstream did not answer in time")
            }
            Self::Failed => (
                StatusCode::BAD_GATEWAY,
                "upstream-failed",
                "the upstream ended the connection without an answer that can be understood",
            ),
        };
        answer::error(status, code, message)
    }
}
