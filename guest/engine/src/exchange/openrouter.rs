//! OpenRouter's token endpoint: RFC 8693's token exchange as a form
//! (openrouter.ai, "Workload identity federation").

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::api::{self, Flavour};
use crate::exchange::body::{Encoding, push};
use crate::exchange::refusal::Advice;
use crate::exchange::token_endpoint::TokenEndpoint;
use crate::exchange::{Entry, Exchange, Parsed, TOKEN_EXCHANGE, TokenRequest};
use crate::fields::Fields;
use crate::plan::Plan;
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

const API: Flavour = Flavour { base_url: Some("https://openrouter.ai/api/v1"), ..api::BEARER };

const DEFAULT_ENDPOINT: &str = "https://openrouter.ai/api/v1/oauth/token";

const ADVICE: Advice = &[
    ("invalid_scope", "The only scope is `inference`; set `scope` to it, or leave it out."),
    (
        "",
        "Check `federation_policy_id`, and that the policy allows this issuer, subject and audience; the token has to be signed with RS256 or ES256.",
    ),
];

pub(super) const ENTRY: Entry = Entry { name: "openrouter", read: OpenRouter::read };

struct OpenRouter {
    federation_policy_id: String,
    scope: Option<String>,
    token_endpoint: TokenEndpoint,
}

impl OpenRouter {
    fn read(fields: &mut Fields<'_>, _: &Variables) -> Parsed {
        Ok(Box::new(Self {
            federation_policy_id: fields.required_text("federation_policy_id")?,
            scope: fields.filled_text("scope")?,
            token_endpoint: TokenEndpoint::read(fields, DEFAULT_ENDPOINT)?,
        }))
    }
}

impl Exchange for OpenRouter {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn api(&self) -> &'static Flavour {
        &API
    }

    fn audience(&self) -> Option<&'static str> {
        Some("https://openrouter.ai/api/v1")
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.federation_policy_id", Some(&self.federation_policy_id));
        plan.set_if("exchange.scope", self.scope.as_deref());
        self.token_endpoint.describe(plan);
    }

    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a> {
        let mut parameters = vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("federation_policy_id", &self.federation_policy_id),
            ("subject_token", subject.expose()),
            ("subject_token_type", TokenType::Jwt.urn()),
        ];
        push(&mut parameters, "scope", self.scope.as_deref());
        TokenRequest {
            endpoint: self.token_endpoint.as_str(),
            encoding: Encoding::Form,
            headers: Vec::new(),
            parameters,
            advice: ADVICE,
        }
    }
}
