//! Vendors whose token endpoint takes a form and answers as RFC 6749, section 5 has it.

pub(crate) mod entra;
pub(crate) mod google;
pub(crate) mod openrouter;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::answer;
use crate::bearer;
use crate::body::Body;
use crate::exchange::provider::IdentityProvider;
use crate::exchange::providers::Providers;
use crate::exchange::refusal::Refusal;
use crate::form::{self, Form};
use crate::service::{Answering, Service};
use crate::tokens::{Bearer, Tokens};
use crate::world::World;

pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What a vendor does differently from the others.
pub(crate) trait Vendor: Send + Sync + 'static {
    /// Where tokens are given.
    fn token_path(&self) -> &'static str;

    /// Something behind the tokens: `GET` answers 200 to those that are in force, 401 to others.
    fn resource_path(&self) -> &'static str;

    /// The parameters that are known.
    fn parameters(&self) -> &'static [&'static str];

    /// Judges the parameters: the provider, the identity token, and what the answer says beside the token.
    fn understand<'a>(&self, form: &'a Form, providers: &'a Providers) -> Result<Asked<'a>, TokenError>;

    /// The longest life of a token, in seconds.
    fn longest_s(&self) -> u64;

    /// The code for an identity token that is not accepted.
    fn refused_identity(&self, reason: &str) -> TokenError {
        TokenError::bad("invalid_grant", format!("The identity token is not accepted: {reason}."))
    }
}

/// A request that is right but for its identity token, which remains to be looked at.
pub(crate) struct Asked<'a> {
    provider: &'a IdentityProvider,
    token: &'a str,
    beside: Map<String, Value>,
}

/// A code of RFC 6749, section 5.2, and what goes with it.
pub(crate) struct TokenError {
    status: StatusCode,
    code: &'static str,
    description: String,
    beside: Map<String, Value>,
}

impl TokenError {
    fn bad(code: &'static str, description: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, description, beside: Map::new() }
    }

    fn missing(name: &str) -> Self {
        Self::bad("invalid_request", format!("The parameter {name} is missing."))
    }
}

/// The service.
pub(crate) struct Endpoint<V> {
    vendor: V,
    world: Arc<World>,
    providers: Providers,
    tokens: Tokens,
}

impl<V: Vendor> Endpoint<V> {
    pub(crate) fn new(world: &Arc<World>, vendor: V) -> Result<Self, ring::error::Unspecified> {
        let providers = Providers::new(world, &world.options.audience);
        Ok(Self { vendor, world: Arc::clone(world), providers, tokens: Tokens::new("", "")? })
    }

    async fn route(&self, request: &Request<Bytes>) -> Response<Body> {
        let path = request.uri().path();
        if path == self.vendor.resource_path() {
            return self.resource(request);
        }
        if path != self.vendor.token_path() {
            return answer::not_found();
        }
        if request.method() != Method::POST {
            return answer::method_not_allowed("POST");
        }
        match self.trade(request).await {
            Ok(body) => answer::json(StatusCode::OK, &body.into()),
            Err(error) => {
                let mut body = error.beside;
                body.insert("error".to_owned(), error.code.into());
                body.insert("error_description".to_owned(), error.description.into());
                answer::json(error.status, &body.into())
            }
        }
    }

    async fn trade(&self, request: &Request<Bytes>) -> Result<Map<String, Value>, TokenError> {
        let invalid = |text: &str| TokenError::bad("invalid_request", text.to_owned());
        let headers = request.headers();
        if headers.contains_key(AUTHORIZATION) {
            return Err(invalid("The endpoint takes no Authorization header."));
        }
        if !headers.contains_key(CONTENT_LENGTH) || !form::announced(headers) {
            return Err(invalid("The body must be a form of a known length."));
        }
        let form = Form::parse(request.body()).map_err(invalid)?;
        if let Some(unknown) = form.beyond(self.vendor.parameters()) {
            return Err(TokenError::bad("invalid_request", format!("The parameter {unknown} is unknown.")));
        }
        let Asked { provider, token, mut beside } = self.vendor.understand(&form, &self.providers)?;
        let claims = provider.verify(token, &self.world.clock).await.map_err(|refusal| match refusal {
            Refusal::SubjectToken(reason) => self.vendor.refused_identity(reason),
            _ => TokenError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..TokenError::bad(
                    "temporarily_unavailable",
                    "The issuer's keys are not available.".to_owned(),
                )
            },
        })?;
        if claims.get("sub").is_none_or(|subject| *subject != provider.subject()) {
            return Err(self.vendor.refused_identity("its subject has no access"));
        }
        let expires_in_s = self.world.access_token_lifetime().as_secs().min(self.vendor.longest_s());
        let expires_at_ms = self.world.clock.now_ms().saturating_add(expires_in_s * 1_000);
        let token = self.tokens.issue(self.world.options.access_token_length, expires_at_ms);
        let token = token.map_err(|_| TokenError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..TokenError::bad("server_error", "No token could be made.".to_owned())
        })?;
        beside.insert("access_token".to_owned(), token.text.as_str().into());
        beside.insert("token_type".to_owned(), "Bearer".into());
        beside.insert("expires_in".to_owned(), expires_in_s.into());
        Ok(beside)
    }

    fn resource(&self, request: &Request<Bytes>) -> Response<Body> {
        let token = bearer::of(request.headers()).unwrap_or_default();
        match self.tokens.judge(token, self.world.clock.now_ms()) {
            Bearer::Token { generation } => {
                answer::json(StatusCode::OK, &json!({"data": {"token_number": generation}}))
            }
            _ => answer::json(
                StatusCode::UNAUTHORIZED,
                &json!({"error": {"code": 401, "message": "Unauthorized"}}),
            ),
        }
    }
}

impl<V: Vendor> Service for Endpoint<V> {
    fn answer(&self, request: Request<Bytes>) -> Answering<'_> {
        Box::pin(async move {
            let mut response = self.route(&request).await;
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        })
    }
}

/// A parameter that must be there and must say something.
fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, TokenError> {
    form.get(name).filter(|text| !text.is_empty()).ok_or_else(|| TokenError::missing(name))
}

/// A parameter that has one right value.
fn fixed(form: &Form, name: &str, value: &str, code: &'static str) -> Result<(), TokenError> {
    if required(form, name)? == value {
        return Ok(());
    }
    Err(TokenError::bad(code, format!("The value of {name} is not supported.")))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
