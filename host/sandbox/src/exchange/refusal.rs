//! Why the token endpoint says no, and how it words it.
//!
//! OpenAI documents the categories and the codes `invalid_grant` and `invalid_subject_token`; the HTTP status of each is
//! not documented. What stands here follows RFC 6749, section 5.2 where it has a rule, and the SDKs' own tests else.

use std::fmt;

use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answer;
use crate::body::Body;

/// The two bodies that OpenAI's token endpoint has been seen to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorShape {
    /// `{"error": "code", "error_description": "..."}` (RFC 6749, section 5.2).
    #[default]
    Flat,
    /// `{"error": {"code": "code", "message": "...", "type": "invalid_request_error", "param": null}}`
    Nested,
}

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// An `Authorization` header came with the request, which the documentation does not allow.
    Authenticated,
    /// The body came in chunks of unknown total length.
    NoLength,
    ContentType,
    NotJson,
    Missing(&'static str),
    NotText(&'static str),
    GrantType,
    SubjectTokenType,
    UnknownField(String),
    UnknownProvider,
    SubjectToken(&'static str),
    NoMapping,
    /// The assertion of Codex's grant, or what comes with it.
    Grant(&'static str),
    SeveralMappings,
    /// The provider's keys could not be fetched.
    KeysUnavailable(String),
    Internal,
}

impl Refusal {
    pub(crate) fn answer(&self, shape: ErrorShape) -> Response<Body> {
        let body = match shape {
            ErrorShape::Flat => json!({"error": self.code(), "error_description": self.to_string()}),
            ErrorShape::Nested => json!({"error": {
                "code": self.code(),
                "message": self.to_string(),
                "type": "invalid_request_error",
                "param": null,
            }}),
        };
        answer::json(self.status(), &body)
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::GrantType => "unsupported_grant_type",
            Self::SubjectToken(_) => "invalid_subject_token",
            Self::NoMapping | Self::SeveralMappings | Self::Grant(_) => "invalid_grant",
            Self::KeysUnavailable(_) => "temporarily_unavailable",
            Self::Internal => "server_error",
            _ => "invalid_request",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoLength => StatusCode::LENGTH_REQUIRED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::SubjectToken(_) => StatusCode::UNAUTHORIZED,
            Self::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated => f.write_str("The token exchange takes no Authorization header."),
            Self::NoLength => f.write_str("The request needs a Content-Length header."),
            Self::ContentType => f.write_str("The Content-Type must be application/json."),
            Self::NotJson => f.write_str("The body is not a JSON object."),
            Self::Missing(name) => write!(f, "Missing required parameter: '{name}'."),
            Self::NotText(name) => write!(f, "Invalid type for '{name}': expected a string."),
            Self::GrantType => f.write_str("This grant_type is not supported."),
            Self::SubjectTokenType => f.write_str("This subject_token_type is not supported."),
            Self::UnknownField(name) => write!(f, "Unsupported token request: unknown parameter '{name}'."),
            Self::UnknownProvider => f.write_str("The identity provider was not found."),
            Self::Grant(reason) => write!(f, "The grant is invalid: {reason}."),
            Self::SubjectToken(reason) => write!(f, "The subject token is invalid: {reason}."),
            Self::NoMapping => f.write_str("No enabled mapping matches this identity and service account."),
            Self::SeveralMappings => {
                f.write_str("More than one mapping matches this identity and service account.")
            }
            Self::KeysUnavailable(why) => write!(f, "The identity provider's keys are not available: {why}."),
            Self::Internal => f.write_str("The request could not be processed."),
        }
    }
}
