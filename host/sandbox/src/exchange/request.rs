//! Reads a token request strictly: what the documentation does not name is refused.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::refusal::Refusal;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Both stand for the same OpenID Connect JWT.
const SUBJECT_TOKEN_TYPES: &[&str] =
    &["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/// The identity is in the TLS session.
const CERTIFICATE_TYPE: &str = "urn:openai:params:oauth:token-type:x509";

/// `scope` is not a parameter, but harmless: permissions come from the mapping.
const IGNORED: &str = "scope";

/// The parameters, in the order in which their absence is reported.
const GRANT: &str = "grant_type";
const TOKEN_TYPE: &str = "subject_token_type";
const TOKEN: &str = "subject_token";
const PROVIDER: &str = "identity_provider_id";
const SERVICE_ACCOUNT: &str = "service_account_id";
const CLIENT: &str = "client_id";

/// A request of the right form.
pub(crate) struct TokenRequest {
    pub(crate) subject_token: Zeroizing<String>,
    pub(crate) identity_provider_id: String,
    pub(crate) service_account_id: String,
}

impl TokenRequest {
    pub(crate) fn parse(request: &Request<Bytes>, accept_client_id: bool) -> Result<Self, Refusal> {
        check_headers(request.headers())?;
        let fields: Map<String, Value> =
            serde_json::from_slice(request.body()).map_err(|_| Refusal::NotJson)?;
        if text(&fields, GRANT)? != GRANT_TYPE {
            return Err(Refusal::GrantType);
        }
        let token_type = text(&fields, TOKEN_TYPE)?;
        if !SUBJECT_TOKEN_TYPES.contains(&token_type) {
            return Err(Refusal::SubjectTokenType);
        }
        let parsed = Self {
            subject_token: Zeroizing::new(text(&fields, TOKEN)?.to_owned()),
            identity_provider_id: text(&fields, PROVIDER)?.to_owned(),
            service_account_id: text(&fields, SERVICE_ACCOUNT)?.to_owned(),
        };
        let known = |name: &str| {
            [GRANT, TOKEN_TYPE, TOKEN, PROVIDER, SERVICE_ACCOUNT, IGNORED].contains(&name)
                || (accept_client_id && name == CLIENT)
        };
        match fields.keys().find(|name| !known(name)) {
            Some(unknown) => Err(Refusal::UnknownField(unknown.clone())),
            None => Ok(parsed),
        }
    }
}

/// A request of the right form from a client that has shown a certificate.
pub(crate) struct CertificateRequest {
    pub(crate) identity_provider_id: String,
    pub(crate) service_account_id: String,
}

impl CertificateRequest {
    pub(crate) fn parse(request: &Request<Bytes>) -> Result<Self, Refusal> {
        check_headers(request.headers())?;
        let fields: Map<String, Value> =
            serde_json::from_slice(request.body()).map_err(|_| Refusal::NotJson)?;
        if text(&fields, GRANT)? != GRANT_TYPE {
            return Err(Refusal::GrantType);
        }
        if text(&fields, TOKEN_TYPE)? != CERTIFICATE_TYPE {
            return Err(Refusal::SubjectTokenType);
        }
        let known = |name: &str| [GRANT, TOKEN_TYPE, PROVIDER, SERVICE_ACCOUNT, IGNORED].contains(&name);
        if let Some(unknown) = fields.keys().find(|name| !known(name)) {
            return Err(Refusal::UnknownField(unknown.clone()));
        }
        Ok(Self {
            identity_provider_id: text(&fields, PROVIDER)?.to_owned(),
            service_account_id: text(&fields, SERVICE_ACCOUNT)?.to_owned(),
        })
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(Refusal::Authenticated);
    }
    if !headers.contains_key(CONTENT_LENGTH) {
        return Err(Refusal::NoLength);
    }
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Refusal::ContentType) }
}

/// A field that must be there and must say something.
fn text<'a>(fields: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, Refusal> {
    match fields.get(name) {
        None | Some(Value::Null) => Err(Refusal::Missing(name)),
        Some(Value::String(text)) if text.is_empty() => Err(Refusal::Missing(name)),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(Refusal::NotText(name)),
    }
}
