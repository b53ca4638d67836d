//! What `keyless doctor` finds: one step after the other, each with what was seen and, if it failed, what to do.
//!
//! The names of fields and values are part of the command's contract (`docs/doctor.md`). Nothing here holds a secret.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::code::Code;
use crate::output::problem::{Class, Problem};

/// Everything that was looked at, in the order in which a connection needs it.
#[derive(Serialize)]
pub(crate) struct Report {
    /// Whether no step failed.
    pub(crate) ok: bool,
    /// As the process ends: 0, or that of the first step that failed.
    pub(crate) exit_code: u8,
    /// All steps, always.
    pub(crate) steps: Vec<Step>,
}

/// A part of a connection that can hold or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StepName {
    /// The document is found and understood.
    Document,
    /// What it needs is granted.
    Grant,
    /// The platform gives an identity token.
    Source,
    /// The token endpoint can be reached, and its certificate is trusted.
    Endpoint,
    /// The token endpoint trades the identity token for a credential.
    Exchange,
    /// The API takes the credential.
    Api,
    /// This machine's clock agrees with the others'.
    Clock,
}

impl StepName {
    const ALL: [Self; 7] =
        [Self::Document, Self::Grant, Self::Source, Self::Endpoint, Self::Exchange, Self::Api, Self::Clock];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Grant => "grant",
            Self::Source => "source",
            Self::Endpoint => "endpoint",
            Self::Exchange => "exchange",
            Self::Api => "api",
            Self::Clock => "clock",
        }
    }
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It holds.
    Ok,
    /// It holds, but probably not for long, or not as its author hopes.
    Warning,
    /// It does not hold.
    Failed,
    /// This connection does not need it, or nobody wanted it.
    Skipped,
    /// A step before it failed.
    NotReached,
}

/// One step. What does not apply is null in JSON, and never absent.
#[derive(Serialize)]
pub(crate) struct Step {
    pub(crate) step: StepName,
    pub(crate) status: Status,
    /// One line.
    pub(crate) summary: String,
    /// What was observed, by name.
    pub(crate) detail: Map<String, Value>,
    /// The diagnosis, stable and kebab-case.
    pub(crate) code: Option<String>,
    /// The code with which `keyless token` would fail.
    pub(crate) error: Option<String>,
    /// The most likely cause.
    pub(crate) cause: Option<String>,
    /// What to do about it.
    pub(crate) next: Option<String>,
    /// How long the other side asked to be left alone.
    pub(crate) retry_after_seconds: Option<u64>,
    #[serde(skip)]
    exit_code: u8,
}

/// Why a step failed.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    /// Stable and kebab-case. As fine as the observations allow.
    pub(crate) code: Cow<'static, str>,
    /// What happened.
    pub(crate) what: String,
    /// The most likely cause.
    pub(crate) cause: String,
    /// What to do about it.
    pub(crate) next: String,
    /// Who has to act.
    pub(crate) class: Class,
    /// The code of the error that was met, where there is one.
    pub(crate) error: Option<String>,
}

impl Diagnosis {
    /// Of a problem that speaks for itself. Its pause is left out: that is the component's own pace, and the doctor asks
    /// once.
    pub(crate) fn of(problem: &Problem) -> Self {
        Self {
            code: Cow::Owned(problem.code().to_owned()),
            what: problem.what().to_owned(),
            cause: problem.what().to_owned(),
            next: problem.next().to_owned(),
            class: problem.class(),
            error: Some(problem.code().to_owned()),
        }
    }

    /// Sees further than the error does, whose own advice is left out then.
    pub(crate) fn because(self, code: Code, cause: impl Into<String>, next: impl Into<String>) -> Self {
        let what = self.what.split_once(". ").map(|(what, _)| what.to_owned()).unwrap_or(self.what);
        Self { code: Cow::Borrowed(code.as_str()), what, cause: cause.into(), next: next.into(), ..self }
    }
}

impl Step {
    fn new(step: StepName, status: Status, summary: String) -> Self {
        Self {
            step,
            status,
            summary,
            detail: Map::new(),
            code: None,
            error: None,
            cause: None,
            next: None,
            retry_after_seconds: None,
            exit_code: 0,
        }
    }

    pub(crate) fn ok(step: StepName, summary: impl Into<String>) -> Self {
        Self::new(step, Status::Ok, summary.into())
    }

    pub(crate) fn skipped(step: StepName, why: impl Into<String>) -> Self {
        Self::new(step, Status::Skipped, why.into())
    }

    pub(crate) fn not_reached(step: StepName, why: impl Into<String>) -> Self {
        Self::new(step, Status::NotReached, why.into())
    }

    pub(crate) fn failed(step: StepName, diagnosis: Diagnosis) -> Self {
        Self {
            code: Some(diagnosis.code.into_owned()),
            error: diagnosis.error,
            cause: Some(diagnosis.cause),
            next: Some(diagnosis.next),
            exit_code: diagnosis.class.exit_code(),
            ..Self::new(step, Status::Failed, diagnosis.what)
        }
    }

    /// Turns a step that holds into one that is doubtful. The first doubt counts.
    pub(crate) fn doubt(
        mut self,
        code: impl Into<String>,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        if self.status == Status::Ok {
            self.status = Status::Warning;
            (self.code, self.cause, self.next) = (Some(code.into()), Some(cause.into()), Some(next.into()));
        }
        self
    }

    /// The other side wants to be left alone for so long.
    pub(crate) fn wait(self, seconds: Option<u64>) -> Self {
        Self { retry_after_seconds: seconds, ..self }
    }

    /// Says in other words what happened.
    pub(crate) fn summed_up(self, summary: Option<String>) -> Self {
        Self { summary: summary.unwrap_or(self.summary), ..self }
    }

    /// Adds an observation. Null ones are left out.
    pub(crate) fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.detail.insert(name.to_owned(), value);
        }
        self
    }
}

impl Report {
    /// Of the steps that were walked; the others were not reached.
    pub(crate) fn of(mut steps: Vec<Step>) -> Self {
        for name in StepName::ALL.into_iter().skip(steps.len()) {
            steps.push(Step::not_reached(name, ""));
        }
        let exit_code = steps.iter().map(|step| step.exit_code).find(|code| *code != 0).unwrap_or(0);
        Self { ok: steps.iter().all(|step| step.status != Status::Failed), exit_code, steps }
    }
}
