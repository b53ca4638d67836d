//! Google's Security Token Service (Google Cloud, "Method: token" of the Security Token Service API).

use serde_json::json;

use super::{ACCESS_TOKEN, Asked, JWT, TOKEN_EXCHANGE, TokenError, Vendor, fixed, object, required};
use crate::exchange::providers::Providers;
use crate::form::Form;

/// The provider of the cluster; those of the other platforms end in `sandbox_azure` and so on.
pub(crate) const AUDIENCE: &str = "//iam.googleapis.com/projects/100000000001/locations/global/workloadIdentityPools/pool/providers/sandbox";

pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(crate) const TOKEN_PATH: &str = "/v1/token";

/// What is different here.
pub(crate) struct Google;

impl Vendor for Google {
    fn token_path(&self) -> &'static str {
        TOKEN_PATH
    }

    fn resource_path(&self) -> &'static str {
        "/v1/projects"
    }

    fn parameters(&self) -> &'static [&'static str] {
        &["grant_type", "audience", "scope", "requested_token_type", "subject_token", "subject_token_type"]
    }

    fn understand<'a>(&self, form: &'a Form, providers: &'a Providers) -> Result<Asked<'a>, TokenError> {
        fixed(form, "grant_type", TOKEN_EXCHANGE, "unsupported_grant_type")?;
        fixed(form, "requested_token_type", ACCESS_TOKEN, "invalid_request")?;
        // Google takes an OpenID Connect token under either name.
        if required(form, "subject_token_type")? != "urn:ietf:params:oauth:token-type:id_token" {
            fixed(form, "subject_token_type", JWT, "invalid_request")?;
        }
        fixed(form, "scope", SCOPE, "invalid_scope")?;
        let token = required(form, "subject_token")?;
        let unknown = "Invalid value for \"audience\": the provider is unknown.".to_owned();
        let provider = providers
            .named(required(form, "audience")?, AUDIENCE)
            .ok_or_else(|| TokenError::bad("invalid_request", unknown))?;
        Ok(Asked { provider, token, beside: object(json!({"issued_token_type": ACCESS_TOKEN})) })
    }

    fn longest_s(&self) -> u64 {
        3_600
    }
}
