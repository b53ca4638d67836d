//! How STS says no: an error code in XML (STS API reference, "Common errors").

use http::{Response, StatusCode};

use crate::answer;
use crate::body::Body;
use crate::random;

/// The namespace of all answers.
pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A status, a code, and a sentence without markup.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) &'static str, pub(super) &'static str);

impl Refusal {
    pub(super) fn bad(code: &'static str, message: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn forbidden(code: &'static str, message: &'static str) -> Self {
        Self(StatusCode::FORBIDDEN, code, message)
    }

    pub(super) fn internal() -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "The request could not be processed.")
    }

    pub(super) fn answer(&self) -> Response<Body> {
        let Self(status, code, message) = self;
        let sender = if status.is_server_error() { "Receiver" } else { "Sender" };
        let id = random::uuid().unwrap_or_default();
        let text = format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>{sender}</Type>\n    <Code>{code}</Code>\n    \
             <Message>{message}</Message>\n  </Error>\n  <RequestId>{id}</RequestId>\n</ErrorResponse>\n"
        );
        answer::typed(*status, "text/xml", text)
    }
}
