//! `{"generation": N}`: which credential the API answered 401 to.

use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::Deserialize;

use crate::answer;
use crate::service::Body;

/// In bytes. A generation has at most 20 digits.
const LARGEST: usize = 1024;

/// How long the body may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejected {
    generation: u64,
}

/// Reads the body, or says what is wrong with it.
pub(super) async fn generation(body: Incoming) -> Result<u64, Box<Response<Body>>> {
    let refusal = |status, what: &str| {
        let message =
            format!("{what}; send {{\"generation\": N}} with the generation of the rejected credential");
        Box::new(answer::error(status, "endpoint-body", &message))
    };
    let Ok(collected) = tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await else {
        return Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body did not come within 10 s"));
    };
    let Ok(collected) = collected else {
        return Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "the body broke off or has more than 1024 bytes"));
    };
    match serde_json::from_slice(&collected.to_bytes()) {
        Ok(Rejected { generation }) => Ok(generation),
        Err(_) => Err(refusal(StatusCode::BAD_REQUEST, "the body is not understood")),
    }
}
