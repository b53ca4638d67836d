//! Anthropic: its token endpoint, `POST /v1/oauth/token`, and its API, as far as the official SDKs need it to be content
//! (platform.claude.com, "Workload identity federation reference" and "Messages").

mod messages;
mod token;

use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::answer;
use crate::bearer;
use crate::body::Body;
use crate::exchange::providers::Providers;
use crate::random;
use crate::service::{Answering, Service};
use crate::tokens::Bearer;
use crate::world::World;

/// Where tokens are given.
pub(crate) const TOKEN_PATH: &str = "/v1/oauth/token";

/// The rule of the cluster; those of the other platforms are called `fdrl_sandbox_azure` and so on.
pub(crate) const FEDERATION_RULE_ID: &str = "fdrl_sandbox";
pub(crate) const ORGANIZATION_ID: &str = "6f1e0d2c-3b4a-4958-8776-655443322110";
pub(crate) const SERVICE_ACCOUNT_ID: &str = "svac_sandbox";
pub(crate) const WORKSPACE_ID: &str = "wrkspc_sandbox";

/// Opens the API to bearer tokens.
const OAUTH_BETA: &str = "oauth-2025-04-20";

/// Opens the token endpoint to federation.
const FEDERATION_BETA: &str = "oidc-federation-2026-04-01";

/// The service.
pub(crate) struct Anthropic {
    world: Arc<World>,
    providers: Providers,
}

impl Anthropic {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), providers: Providers::new(world, &world.options.audience) }
    }

    async fn route(&self, request: &Request<Bytes>, request_id: &str) -> Response<Body> {
        if request.uri().path() == TOKEN_PATH {
            if request.method() != Method::POST {
                return answer::method_not_allowed("POST");
            }
            return token::answer(&self.world, &self.providers, request).await;
        }
        self.api(request).unwrap_or_else(|error| error.answer(request_id))
    }

    fn api(&self, request: &Request<Bytes>) -> Result<Response<Body>, ApiError> {
        let caller = self.authenticate(request.headers())?;
        // A date; which one makes no difference here.
        let version = request.headers().get("anthropic-version").and_then(|version| version.to_str().ok());
        if !version.is_some_and(|version| version.len() == 10 && version.split('-').count() == 3) {
            return Err(ApiError::bad_request("anthropic-version: header is required"));
        }
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/v1/models") => Ok(answer::json(StatusCode::OK, &models())),
            (&Method::POST, "/v1/messages") => messages::answer(request.body(), &caller, &self.world),
            _ => Err(ApiError(StatusCode::NOT_FOUND, "not_found_error", "Not found")),
        }
    }

    /// A key comes in a header of its own, a token as a bearer beside the beta header.
    fn authenticate(&self, headers: &HeaderMap) -> Result<String, ApiError> {
        let denied = |text| ApiError(StatusCode::UNAUTHORIZED, "authentication_error", text);
        let tokens = &self.world.anthropic;
        let now_ms = self.world.clock.now_ms();
        if let Some(key) = headers.get("x-api-key") {
            return match tokens.judge(key.to_str().unwrap_or_default(), now_ms) {
                Bearer::ApiKey => Ok("the static API key".to_owned()),
                _ => Err(denied("invalid x-api-key")),
            };
        }
        let token = bearer::of(headers).ok_or(denied("x-api-key header is required"))?;
        if !has_beta(headers, OAUTH_BETA) {
            return Err(denied("OAuth authentication is currently not supported."));
        }
        match tokens.judge(token, now_ms) {
            Bearer::Token { generation } => Ok(format!("token number {generation}")),
            Bearer::Expired => Err(denied("OAuth token has expired.")),
            Bearer::Revoked => Err(denied("OAuth token has been revoked.")),
            Bearer::ApiKey | Bearer::Unknown => Err(denied("Invalid bearer token")),
        }
    }
}

impl Service for Anthropic {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let id = format!("req_{}", random::text(24).unwrap_or_default());
            let mut response = self.route(&request, &id).await;
            if let Ok(id) = HeaderValue::try_from(id) {
                response.headers_mut().insert(HeaderName::from_static("request-id"), id);
            }
            response
        })
    }
}

/// Whether `anthropic-beta` names this; the header may come several times, and name several at a time.
fn has_beta(headers: &HeaderMap, wanted: &str) -> bool {
    headers
        .get_all("anthropic-beta")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == wanted)
}

fn models() -> Value {
    let id = "claude-sandbox";
    json!({
        "data": [
            {"type": "model", "id": id, "display_name": "Sandbox", "created_at": "2025-08-07T00:00:00Z"},
        ],
        "first_id": id,
        "last_id": id,
        "has_more": false,
    })
}

/// A status, a type, and a sentence.
struct ApiError(StatusCode, &'static str, &'static str);

impl ApiError {
    fn bad_request(message: &'static str) -> Self {
        Self(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    fn answer(self, request_id: &str) -> Response<Body> {
        let Self(status, kind, message) = self;
        let error = json!({"type": kind, "message": message});
        answer::json(status, &json!({"type": "error", "error": error, "request_id": request_id}))
    }
}
