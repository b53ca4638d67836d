//! A credential as the environment variables that OpenAI's clients read.

use keyless::Credential;

use crate::output::problem::Problem;

/// The variables that say everything about the API and its key; each is set or else removed, so that none of an older
/// setting is left beside the credential.
pub(crate) const REPLACED: [&str; 4] =
    ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"];

/// Names and values, borrowed from a credential.
pub(crate) struct OpenAiVariables<'a>([(&'static str, Option<&'a str>); 4]);

impl<'a> OpenAiVariables<'a> {
    /// Reads them off a credential. Headers that no variable can carry are named in a warning.
    ///
    /// # Errors
    /// `credential-without-token` for an API that is not opened by a bearer token.
    pub(crate) fn of(credential: &'a Credential) -> Result<Self, Problem> {
        let key = credential.token().ok_or_else(|| {
            Problem::invalid(
                "credential-without-token",
                "this API is not opened by a bearer token, and no variable of OpenAI's clients can say how",
                "take the headers from `keyless token --format headers`",
            )
        })?;
        let header =
            |wanted: &str| credential.headers().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        for (name, _) in credential.headers() {
            if !matches!(name, "authorization" | "openai-organization" | "openai-project") {
                tracing::warn!(
                    header = name,
                    "no environment variable carries this header; the program must set it itself"
                );
            }
        }
        let [api_key, base_url, organization, project] = REPLACED;
        Ok(Self([
            (api_key, Some(key)),
            (base_url, Some(credential.base_url())),
            (organization, header("openai-organization")),
            (project, header("openai-project")),
        ]))
    }

    /// Those that have a value.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.0.iter().filter_map(|(name, value)| Some((*name, (*value)?)))
    }
}
