//! `expect.json`: the timeline, and what each call on it must yield.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::text::Text;
use crate::trace::SourceComponent;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// One sentence: what the case is for.
    pub about: String,
    #[serde(default)]
    pub start: Start,
    /// Files that the host does not grant although the document needs them.
    #[serde(default)]
    pub withheld_files: Vec<String>,
    pub plan: Option<PlanExpect>,
    /// The document must be refused like this. Then there are no steps.
    pub open_error: Option<ErrorExpect>,
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// The clocks at the start.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    pub wall_ms: u64,
    pub monotonic_ms: u64,
}

impl Default for Start {
    /// Fri, 15 Jan 2027 08:00:00 GMT.
    fn default() -> Self {
        Self { wall_ms: 1_800_000_000_000, monotonic_ms: 5_000_000 }
    }
}

/// Each field that is given must hold.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanExpect {
    pub dialect: Option<String>,
    /// These settings, with these values; others may be there.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Where these settings come from.
    #[serde(default)]
    pub origins: BTreeMap<String, String>,
    /// The codes of all warnings, in their order.
    pub warnings: Option<Vec<String>>,
    /// Texts that the warnings must contain.
    #[serde(default)]
    pub warnings_contain: Vec<String>,
    /// `METHOD URL`, all of them.
    pub endpoints: Option<Vec<String>>,
    pub files: Option<Vec<String>>,
    pub variables: Option<Vec<String>>,
    /// File and key file. Without it there must be none.
    pub client_certificate: Option<(String, String)>,
    pub source_component: Option<SourceComponent>,
}

/// Exactly one thing that happens. Times in seconds.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Time passes on both clocks.
    Advance(f64),
    /// The machine sleeps: time passes on the wall clock only.
    Suspend(f64),
    /// The wall clock is set, by so much.
    ShiftWall(f64),
    /// A file is written in place.
    Write(Write),
    /// A projected volume is made, or swapped, as a kubelet does it.
    Volume(Volume),
    /// A file or directory goes away.
    Remove(String),
    /// An empty directory comes to be.
    Directory(String),
    /// One of the four above, a while from now, in the middle of whatever happens then.
    Later(Box<Later>),
    Credential(CredentialExpect),
    Renew(CredentialExpect),
    /// The API answered 401 to this generation.
    Reject(u64),
    Status(StatusExpect),
    Poll(Poll),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Write {
    pub path: String,
    pub text: Text,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    pub path: String,
    /// Name to content.
    pub files: BTreeMap<String, String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    pub after: f64,
    pub step: Step,
}

/// `credential` is called `times` times, after `every` seconds each, and yields this each time.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    pub every: f64,
    pub times: usize,
    pub credential: CredentialExpect,
}

/// Either `generation` or `error`. Moments in seconds after the start.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialExpect {
    pub generation: Option<u64>,
    pub error: Option<ErrorExpect>,
    /// The value of that header.
    pub authorization: Option<String>,
    /// All headers, in their order.
    pub headers: Option<Vec<(String, String)>>,
    pub base_url: Option<String>,
    pub renew_at: Option<Time>,
    pub expires_at: Option<Time>,
    /// How long the call takes, in seconds. Without this: no time at all.
    pub took: Option<Time>,
    /// Requests that have arrived so far.
    pub exchanges: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorExpect {
    pub kind: String,
    pub code: String,
    /// Texts that the message must contain.
    #[serde(default)]
    pub contains: Vec<String>,
    /// In seconds.
    pub retry_after: Option<Time>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusExpect {
    pub phase: String,
    pub generation: Option<u64>,
    pub renewals: Option<u64>,
    pub failures: Option<u64>,
    pub failures_in_a_row: Option<u32>,
    pub next_attempt_at: Option<Time>,
    pub expires_at: Option<Time>,
    /// A code, or `none`.
    pub last_error: Option<String>,
    /// The codes of all warnings.
    pub warnings: Option<Vec<String>>,
    /// Requests that have arrived so far.
    pub exchanges: Option<usize>,
}

/// `12.5`, `[10, 20]` (both included), or `"never"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum Time {
    Exactly(f64),
    Between([f64; 2]),
    Never(Never),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Never {
    Never,
}

impl Expect {
    /// What a schema cannot say.
    pub fn check(&self) -> Result<()> {
        ensure!(!self.about.is_empty(), "`about` is empty");
        ensure!(
            self.plan.is_some() || self.open_error.is_some() || !self.steps.is_empty(),
            "it expects nothing at all"
        );
        ensure!(
            self.open_error.is_none() || self.steps.is_empty(),
            "`open_error` and `steps` exclude each other"
        );
        for step in &self.steps {
            let credential = match step {
                Step::Credential(expect) | Step::Renew(expect) => expect,
                Step::Poll(poll) => &poll.credential,
                _ => continue,
            };
            ensure!(
                credential.generation.is_some() != credential.error.is_some(),
                "a credential is expected with one of `generation` and `error`"
            );
        }
        Ok(())
    }
}

#[test]
fn a_typing_error_is_an_error() {
    for bad in [
        r#"{"about":"x","steps":[{"credential":{"generation":1,"generations":1}}]}"#,
        r#"{"about":"x","steps":[{"advanced":1}]}"#,
        r#"{"about":"x","steps":[{"advance":1,"reject":1}]}"#,
        r#"{"about":"x","steps":[{"status":{"phase":"fresh","expires_at":"newer"}}]}"#,
        r#"{"about":"x","plan":{"warning":[]}}"#,
    ] {
        assert!(serde_json::from_str::<Expect>(bad).is_err(), "{bad}");
    }
    for vacuous in [
        r#"{"about":"x"}"#,
        r#"{"about":"x","steps":[{"credential":{}}]}"#,
        r#"{"about":"x","steps":[{"poll":{"every":1,"times":2,"credential":{"took":0}}}]}"#,
    ] {
        assert!(serde_json::from_str::<Expect>(vacuous).unwrap().check().is_err(), "{vacuous}");
    }
}
