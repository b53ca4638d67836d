//! The question and the answer as plain HTTP: what every gateway can do.
//!
//! - Envoy: `envoy.filters.http.ext_authz` with an `http_service`
//!   (<https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/extensions/filters/http/ext_authz/v3/ext_authz.proto>)
//! - nginx: `auth_request` (<https://nginx.org/en/docs/http/ngx_http_auth_request_module.html>)
//! - Traefik: ForwardAuth; Caddy: `forward_auth`; HAProxy: a request of its Lua `core.httpclient`

use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::desk::{self, Denial, Desk};
use super::original::Original;
use crate::answer;
use crate::connection::Credential;
use crate::service::Body;

/// Of an answer: which credential of its connection it is.
pub(super) const GENERATION: &str = "x-keyless-generation";

/// Of a question: the API answered 401 to the credential of this generation. Gateways must not let their clients set it: it
/// makes the connection renew.
pub(super) const REJECTED: HeaderName = HeaderName::from_static("x-keyless-rejected");

/// Of an answer, for Envoy: names of headers to take out of the client's request, separated by commas.
const REMOVE: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// What a gateway wants to know.
pub(super) struct Question {
    path: String,
    rejected: Option<u64>,
}

/// Reads a question of any method, and with any path where a header tells the client's.
pub(super) fn read(question: &Parts, original: &Original) -> Result<Question, Denial> {
    Ok(Question { path: original.path(question)?, rejected: rejected(&question.headers)? })
}

/// 200 and the credential's headers, or why not.
pub(super) async fn answer(desk: &Desk, question: Result<Question, Denial>) -> Response<Body> {
    let found = match &question {
        Ok(Question { path, rejected }) => desk.credential(path, *rejected).await,
        Err(denial) => Err(denial.clone()),
    };
    found.map_or_else(|denial| denial.response(), |credential| allowed(&credential))
}

fn allowed(credential: &Credential) -> Response<Body> {
    let mut response = answer::empty(StatusCode::OK);
    let headers = response.headers_mut();
    credential.apply(headers);
    headers.insert(GENERATION, HeaderValue::from(credential.generation()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let names: Vec<_> = desk::removed(credential).collect();
    if let Ok(names) = HeaderValue::try_from(names.join(",")) {
        headers.insert(REMOVE, names);
    }
    response
}

/// Empty is absent: gateways that have no such variable send it so.
fn rejected(headers: &HeaderMap) -> Result<Option<u64>, Denial> {
    let mut values = headers.get_all(REJECTED).iter().filter(|value| !value.is_empty());
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => generation(value.as_bytes()).map(Some),
        (Some(_), Some(_)) => Err(unclear()),
    }
}

/// A generation as a gateway gives it back.
pub(super) fn generation(text: &[u8]) -> Result<u64, Denial> {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(unclear)
}

fn unclear() -> Denial {
    Denial::Unclear {
        code: "rejected-unclear",
        message: "x-keyless-rejected is one number: the x-keyless-generation of the credential that the API refused",
    }
}
