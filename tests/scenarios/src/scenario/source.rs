//! `source.json`: what the component of the source `custom` says, question by question.

use serde::Deserialize;

/// One question that must be asked, and its answer: either `token` or `error`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Whom the question says that the token is for.
    #[serde(default)]
    pub audience: Option<String>,
    /// Here and in `error`, `{token:NAME}` is filled in.
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub error: Option<String>,
}
