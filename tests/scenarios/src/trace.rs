//! What a host did, in plain values: two hosts that played the same scenario must have equal traces.

use keyless_engine::io::Now;
use serde::Deserialize;

/// The whole of a play.
#[derive(Debug, Default, PartialEq)]
pub struct Trace {
    pub variables: Option<Result<Vec<String>, Problem>>,
    pub plan: Option<Result<Plan, Problem>>,
    pub open: Option<Result<(), Problem>>,
    pub steps: Vec<Step>,
    /// What the far end got: when, in milliseconds after the start, and all of it.
    pub requests: Vec<String>,
}

/// One call on the timeline.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// Where it stands in the scenario, for people.
    pub label: String,
    /// When it was over.
    pub now: Now,
    /// How long it took, on the monotonic clock.
    pub took_ms: u64,
    /// Requests that have arrived so far.
    pub exchanges: usize,
    pub outcome: Outcome,
}

#[derive(Debug, PartialEq)]
pub enum Outcome {
    Credential(Result<Credential, Problem>),
    Status(Status),
    Rejected,
}

/// As in `wit/types.wit`, all times in Unix milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential {
    pub headers: Vec<(String, String)>,
    pub base_url: String,
    pub generation: u64,
    pub renew_at: Option<u64>,
    pub expires_at: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The case of the WIT variant: `invalid`, `denied`, `identity`, `rejected`, `unavailable`.
    pub kind: String,
    pub code: String,
    pub message: String,
    pub retry_after_ms: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    pub phase: String,
    pub generation: u64,
    pub renewals: u64,
    pub failures: u64,
    pub failures_in_a_row: u32,
    pub next_attempt_at: Option<u64>,
    pub expires_at: Option<u64>,
    pub last_error: Option<Problem>,
    /// Code and message.
    pub warnings: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub dialect: String,
    /// Name, value, origin.
    pub settings: Vec<(String, String, String)>,
    /// Code and message.
    pub warnings: Vec<(String, String)>,
    /// Method and URL.
    pub endpoints: Vec<(String, String)>,
    pub files: Vec<String>,
    pub variables: Vec<String>,
    /// File and key file.
    pub client_certificate: Option<(String, String)>,
    pub source_component: Option<SourceComponent>,
}

/// A component that gives identity tokens, and what it may reach.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceComponent {
    pub path: String,
    /// `METHOD URL`.
    pub endpoints: Vec<String>,
    pub files: Vec<String>,
    pub variables: Vec<String>,
}

impl Trace {
    /// The step that was recorded last.
    pub fn last(&self) -> &Step {
        self.steps.last().expect("a step was recorded")
    }

    /// Whether some call got the credential of that generation.
    pub fn has_given(&self, generation: u64) -> bool {
        self.steps.iter().any(|step| {
            matches!(&step.outcome, Outcome::Credential(Ok(credential)) if credential.generation == generation)
        })
    }

    /// How many calls got a credential.
    pub fn given(&self) -> usize {
        let credential = |step: &&Step| matches!(step.outcome, Outcome::Credential(Ok(_)));
        self.steps.iter().filter(credential).count()
    }

    /// Every code of an error anywhere in it.
    pub fn codes(&self) -> Vec<String> {
        self.problems().iter().map(|problem| problem.code.clone()).collect()
    }

    /// Everything that a person, a log or a metric may get to see. Header values are not among it.
    pub fn shown(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for problem in self.problems() {
            shown.extend([problem.code.clone(), problem.message.clone()]);
        }
        if let Some(Ok(names)) = &self.variables {
            shown.extend(names.iter().cloned());
        }
        if let Some(Ok(plan)) = &self.plan {
            for (name, value, origin) in &plan.settings {
                shown.extend([name.clone(), value.clone(), origin.clone()]);
            }
            shown.extend(plan.warnings.iter().map(|(_, message)| message.clone()));
            shown.extend(plan.endpoints.iter().map(|(_, url)| url.clone()));
            shown.extend(plan.files.iter().chain(&plan.variables).cloned());
        }
        for step in &self.steps {
            match &step.outcome {
                Outcome::Credential(Ok(credential)) => {
                    shown.push(credential.base_url.clone());
                    shown.extend(credential.headers.iter().map(|(name, _)| name.clone()));
                }
                Outcome::Status(status) => {
                    shown.extend(status.warnings.iter().map(|(_, message)| message.clone()));
                }
                Outcome::Credential(Err(_)) | Outcome::Rejected => {}
            }
        }
        shown
    }

    fn problems(&self) -> Vec<&Problem> {
        let mut problems = Vec::new();
        problems.extend(self.variables.iter().filter_map(|result| result.as_ref().err()));
        problems.extend(self.plan.iter().filter_map(|result| result.as_ref().err()));
        problems.extend(self.open.iter().filter_map(|result| result.as_ref().err()));
        for step in &self.steps {
            match &step.outcome {
                Outcome::Credential(Err(problem)) => problems.push(problem),
                Outcome::Status(status) => problems.extend(&status.last_error),
                Outcome::Credential(Ok(_)) | Outcome::Rejected => {}
            }
        }
        problems
    }
}
