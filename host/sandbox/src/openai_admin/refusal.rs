//! How the Admin API says no: as the rest of the API does, but for a permission that is lacking.

use http::{Response, StatusCode};
use serde_json::json;

use crate::answer;
use crate::body::Body;
use crate::upstream::api_error::ApiError;

/// What a key needs in order to look.
pub(super) const READ_SCOPE: &str = "api.management.read";

/// What it needs in order to change something.
pub(crate) const WRITE_SCOPE: &str = "api.management.write";

/// A reason.
pub(super) enum Refusal {
    Api(ApiError),
    MissingScope(&'static str),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<ring::error::Unspecified> for Refusal {
    fn from(_: ring::error::Unspecified) -> Self {
        Self::Api(ApiError::internal())
    }
}

impl Refusal {
    pub(super) fn answer(self) -> Response<Body> {
        match self {
            Self::Api(error) => error.into_answer(),
            Self::MissingScope(scope) => missing_scope(scope),
        }
    }
}

/// Unlike every other error, it is a bare sentence: people who asked with a project's key have published what they got.
pub(crate) fn missing_scope(scope: &str) -> Response<Body> {
    let message = format!(
        "You have insufficient permissions for this operation. Missing scopes: {scope}. Check that you have the \
         correct role in your organization, and if you're using a restricted API key, that it has the necessary \
         scopes."
    );
    answer::json(StatusCode::FORBIDDEN, &json!({"error": message}))
}
