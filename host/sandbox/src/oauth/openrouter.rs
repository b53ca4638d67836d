//! OpenRouter (openrouter.ai, "Workload identity federation").

use serde_json::json;

use super::{ACCESS_TOKEN, Asked, JWT, TOKEN_EXCHANGE, TokenError, Vendor, fixed, object, required};
use crate::exchange::providers::Providers;
use crate::form::Form;

/// The policy of the cluster; those of the other platforms are called `fp_sandbox_azure` and so on.
pub(crate) const POLICY_ID: &str = "fp_sandbox";

pub(crate) const TOKEN_PATH: &str = "/api/v1/oauth/token";

/// In bytes.
const LONGEST_TOKEN: usize = 16_000;

/// What is different here.
pub(crate) struct OpenRouter;

impl Vendor for OpenRouter {
    fn token_path(&self) -> &'static str {
        TOKEN_PATH
    }

    fn resource_path(&self) -> &'static str {
        "/api/v1/key"
    }

    fn parameters(&self) -> &'static [&'static str] {
        &[
            "grant_type",
            "federation_policy_id",
            "subject_token",
            "subject_token_type",
            "requested_token_type",
            "scope",
        ]
    }

    fn understand<'a>(&self, form: &'a Form, providers: &'a Providers) -> Result<Asked<'a>, TokenError> {
        fixed(form, "grant_type", TOKEN_EXCHANGE, "unsupported_grant_type")?;
        fixed(form, "subject_token_type", JWT, "invalid_request")?;
        if form.get("requested_token_type").is_some() {
            fixed(form, "requested_token_type", ACCESS_TOKEN, "invalid_request")?;
        }
        if form.get("scope").is_some() {
            fixed(form, "scope", "inference", "invalid_scope")?;
        }
        let token = required(form, "subject_token")?;
        if token.len() > LONGEST_TOKEN {
            return Err(TokenError::bad("invalid_request", "The subject_token is too long.".to_owned()));
        }
        let provider = providers.named(required(form, "federation_policy_id")?, POLICY_ID);
        let provider = provider.ok_or_else(|| self.refused_identity("the policy is unknown"))?;
        let beside = object(json!({"issued_token_type": ACCESS_TOKEN, "scope": "inference"}));
        Ok(Asked { provider, token, beside })
    }

    fn longest_s(&self) -> u64 {
        900
    }
}
