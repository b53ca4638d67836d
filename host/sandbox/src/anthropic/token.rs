//! The token endpoint: RFC 7523's grant in JSON. Refusals about the identity all look alike, on purpose.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{
    FEDERATION_BETA, FEDERATION_RULE_ID, OAUTH_BETA, ORGANIZATION_ID, SERVICE_ACCOUNT_ID, WORKSPACE_ID,
    has_beta,
};
use crate::answer;
use crate::body::Body;
use crate::exchange::providers::Providers;
use crate::exchange::refusal::Refusal;
use crate::world::World;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Longer assertions are refused, in bytes.
const ASSERTION_LIMIT: usize = 16 * 1024;

const TOKEN_LENGTH: usize = 108;

/// An error code of RFC 6749, section 5.2, and a sentence.
struct TokenError(StatusCode, &'static str, String);

pub(super) async fn answer(world: &World, providers: &Providers, request: &Request<Bytes>) -> Response<Body> {
    let mut response = match trade(world, providers, request).await {
        Ok(body) => answer::json(StatusCode::OK, &body),
        Err(TokenError(status, error, description)) => {
            answer::json(status, &json!({"error": error, "error_description": description}))
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn trade(world: &World, providers: &Providers, request: &Request<Bytes>) -> Result<Value, TokenError> {
    let headers = request.headers();
    if headers.contains_key(AUTHORIZATION) || headers.contains_key("x-api-key") {
        return Err(invalid("The token endpoint takes no credential in a header."));
    }
    if !has_beta(headers, FEDERATION_BETA) || !has_beta(headers, OAUTH_BETA) {
        return Err(invalid("The anthropic-beta header does not open workload identity federation."));
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(invalid("The Content-Type must be application/json."));
    }
    let fields: Map<String, Value> =
        serde_json::from_slice(request.body()).map_err(|_| invalid("The body is not a JSON object."))?;
    if text(&fields, "grant_type")? != GRANT_TYPE {
        let description = "This grant_type is not supported.".to_owned();
        return Err(TokenError(StatusCode::BAD_REQUEST, "unsupported_grant_type", description));
    }
    let assertion = text(&fields, "assertion")?;
    if assertion.len() > ASSERTION_LIMIT {
        return Err(invalid("The assertion is longer than 16 KiB."));
    }
    let rule = text(&fields, "federation_rule_id")?;
    let organization = text(&fields, "organization_id")?;
    for (name, value) in &fields {
        match name.as_str() {
            "grant_type" | "assertion" | "federation_rule_id" | "organization_id" => {}
            "service_account_id" if value == SERVICE_ACCOUNT_ID => {}
            "workspace_id" if value == WORKSPACE_ID || value == "default" => {}
            "service_account_id" | "workspace_id" => {
                text(&fields, name)?;
                return Err(opaque());
            }
            _ => return Err(invalid("The request has a parameter that is not known.")),
        }
    }
    let provider = providers.named(rule, FEDERATION_RULE_ID).ok_or_else(opaque)?;
    let claims = provider.verify(assertion, &world.clock).await.map_err(|refusal| match refusal {
        Refusal::KeysUnavailable(_) => {
            let description = "The issuer's keys are not available.".to_owned();
            TokenError(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description)
        }
        _ => opaque(),
    })?;
    let subject_fits = claims.get("sub").is_some_and(|subject| subject == provider.subject());
    if organization != ORGANIZATION_ID || !subject_fits {
        return Err(opaque());
    }
    let expires_in_s = world.access_token_lifetime().as_secs();
    let expires_at_ms = world.clock.now_ms().saturating_add(expires_in_s.saturating_mul(1_000));
    let token = world.anthropic.issue(TOKEN_LENGTH, expires_at_ms).map_err(|_| {
        let description = "No token could be made.".to_owned();
        TokenError(StatusCode::INTERNAL_SERVER_ERROR, "server_error", description)
    })?;
    Ok(json!({
        "access_token": token.text.as_str(),
        "token_type": "Bearer",
        "expires_in": expires_in_s,
        "scope": "user:inference",
        "sandbox_generation": token.generation,
    }))
}

fn invalid(description: &str) -> TokenError {
    TokenError(StatusCode::BAD_REQUEST, "invalid_request", description.to_owned())
}

/// Whoever guesses shall not learn what was wrong.
fn opaque() -> TokenError {
    let description = "The assertion could not be exchanged.".to_owned();
    TokenError(StatusCode::BAD_REQUEST, "invalid_grant", description)
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<&'a str, TokenError> {
    match fields.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(invalid(&format!("The parameter {name} is missing or no text."))),
    }
}
