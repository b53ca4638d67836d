//! How OpenAI's API says no.

use http::{Method, Response, StatusCode};
use serde_json::json;

use crate::answer;
use crate::body::Body;

/// OpenAI's error body: `{"error": {"message", "type", "param", "code"}}`.
pub(crate) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
    message: String,
}

impl ApiError {
    pub(crate) fn unauthorized(code: Option<&'static str>, message: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            kind: "invalid_request_error",
            param: None,
            code,
            message: message.to_owned(),
        }
    }

    pub(crate) fn bad_request(param: Option<&'static str>, message: &str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, param, message.to_owned())
    }

    /// The request is at fault.
    pub(crate) fn refused(status: StatusCode, param: Option<&'static str>, message: String) -> Self {
        Self { status, kind: "invalid_request_error", param, code: None, message }
    }

    pub(crate) fn internal() -> Self {
        let message = "The server had an error while processing your request.".to_owned();
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "server_error",
            param: None,
            code: None,
            message,
        }
    }

    pub(crate) fn no_such_call(method: &Method, path: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "invalid_request_error",
            param: None,
            code: Some("unknown_url"),
            message: format!("Invalid URL ({method} {path})"),
        }
    }

    pub(crate) fn into_answer(self) -> Response<Body> {
        let error =
            json!({"message": self.message, "type": self.kind, "param": self.param, "code": self.code});
        answer::json(self.status, &json!({"error": error}))
    }
}
