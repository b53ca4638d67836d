//! The vendor's API, as far as the official SDKs need it to be content. It opens only for what the token endpoint issued
//! and for keys of service accounts.

pub(crate) mod api_error;
mod chat;
mod models;
pub(crate) mod prompt;
mod responses;
pub(crate) mod sse;

use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::Value;

use self::api_error::ApiError;
use crate::answer;
use crate::bearer;
use crate::body::Body;
use crate::openai_admin;
use crate::openai_admin::service_accounts::KeyUse;
use crate::random;
use crate::service::{Answering, Service};
use crate::tokens::Bearer;
use crate::world::World;

/// The service.
pub(crate) struct Upstream {
    world: Arc<World>,
}

impl Upstream {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world) }
    }

    fn route(&self, request: &Request<Bytes>) -> Result<Response<Body>, ApiError> {
        if request.uri().path().starts_with(openai_admin::call::ROOT) {
            return Ok(openai_admin::answer(&self.world, request));
        }
        let caller = self.authenticate(request.headers())?;
        let call = |body| Call::new(body, &caller, self.world.clock.now_s(), self.world.options.stream_pause);
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/v1/models") => Ok(answer::json(StatusCode::OK, &models::list())),
            (&Method::POST, "/v1/responses") => responses::answer(&call(request.body())?),
            (&Method::POST, "/v1/chat/completions") => chat::answer(&call(request.body())?),
            (method, path) => Err(ApiError::no_such_call(method, path)),
        }
    }

    /// Says whom the API takes the caller for.
    fn authenticate(&self, headers: &HeaderMap) -> Result<String, ApiError> {
        let missing = "You didn't provide an API key.";
        let bearer = bearer::of(headers).ok_or_else(|| ApiError::unauthorized(None, missing))?;
        let now_ms = self.world.clock.now_ms();
        match self.world.tokens.judge(bearer, now_ms) {
            Bearer::ApiKey => Ok("the static API key".to_owned()),
            Bearer::Token { generation } => Ok(format!("token number {generation}")),
            Bearer::Expired => {
                Err(ApiError::unauthorized(Some("token_expired"), "The access token has expired."))
            }
            Bearer::Revoked => {
                Err(ApiError::unauthorized(Some("token_revoked"), "The access token was revoked."))
            }
            Bearer::Unknown => match self.world.service_accounts.use_key(bearer, now_ms) {
                KeyUse::Opens { account_id } => Ok(format!("a key of service account {account_id}")),
                KeyUse::Refused => {
                    Err(ApiError::unauthorized(Some("invalid_api_key"), "Incorrect API key provided."))
                }
            },
        }
    }
}

impl Service for Upstream {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let mut response = self.route(&request).unwrap_or_else(ApiError::into_answer);
            if let Some(id) =
                random::hex(32).ok().and_then(|id| HeaderValue::try_from(format!("req_{id}")).ok())
            {
                response.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
            }
            response
        })
    }
}

/// A request for generated text, understood.
struct Call {
    model: String,
    streamed: bool,
    /// The body as it came, for what only one endpoint looks at.
    body: Value,
    /// What the "model" answers.
    reply: String,
    created_s: u64,
    pause: std::time::Duration,
}

impl Call {
    fn new(body: &[u8], caller: &str, now_s: u64, pause: std::time::Duration) -> Result<Self, ApiError> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|_| ApiError::bad_request(None, "We could not parse the JSON body of your request."))?;
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
        if model.is_empty() {
            return Err(ApiError::bad_request(Some("model"), "Missing required parameter: 'model'."));
        }
        let streamed = match body.get("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(streamed)) => *streamed,
            Some(_) => {
                return Err(ApiError::bad_request(
                    Some("stream"),
                    "Invalid type for 'stream': expected a boolean.",
                ));
            }
        };
        let reply = prompt::reply(&body, caller);
        Ok(Self { model: model.to_owned(), streamed, body, reply, created_s: now_s, pause })
    }

    /// The reply in the pieces in which it is streamed: words with the space after them.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.reply.split_inclusive(' ')
    }

    /// Roughly: words.
    fn reply_tokens(&self) -> usize {
        self.pieces().count()
    }
}
