//! The variables in which the SDKs of an API look for its key and its address.

use keyless::{Credential, Plan};

use crate::openai_variables::{OpenAiVariables, REPLACED as OPENAI};
use crate::output::problem::Problem;

/// Whose SDKs the program is taken to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vendor {
    /// OpenAI's, which most other APIs are compatible with.
    OpenAi,
    /// Anthropic's. `ANTHROPIC_AUTH_TOKEN` is sent as a bearer, `ANTHROPIC_API_KEY` as `x-api-key`.
    Anthropic,
}

/// Names and values.
pub(super) type Variables<'a> = Vec<(&'static str, &'a str)>;

impl Vendor {
    /// By the form in which the API wants its credential.
    pub(super) fn of(plan: &Plan) -> Self {
        let form = plan.settings.iter().find(|setting| setting.name == "api.type");
        match form.map(|setting| setting.value.as_str()) {
            Some("anthropic") => Self::Anthropic,
            _ => Self::OpenAi,
        }
    }

    /// Everything that says something about the API and its key.
    pub(super) fn replaced(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &OPENAI,
            Self::Anthropic => &["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"],
        }
    }

    /// For a program that goes through a proxy of its own.
    pub(super) fn proxied<'a>(self, base_url: &'a str, bearer: &'a str) -> Variables<'a> {
        match self {
            Self::OpenAi => vec![("OPENAI_API_KEY", bearer), ("OPENAI_BASE_URL", base_url)],
            Self::Anthropic => vec![("ANTHROPIC_API_KEY", bearer), ("ANTHROPIC_BASE_URL", base_url)],
        }
    }

    /// For a program that goes to the API itself.
    ///
    /// # Errors
    /// `credential-without-token` for an API that no variable can open.
    pub(super) fn direct(self, credential: &Credential) -> Result<Variables<'_>, Problem> {
        match (self, credential.token()) {
            (Self::Anthropic, Some(token)) => {
                Ok(vec![("ANTHROPIC_AUTH_TOKEN", token), ("ANTHROPIC_BASE_URL", credential.base_url())])
            }
            (Self::Anthropic, None) => {
                let key = credential.headers().find(|(name, _)| *name == "x-api-key").map(|(_, key)| key);
                let key = key.map(|key| ("ANTHROPIC_API_KEY", key));
                Ok(key.into_iter().chain([("ANTHROPIC_BASE_URL", credential.base_url())]).collect())
            }
            (Self::OpenAi, _) => Ok(OpenAiVariables::of(credential)?.set().collect()),
        }
    }
}
