//! The vendor's token endpoint, `POST /oauth/token`: trades a subject token for an access token (RFC 8693, as OpenAI's
//! API reference "Workload identity token exchange" restricts it).

pub(crate) mod codex;
mod fetch;
pub(crate) mod provider;
pub(crate) mod providers;
pub(crate) mod refusal;
mod request;
pub(crate) mod x509;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use self::providers::Providers;
use self::refusal::Refusal;
use self::request::TokenRequest;
use crate::answer;
use crate::body::Body;
use crate::random;
use crate::service::{Answering, Service};
use crate::world::World;

/// The one path that is served.
pub(crate) const TOKEN_PATH: &str = "/oauth/token";

/// The service.
pub(crate) struct Exchange {
    world: Arc<World>,
    providers: Providers,
}

impl Exchange {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), providers: Providers::new(world, &world.options.audience) }
    }

    async fn trade(&self, request: &Request<Bytes>) -> Result<Response<Body>, Refusal> {
        if codex::asked(request) {
            let granted = codex::trade(&self.world, &self.providers, request).await?;
            return Ok(answer::json(StatusCode::OK, &granted));
        }
        let options = &self.world.options;
        let request = TokenRequest::parse(request, options.accept_client_id)?;
        let provider = self
            .providers
            .named(&request.identity_provider_id, &options.identity_provider_id)
            .ok_or(Refusal::UnknownProvider)?;
        let claims = provider.verify(&request.subject_token, &self.world.clock).await?;
        let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
        self.authorize(provider.subject(), subject, &request.service_account_id)?;

        let subject_remains_s = remaining_s(&claims, self.world.clock.now_s());
        self.grant(self.world.access_token_lifetime().as_secs().min(subject_remains_s))
    }

    fn grant(&self, expires_in_s: u64) -> Result<Response<Body>, Refusal> {
        let options = &self.world.options;
        let now_ms = self.world.clock.now_ms();
        let token = self
            .world
            .tokens
            .issue(options.access_token_length, now_ms.saturating_add(expires_in_s.saturating_mul(1_000)))
            .map_err(|_| Refusal::Internal)?;

        let mut body = json!({
            "access_token": token.text.as_str(),
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": expires_in_s,
            // A field that no documentation mentions: clients must not mind (RFC 6749, section 5.1).
            "sandbox_generation": token.generation,
        });
        if let (Some(scope), Some(object)) = (&options.scope, body.as_object_mut()) {
            object.insert("scope".to_owned(), Value::String(scope.clone()));
        }
        Ok(answer::json(StatusCode::OK, &body))
    }

    /// Exactly one enabled mapping has to lead from the identity to the service account.
    fn authorize(&self, workload: &str, subject: &str, service_account_id: &str) -> Result<(), Refusal> {
        let mappings = self.world.options.effective_mappings(workload);
        let fitting = mappings.iter().filter(|mapping| {
            mapping.enabled && mapping.service_account_id == service_account_id && mapping.admits(subject)
        });
        match fitting.count() {
            1 => Ok(()),
            0 => Err(Refusal::NoMapping),
            _ => Err(Refusal::SeveralMappings),
        }
    }

    async fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        if request.uri().path() != TOKEN_PATH {
            return answer::not_found();
        }
        if request.method() != Method::POST {
            return answer::method_not_allowed("POST");
        }
        self.trade(request).await.unwrap_or_else(|refusal| {
            tracing::debug!(code = refusal.code(), description = %refusal, "exchange refused");
            refusal.answer(self.world.error_shape())
        })
    }
}

/// How long an identity token is still good for, in seconds.
pub(crate) fn remaining_s(claims: &Map<String, Value>, now_s: u64) -> u64 {
    // Seconds, maybe with a fraction; a float that is out of range saturates.
    let ends_s = claims.get("exp").and_then(Value::as_f64).unwrap_or_default() as u64;
    ends_s.saturating_sub(now_s)
}

impl Service for Exchange {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let mut response = self.route(&request).await;
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if let Some(id) =
                random::hex(32).ok().and_then(|id| HeaderValue::try_from(format!("req_{id}")).ok())
            {
                headers.insert(HeaderName::from_static("x-request-id"), id);
            }
            response
        })
    }
}
