//! Codex's use of OpenAI's token endpoint: RFC 7523's JWT bearer grant as a form, for a ChatGPT workspace instead of an
//! API project (developers.openai.com, Codex, "Workload identity").

mod context;

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};

use crate::api::{self, Flavour};
use crate::error::{Code, Error};
use crate::exchange::body::{Encoding, push};
use crate::exchange::refusal::Advice;
use crate::exchange::token_endpoint::TokenEndpoint;
use crate::exchange::{Entry, Exchange, Issued, JWT_BEARER, OPENAI_AUDIENCE, Parsed, TokenRequest, answer};
use crate::fields::Fields;
use crate::io::Now;
use crate::plan::{Plan, Warning};
use crate::secret::Secret;
use crate::subject_token::SubjectToken;
use crate::variables::Variables;

/// A ChatGPT workspace's tokens open its backend, where the account goes into a header.
const API: Flavour = Flavour {
    base_url: Some("https://chatgpt.com/backend-api/codex"),
    beside_token: &[ACCOUNT_HEADER],
    has_organizations: false,
    ..api::OPENAI
};

const ACCOUNT_HEADER: &str = "chatgpt-account-id";

const DEFAULT_ENDPOINT: &str = "https://auth.openai.com/oauth/token";

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// No federation rule gives tokens a longer life.
const LONGEST_LIFE_MS: u64 = 3_600_000;

const ADVICE: Advice = &[(
    "",
    "Check that `federation_rule_id` names an enabled rule that matches this issuer, subject and audience, and that `workload_identity_context`, if set, is as documented; a provider that demands single-use tokens refuses one it has seen.",
)];

pub(super) const ENTRY: Entry = Entry { name: "codex", read: Codex::read };

struct Codex {
    federation_rule_id: String,
    /// JSON text, for the audit log.
    context: Option<String>,
    token_endpoint: TokenEndpoint,
}

impl Codex {
    fn read(fields: &mut Fields<'_>, _: &Variables) -> Parsed {
        Ok(Box::new(Self {
            federation_rule_id: fields.required_text("federation_rule_id")?,
            context: context::read(fields, "workload_identity_context")?,
            token_endpoint: TokenEndpoint::read(fields, DEFAULT_ENDPOINT)?,
        }))
    }
}

/// What the official client demands of an answer beyond a token. The account, for the header.
fn account(fields: &Map) -> Result<Secret, Error> {
    let fault = |name: &str, fault: &str| {
        Error::new(
            Code::ResponseToken,
            format_args!(
                "the token endpoint granted the exchange, but `{name}` {fault}; check `federation_rule_id`, and that the endpoint is OpenAI's"
            ),
        )
    };
    let text = |name: &str| {
        let text = fields.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| fault(name, "is missing or blank"))
    };
    if text("issued_token_type")? != ACCESS_TOKEN {
        return Err(fault("issued_token_type", "is not that of an access token"));
    }
    if !fields.contains_key("expires_in") {
        return Err(fault("expires_in", "is missing"));
    }
    for name in ["token_type", "scope", "user_id", "chatgpt_account_user_id"] {
        text(name)?;
    }
    let account = Secret::new(text("chatgpt_account_id")?.to_owned());
    if account.fits_header() {
        Ok(account)
    } else {
        Err(fault("chatgpt_account_id", "has characters that cannot stand in a header"))
    }
}

impl Exchange for Codex {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn api(&self) -> &'static Flavour {
        &API
    }

    fn audience(&self) -> Option<&'static str> {
        Some(OPENAI_AUDIENCE)
    }

    fn describe(&self, plan: &mut Plan) {
        plan.set_if("exchange.federation_rule_id", Some(&self.federation_rule_id));
        plan.set_if("exchange.workload_identity_context", self.context.as_deref());
        self.token_endpoint.describe(plan);
        if !self.federation_rule_id.starts_with("idpm_") {
            plan.warn(Warning::new(
                "unusual-identifier",
                "`federation_rule_id` does not begin with `idpm_`; copy it from the rule's page in the workspace's settings",
            ));
        }
    }

    /// The parameters in the order of the official client.
    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a> {
        let mut parameters = vec![
            ("grant_type", JWT_BEARER),
            ("assertion", subject.expose()),
            ("federation_rule_id", &self.federation_rule_id),
        ];
        push(&mut parameters, "workload_identity_context", self.context.as_deref());
        TokenRequest {
            endpoint: self.token_endpoint.as_str(),
            encoding: Encoding::Form,
            headers: Vec::new(),
            parameters,
            advice: ADVICE,
        }
    }

    fn issued(&self, body: &[u8], anchor: Now) -> Result<Issued, Error> {
        let fields = answer::object(body)?;
        let account = account(&fields)?;
        let issued = answer::issued(fields, anchor)?;
        if issued.lifetime_ms > LONGEST_LIFE_MS {
            return Err(Error::new(
                Code::ResponseLifetime,
                "the token endpoint granted the exchange, but `expires_in` exceeds 3600 seconds, which no federation rule allows; check that it is OpenAI's",
            ));
        }
        Ok(Issued { beside: vec![(ACCOUNT_HEADER, account)], ..issued })
    }
}
