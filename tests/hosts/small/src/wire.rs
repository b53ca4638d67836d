//! What a connection gives, in the protocol's spelling.

use serde::Serialize;

use crate::bindings::exports::keyless::credentials::machine as wit;
use crate::bindings::keyless::credentials::types::{
    Header as WitHeader, Phase, Problem as WitProblem, Warning as WitWarning,
};

/// `ok` or `err`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the WIT")]
pub enum Outcome<T> {
    Ok(T),
    Err(Error),
}

/// As `credential` in `wit/types.wit`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the WIT")]
pub struct Credential {
    pub headers: Vec<Header>,
    pub base_url: String,
    pub generation: u64,
    pub renew_at: Option<u64>,
    pub expires_at: Option<u64>,
}

/// As `header` in `wit/types.wit`.
#[derive(Serialize)]
#[expect(missing_docs, reason = "as in the WIT")]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// As `error` in `wit/types.wit`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the WIT")]
pub enum Error {
    Invalid(Problem),
    Denied(Problem),
    Identity(Problem),
    Rejected(Problem),
    Unavailable(Problem),
}

/// As `problem` in `wit/types.wit`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the WIT")]
pub struct Problem {
    pub code: String,
    pub message: String,
    pub retry_after_ms: Option<u64>,
}

/// As `status` in `wit/types.wit`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in the WIT")]
pub struct Status {
    pub phase: &'static str,
    pub generation: u64,
    pub renewals: u64,
    pub failures: u64,
    pub failures_in_a_row: u32,
    pub next_attempt_at: Option<u64>,
    pub expires_at: Option<u64>,
    pub last_error: Option<Error>,
    pub warnings: Vec<Warning>,
}

/// As `warning` in `wit/types.wit`.
#[derive(Serialize)]
#[expect(missing_docs, reason = "as in the WIT")]
pub struct Warning {
    pub code: String,
    pub message: String,
}

/// One line.
#[must_use]
pub fn line(value: &impl Serialize) -> String {
    // Texts and numbers: nothing in them has no JSON form.
    serde_json::to_string(value).unwrap_or_default()
}

impl From<wit::Credential> for Credential {
    fn from(given: wit::Credential) -> Self {
        let header = |WitHeader { name, value }| Header { name, value };
        Self {
            headers: given.headers.into_iter().map(header).collect(),
            base_url: given.base_url,
            generation: given.generation,
            renew_at: given.renew_at,
            expires_at: given.expires_at,
        }
    }
}

impl From<wit::Error> for Error {
    fn from(given: wit::Error) -> Self {
        let problem =
            |WitProblem { code, message, retry_after_ms }| Problem { code, message, retry_after_ms };
        match given {
            wit::Error::Invalid(given) => Self::Invalid(problem(given)),
            wit::Error::Denied(given) => Self::Denied(problem(given)),
            wit::Error::Identity(given) => Self::Identity(problem(given)),
            wit::Error::Rejected(given) => Self::Rejected(problem(given)),
            wit::Error::Unavailable(given) => Self::Unavailable(problem(given)),
        }
    }
}

impl From<wit::Status> for Status {
    fn from(given: wit::Status) -> Self {
        Self {
            phase: match given.phase {
                Phase::Idle => "idle",
                Phase::Acquiring => "acquiring",
                Phase::Fresh => "fresh",
                Phase::Renewing => "renewing",
                Phase::Waiting => "waiting",
                Phase::Failed => "failed",
            },
            generation: given.generation,
            renewals: given.renewals,
            failures: given.failures,
            failures_in_a_row: given.failures_in_a_row,
            next_attempt_at: given.next_attempt_at,
            expires_at: given.expires_at,
            last_error: given.last_error.map(Error::from),
            warnings: given
                .warnings
                .into_iter()
                .map(|WitWarning { code, message }| Warning { code, message })
                .collect(),
        }
    }
}
