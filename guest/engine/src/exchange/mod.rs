//! How an identity token becomes an access token. One file per exchange; [`ALL`] is the list that adding one touches.

mod answer;
mod anthropic;
pub(crate) mod body;
mod client;
mod codex;
mod endpoint;
mod openai;
mod openrouter;
pub(crate) mod refusal;
mod rfc7523;
mod rfc8693;
mod standard;
mod token_endpoint;

pub use endpoint::{TokenRequest, trade};

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::api::{self, Flavour};
use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::io::Now;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::subject_token::SubjectToken;
use crate::token_type::TokenType;
use crate::variables::Variables;

/// A token endpoint and how to talk to it.
pub trait Exchange {
    /// As the document names it.
    fn name(&self) -> &'static str;

    /// Told once, at the start: the kind of token that the source gives, for where the document names none.
    fn assume(&mut self, token_type: TokenType) -> Result<(), Error> {
        match token_type {
            TokenType::Jwt | TokenType::Id => Ok(()),
            TokenType::X509 => Err(Error::new(
                Code::FieldConflict,
                format_args!(
                    "`exchange.type` is `{}`, which takes tokens; the source `x509` gives a certificate, which only `openai` takes",
                    self.name()
                ),
            )),
        }
    }

    /// The API that its tokens open.
    fn api(&self) -> &'static Flavour {
        &api::OPENAI
    }

    /// For whom an identity token has to be made, where everybody who trades one there makes it for the same.
    fn audience(&self) -> Option<&'static str> {
        None
    }

    /// Adds the settings, what is needed, and what is doubtful.
    fn describe(&self, plan: &mut Plan);

    /// What to ask for a token with.
    fn request<'a>(&'a self, subject: &'a SubjectToken) -> TokenRequest<'a>;

    /// What the body of a granting answer (200) holds. `anchor`: the moment before the request was sent.
    fn issued(&self, body: &[u8], anchor: Now) -> Result<Issued, Error> {
        answer::issued(answer::object(body)?, anchor)
    }
}

/// What a token endpoint issued.
pub struct Issued {
    /// Goes into the `authorization` header.
    pub access_token: Secret,
    /// How long it lives, counted from `anchor`.
    pub lifetime_ms: u64,
    /// The moment before the request was sent: a slow answer must not lengthen a life.
    pub anchor: Now,
    /// Headers that the API wants beside the token; names in lower case.
    pub beside: Vec<(&'static str, Secret)>,
}

/// What reading the settings of an exchange yields.
pub type Parsed = Result<Box<dyn Exchange>, Error>;

/// How a document names an exchange, and how its settings are read.
pub struct Entry {
    /// The value of `exchange.type`.
    pub name: &'static str,
    /// Takes the settings out of the document.
    pub read: fn(&mut Fields<'_>, &Variables) -> Parsed,
}

/// Every exchange. The first is the default.
pub const ALL: &[Entry] =
    &[openai::ENTRY, codex::ENTRY, anthropic::ENTRY, openrouter::ENTRY, rfc8693::ENTRY, rfc7523::ENTRY];

/// The audience that OpenAI's clients and guides use.
const OPENAI_AUDIENCE: &str = "https://api.openai.com/v1";

/// RFC 8693, section 2.1.
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 7523, section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// From connecting to the last byte (the official Python client: 10 s).
const TIMEOUT_MS: u64 = 10_000;

/// A token endpoint's answer has about 2 KiB.
const RESPONSE_LIMIT: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// What a source is asked for where the document names no audience.
    fn default_audience(exchange: &str) -> Option<String> {
        let document = format!(
            r#"{{"source": {{"type": "gcp"}}, "exchange": {exchange}, "api": {{"base_url": "https://api.example"}}}}"#
        );
        let (_, plan) = crate::plan(&document, &Variables::default()).ok()?;
        let audience = plan.settings.into_iter().find(|setting| setting.name == "source.audience");
        audience.map(|setting| setting.value)
    }

    #[test]
    fn tokens_are_made_for_the_api_that_they_are_traded_at() {
        for (exchange, audience) in [
            (
                r#"{"identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"}"#,
                "https://api.openai.com/v1",
            ),
            (r#"{"type": "codex", "federation_rule_id": "idpm_1"}"#, "https://api.openai.com/v1"),
            (
                r#"{"type": "anthropic", "federation_rule_id": "fdrl_1", "organization_id": "o"}"#,
                "https://api.anthropic.com",
            ),
            (r#"{"type": "openrouter", "federation_policy_id": "p"}"#, "https://openrouter.ai/api/v1"),
        ] {
            assert_eq!(default_audience(exchange).as_deref(), Some(audience), "{exchange}");
        }
        // Anybody's API: the document has to say it.
        let standard = r#"{"type": "rfc8693", "token_endpoint": "https://sts.example/token"}"#;
        assert_eq!(default_audience(standard), None);
    }
}
