//! Microsoft Entra ID with a federated credential: the identity token authenticates the client (Microsoft Learn, "OAuth
//! 2.0 client credentials flow", third case; RFC 7523, section 2.2).

use http::StatusCode;
use serde_json::json;

use super::{Asked, TokenError, Vendor, fixed, object, required};
use crate::exchange::providers::Providers;
use crate::form::Form;
use crate::random;

/// The application that trusts the cluster; those that trust the other platforms end in `_azure` and so on.
pub(crate) const CLIENT_ID: &str = "b7e6d5c4-a392-4817-8605-f4e3d2c1b0a9";

pub(crate) const SCOPE: &str = "api://sandbox/.default";

pub(crate) const TOKEN_PATH: &str = "/c0ffee00-1234-4abc-8def-001122334455/oauth2/v2.0/token";

/// What is different here.
pub(crate) struct Entra;

impl Vendor for Entra {
    fn token_path(&self) -> &'static str {
        TOKEN_PATH
    }

    fn resource_path(&self) -> &'static str {
        "/v1.0/organization"
    }

    fn parameters(&self) -> &'static [&'static str] {
        &["client_id", "scope", "grant_type", "client_assertion_type", "client_assertion"]
    }

    fn understand<'a>(&self, form: &'a Form, providers: &'a Providers) -> Result<Asked<'a>, TokenError> {
        let assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        fixed(form, "grant_type", "client_credentials", "unsupported_grant_type")?;
        fixed(form, "client_assertion_type", assertion, "invalid_request")?;
        fixed(form, "scope", SCOPE, "invalid_scope")?;
        let token = required(form, "client_assertion")?;
        let unknown = "AADSTS700016: The application was not found in the directory.".to_owned();
        let provider = providers
            .named(required(form, "client_id")?, CLIENT_ID)
            .ok_or_else(|| TokenError::bad("unauthorized_client", unknown))?;
        Ok(Asked { provider, token, beside: object(json!({"ext_expires_in": self.longest_s()})) })
    }

    fn longest_s(&self) -> u64 {
        3_599
    }

    fn refused_identity(&self, reason: &str) -> TokenError {
        let code = if reason == "it has expired" { 700_024 } else { 700_213 };
        let id = random::uuid().unwrap_or_default();
        TokenError {
            status: StatusCode::UNAUTHORIZED,
            code: "invalid_client",
            description: format!("AADSTS{code}: The client assertion is not accepted: {reason}."),
            beside: object(json!({"error_codes": [code], "trace_id": id, "correlation_id": id})),
        }
    }
}
