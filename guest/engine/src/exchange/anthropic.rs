//! Anthropic's token endpoint: RFC 7523's JWT bearer grant in JSON instead of a form
//! (platform.claude.com, "Workload identity federation").

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::api::{self, Flavour};
use crate::error::Error;
use crate::exchange::body::{Encoding, push};
use crate::exchange::refusal::Advice;
use crate::exchange::token_endpoint::TokenEndpoint;
use crate::exchange::{Entry, Exchange, Issued, JWT_BEARER, Parsed, TokenRequest, answer};
use crate::fields::Fields;
use crate::io::Now;
use crate::plan::{Plan, Warning};
use crate::secret::Secret;
use crate::subject_token::SubjectToken;
use crate::variables::Variables;

/// Where the official clients ask unless told otherwise. They move it along with the API's base URL; here only
/// `exchange.token_endpoint` does, so that no gateway before the API gets to see the identity token.
const DEFAULT_ENDPOINT: &str = "https://api.anthropic.com/v1/oauth/token";

/// Opens the API to bearer tokens; wanted beside every one.
const TOKEN_BETA: &str = "oauth-2025-04-20";

/// On the exchange itself.
const EXCHANGE_BETA: &str = "oauth-2025-04-20,oidc-federation-2026-04-01";

const ADVICE: Advice = &[
    (
        "workspace_id_required",
        "The federation rule spans several workspaces: set `workspace_id` to one of them, or to `default`.",
    ),
    (
        "invalid_request",
        "Check `federation_rule_id`, `organization_id` and `service_account_id`; a rule that spans several workspaces also needs `workspace_id`.",
    ),
    (
        "",
        "Check that the federation rule matches this issuer, subject and audience, and that `service_account_id` and `workspace_id` are the rule's; the Console's page on workload identity shows the attempt.",
    ),
];

pub(super) const ENTRY: Entry = Entry { name: "anthropic", read: Anthropic::read };

struct Anthropic {
    federation_rule_id: String,
    organization_id: String,
    /// Required by the documentation, optional in the official clients.
    service_account_id: Option<String>,
    /// Or `default`.
    workspace_id: Option<String>,
    token_endpoint: TokenEndpoint,
}

impl Anthropic {
    fn read(fields: &mut Fields<'_>, _: &Variables) -> Parsed {
        Ok(Box::new(Self {
            federation_rule_id: fields.required_text("federation_rule_id")?,
            organization_id: fields.required_text("organization_id")?,
            service_account_id: fields.filled_text("service_account_id")?,
            workspace_id: fields.filled_text("workspace_id")?,
            token_endpoint: TokenEndpoint::read(fields, DEFAULT_ENDPOINT)?,
        }))
    }
}

impl Exchange for Anthropic {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn api(&self) -> &'static Flavour {
        &api::ANTHROPIC
    }

    fn audience(&self) -> Option<&'static str> {
        Some("https://api.anthropic.com")
    }

    fn describe(&self, plan: &mut Plan) {
        for (name, value, prefix) in [
            ("federation_rule_id", Some(&self.federation_rule_id), "fdrl_"),
            ("organization_id", Some(&self.organization_id), ""),
            ("service_account_id", self.service_account_id.as_ref(), "svac_"),
            ("workspace_id", self.workspace_id.as_ref(), "wrkspc_"),
        ] {
            plan.set_if(&format!("exchange.{name}"), value.map(String::as_str));
            if value.is_some_and(|value| !value.starts_with(prefix) && value != "default") {
                plan.warn(Warning::new(
                    "unusual-identifier",
                    format_args!("`{name}` does not begin with `{prefix}`; copy it from Anthropic's Console"),
                ));
            }
        }
        self.token_endpoint.describe(plan);
    }

    /// The parameters in the order of the official Python client.
    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a> {
        let mut parameters = vec![
            ("grant_type", JWT_BEARER),
            ("assertion", subject.expose()),
            ("federation_rule_id", &self.federation_rule_id),
            ("organization_id", &self.organization_id),
        ];
        push(&mut parameters, "service_account_id", self.service_account_id.as_deref());
        push(&mut parameters, "workspace_id", self.workspace_id.as_deref());
        TokenRequest {
            endpoint: self.token_endpoint.as_str(),
            encoding: Encoding::Json,
            headers: vec![("anthropic-beta", Secret::new(EXCHANGE_BETA.to_owned()))],
            parameters,
            advice: ADVICE,
        }
    }

    fn issued(&self, body: &[u8], anchor: Now) -> Result<Issued, Error> {
        let beside = vec![("anthropic-beta", Secret::new(TOKEN_BETA.to_owned()))];
        Ok(Issued { beside, ..answer::issued(answer::object(body)?, anchor)? })
    }
}
