//! What the two exchanges by the standards share: an endpoint of any vendor, and what to send there beside the token.

use alloc::string::String;
use alloc::vec::Vec;

use crate::json::Value;

use crate::error::{Code, Error};
use crate::exchange::TokenRequest;
use crate::exchange::body::{Encoding, Parameters};
use crate::exchange::client::Client;
use crate::exchange::refusal::Advice;
use crate::fields::Fields;
use crate::plan::{Origin, Plan};
use crate::secret::Secret;
use crate::url::WebUrl;
use crate::variables::Variables;

const ADVICE: Advice = &[
    (
        "invalid_client",
        "Check `client_id`, `client_secret` and `client_authentication`; for a client assertion, issuer, subject and audience that the endpoint expects of the token.",
    ),
    ("invalid_scope", "Check `scope`."),
    ("invalid_target", "Check `audience` and `resource`."),
    (
        "unsupported_grant_type",
        "Check `exchange.type`, `grant` and `token_endpoint`: the endpoint does not know this grant.",
    ),
    (
        "",
        "Check the settings of the exchange, and that the endpoint trusts this issuer, subject and audience.",
    ),
];

/// The settings that both have.
pub(super) struct Standard {
    token_endpoint: WebUrl,
    encoding: Encoding,
    pub(super) audience: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) client: Client,
    /// Names and values that the vendor wants beside the standard's.
    more: Vec<(String, Secret)>,
}

/// What the exchanges send themselves, under whatever settings.
const RESERVED: &[&str] = &[
    "assertion",
    "audience",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "grant_type",
    "requested_token_type",
    "resource",
    "scope",
    "subject_token",
    "subject_token_type",
];

impl Standard {
    pub(super) fn read(fields: &mut Fields<'_>, variables: &Variables) -> Result<Self, Error> {
        // First, because it asks for a variable.
        let client = Client::read(fields, variables);
        let token_endpoint = fields.private_url("token_endpoint")?;
        Ok(Self {
            token_endpoint: token_endpoint.ok_or_else(|| fields.missing("token_endpoint"))?,
            encoding: match fields.filled_text("encoding")?.as_deref() {
                None | Some("form") => Encoding::Form,
                Some("json") => Encoding::Json,
                Some(_) => {
                    return Err(fields.fault(Code::FieldValue, "encoding", "is neither `form` nor `json`"));
                }
            },
            audience: fields.filled_text("audience")?,
            scope: fields.filled_text("scope")?,
            resource: fields.filled_text("resource")?,
            client: client?,
            more: fields.object("parameters")?.map_or_else(|| Ok(Vec::new()), parameters)?,
        })
    }

    pub(super) fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.token_endpoint", Some(self.token_endpoint.as_str()));
        let encoding = (self.encoding == Encoding::Json).then_some("json");
        plan.set_or("exchange.encoding", encoding, "form");
        plan.set_if("exchange.audience", self.audience.as_deref());
        plan.set_if("exchange.scope", self.scope.as_deref());
        plan.set_if("exchange.resource", self.resource.as_deref());
        self.client.describe(plan);
        for (name, value) in &self.more {
            plan.set_secret(&format!("exchange.parameters.{name}"), value, Origin::Document);
        }
        plan.needs_endpoint("POST", self.token_endpoint.as_str());
    }

    /// What the standard asks for, then what the vendor wants.
    pub(super) fn request<'a>(&'a self, mut parameters: Parameters<'a>) -> TokenRequest<'a> {
        parameters.extend(self.more.iter().map(|(name, value)| (name.as_str(), value.expose())));
        TokenRequest {
            endpoint: self.token_endpoint.as_str(),
            encoding: self.encoding,
            headers: self.client.headers(),
            parameters,
            advice: ADVICE,
        }
    }
}

fn parameters(mut fields: Fields<'_>) -> Result<Vec<(String, Secret)>, Error> {
    let mut parameters = Vec::new();
    for (name, value) in fields.rest() {
        let fault = |code, fault| Err(fields.fault(code, &name, fault));
        if RESERVED.contains(&name.as_str()) {
            return fault(Code::FieldConflict, "is sent by the exchange itself; use its settings instead");
        }
        if name.is_empty() {
            return fault(Code::FieldValue, "is no name for a parameter");
        }
        let Value::String(value) = value else {
            return fault(Code::FieldType, "has to be a string, as every parameter");
        };
        parameters.push((name, Secret::new(value)));
    }
    Ok(parameters)
}
