//! The question and the answer as gRPC: `envoy.service.auth.v3.Authorization`
//! (<https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/auth/v3/external_auth.proto>).
//!
//! `x-keyless-rejected` is not listened to here: Envoy sends every header of its client's along.

use http::Response;
use http_body_util::BodyExt as _;

use super::desk::{self, Denial, Desk};
use super::http_form::GENERATION;
use super::original::without_query;
use crate::connection::Credential;
use crate::grpc::messages::auth::{
    CheckRequest, CheckResponse, DeniedHttpResponse, HttpResponse, HttpStatus, OkHttpResponse,
};
use crate::grpc::messages::core::Status;
use crate::grpc::messages::header::{AppendAction, HeaderValue, HeaderValueOption};
use crate::service::Body;

/// `google/rpc/code.proto`.
const OK: i32 = 0;
const PERMISSION_DENIED: i32 = 7;
const UNAVAILABLE: i32 = 14;

/// The credential's headers to set, and the client's keys to remove; or what the client gets instead.
pub(super) async fn answer(desk: &Desk, question: CheckRequest) -> CheckResponse {
    let http = question.attributes.and_then(|attributes| attributes.request).and_then(|request| request.http);
    let path = http.map(|http| http.path).unwrap_or_default();
    match desk.credential(without_query(&path), None).await {
        Ok(credential) => allowed(&credential),
        Err(denial) => denied(&denial).await,
    }
}

fn allowed(credential: &Credential) -> CheckResponse {
    let set = credential.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let generation = credential.generation().to_string();
    let headers = set.chain([(GENERATION, generation.as_bytes())]).filter_map(|(name, value)| {
        let value = String::from_utf8(value.to_vec()).ok()?;
        Some(replaced(HeaderValue { key: name.to_owned(), value, raw_value: Vec::new() }))
    });
    let ok = OkHttpResponse {
        headers: headers.collect(),
        headers_to_remove: desk::removed(credential).map(str::to_owned).collect(),
    };
    CheckResponse { status: Some(status(OK)), http_response: Some(HttpResponse::Ok(ok)) }
}

async fn denied(denial: &Denial) -> CheckResponse {
    let code = match denial {
        Denial::Unavailable(_) => UNAVAILABLE,
        Denial::Forbidden { .. } | Denial::Unclear { .. } => PERMISSION_DENIED,
    };
    let instead = Instead::of(denial.response()).await;
    let headers = instead
        .headers
        .into_iter()
        .map(|(key, value)| replaced(HeaderValue { key, value, raw_value: Vec::new() }));
    let denied =
        DeniedHttpResponse { status: Some(instead.status), headers: headers.collect(), body: instead.body };
    CheckResponse { status: Some(status(code)), http_response: Some(HttpResponse::Denied(denied)) }
}

fn replaced(header: HeaderValue) -> HeaderValueOption {
    HeaderValueOption { header: Some(header), append_action: AppendAction::OverwriteIfExistsOrAdd.into() }
}

fn status(code: i32) -> Status {
    Status { code, message: String::new() }
}

/// One of our own answers, in parts.
pub(super) struct Instead {
    pub(super) status: HttpStatus,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Instead {
    /// The answer is whole and in memory: nothing is waited for.
    pub(super) async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes())));
        let body = body.collect().await.map(|body| text(&body.to_bytes())).unwrap_or_default();
        Self { status: HttpStatus { code: head.status.as_u16().into() }, headers: headers.collect(), body }
    }
}
