//! Codex's use of the same endpoint: RFC 7523's grant as a form, for a ChatGPT workspace (developers.openai.com, Codex,
//! "Workload identity").

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use serde_json::{Map, Value, json};

use super::providers::Providers;
use super::refusal::Refusal;
use crate::form::{self, Form};
use crate::world::World;

/// The rule of the cluster; those of the other platforms are called `idpm_sandbox_azure` and so on.
pub(crate) const FEDERATION_RULE_ID: &str = "idpm_sandbox";

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CONTEXT: &str = "workload_identity_context";

/// In bytes.
const LONGEST_ASSERTION: usize = 16 * 1024;
const LONGEST_CONTEXT: usize = 1_024;

/// The longest life of an assertion that the providers here allow, and of a token, in seconds.
const ASSERTION_LIFETIME_S: f64 = 86_400.0;
const TOKEN_LIFETIME_S: u64 = 3_600;

/// Whether the request is of this kind; what is not, is for the API's side of the endpoint to judge.
pub(super) fn asked(request: &Request<Bytes>) -> bool {
    form::announced(request.headers())
        && Form::parse(request.body()).is_ok_and(|form| form.get("grant_type") == Some(GRANT_TYPE))
}

pub(super) async fn trade(
    world: &World,
    providers: &Providers,
    request: &Request<Bytes>,
) -> Result<Value, Refusal> {
    if request.headers().contains_key(AUTHORIZATION) {
        return Err(Refusal::Authenticated);
    }
    if !request.headers().contains_key(CONTENT_LENGTH) {
        return Err(Refusal::NoLength);
    }
    let form = Form::parse(request.body()).map_err(Refusal::Grant)?;
    if let Some(unknown) = form.beyond(&["grant_type", "assertion", "federation_rule_id", CONTEXT]) {
        return Err(Refusal::UnknownField(unknown.to_owned()));
    }
    let text = |name| form.get(name).filter(|text| !text.is_empty()).ok_or(Refusal::Missing(name));
    let assertion = text("assertion")?;
    let rule = text("federation_rule_id")?;
    if assertion.len() > LONGEST_ASSERTION {
        return Err(Refusal::Grant("the assertion is longer than 16 KiB"));
    }
    if form.get(CONTEXT).is_some_and(|context| !is_context(context)) {
        return Err(Refusal::Grant("workload_identity_context is not as documented"));
    }
    let provider =
        providers.named(rule, FEDERATION_RULE_ID).ok_or(Refusal::Grant("the federation rule is unknown"))?;
    let claims = provider.verify(assertion, &world.clock).await.map_err(|refusal| match refusal {
        Refusal::SubjectToken(reason) => Refusal::Grant(reason),
        other => other,
    })?;
    let second = |name| claims.get(name).and_then(Value::as_f64).unwrap_or_default();
    if second("exp") - second("iat") > ASSERTION_LIFETIME_S {
        return Err(Refusal::Grant("its lifetime exceeds what the provider allows"));
    }
    if claims.get("sub").is_none_or(|subject| *subject != provider.subject()) {
        return Err(Refusal::Grant("the federation rule does not match it"));
    }
    let expires_in_s = world.access_token_lifetime().as_secs().min(TOKEN_LIFETIME_S);
    let expires_at_ms = world.clock.now_ms().saturating_add(expires_in_s * 1_000);
    let token = world.tokens.issue(world.options.access_token_length, expires_at_ms);
    let token = token.map_err(|_| Refusal::Internal)?;
    Ok(json!({
        "access_token": token.text.as_str(),
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": expires_in_s,
        "scope": "openid profile email chatgpt.workspace.feature.allow-codex-local-access.access",
        "chatgpt_account_id": "acct_sandbox",
        "chatgpt_account_user_id": "user_sandbox__acct_sandbox",
        "user_id": "user_sandbox",
        "sandbox_generation": token.generation,
    }))
}

/// `{"instance_id", "display_name"?, "labels"?}`, each within its length.
fn is_context(text: &str) -> bool {
    let is_text = |value: &Value, longest| {
        value.as_str().is_some_and(|text| !text.is_empty() && text.chars().count() <= longest)
    };
    let Ok(context) = serde_json::from_str::<Map<String, Value>>(text) else { return false };
    text.len() <= LONGEST_CONTEXT
        && context.contains_key("instance_id")
        && context.iter().all(|(name, value)| match name.as_str() {
            "instance_id" | "display_name" => is_text(value, 128),
            "labels" => value.as_object().is_some_and(|labels| {
                labels.len() <= 8
                    && labels.iter().all(|(key, value)| key.chars().count() <= 64 && is_text(value, 256))
            }),
            _ => false,
        })
}
