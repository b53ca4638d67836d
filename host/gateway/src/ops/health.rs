//! Whether traffic may come: `/readyz`.

use http::{Response, StatusCode};
use serde_json::json;

use super::board::Shown;
use crate::answer;
use crate::service::Body;

/// 200 when every connection in use holds a usable credential, else 503; and which do not, and why.
pub(super) fn readiness(shown: &Shown) -> Response<Body> {
    let lacking: Vec<_> = shown
        .connections
        .iter()
        .filter(|followed| followed.connection.credential().is_none())
        .map(|followed| {
            let status = followed.connection.status();
            let problem = status.last_problem;
            json!({
                "connection": followed.name,
                "phase": status.phase,
                "code": problem.as_ref().map(|problem| &problem.code),
                "message": problem.as_ref().map(|problem| &problem.message),
            })
        })
        .collect();
    let status = if lacking.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer::json(status, &json!({ "ready": lacking.is_empty(), "without_credential": lacking }))
}
