//! What the checks found, for machines; `output::conformance` shows it to people.

use std::time::Duration;

use serde::Serialize;

/// Why a check does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// What a host has to do.
    pub(crate) expected: String,
    /// What it did.
    pub(crate) came: String,
}

impl Fault {
    pub(super) fn new(expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self { expected: expected.into(), came: came.into() }
    }

    /// In this case of several.
    pub(super) fn with(self, case: &str) -> Self {
        Self { expected: format!("{} in the case `{case}`", self.expected), ..self }
    }

    /// Where what is expected needs no words.
    pub(super) fn came(came: impl Into<String>) -> Self {
        Self::new("a program that speaks the protocol", came)
    }
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// The promise is kept.
    Kept,
    /// It is not.
    Broken,
    /// The host answers that it cannot be asked.
    Unsupported,
}

/// One promise.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Stable, kebab-case.
    pub(crate) check: &'static str,
    /// What is promised, in one line.
    pub(crate) promise: &'static str,
    pub(crate) verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
    /// Where the guide says how to keep it.
    pub(crate) guide: String,
    pub(crate) took_ms: u64,
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// As the host says it.
    pub(crate) host: String,
    /// SHA-256 of the component that it loads, as it says.
    pub(crate) component: String,
    pub(crate) conforms: bool,
    pub(crate) kept: usize,
    pub(crate) broken: usize,
    pub(crate) unsupported: usize,
    pub(crate) took_ms: u64,
    pub(crate) findings: Vec<Finding>,
    /// Traces that were replayed; none without `--traces`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traces: Option<Traces>,
}

/// What came of the traces.
#[derive(Debug, Serialize)]
pub(crate) struct Traces {
    pub(crate) replayed: usize,
    pub(crate) alike: usize,
    /// The first of them that are not alike.
    pub(crate) differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
}

/// A trace whose answer is not the recorded one.
#[derive(Debug, Serialize)]
pub(crate) struct Difference {
    pub(crate) name: String,
    /// Where: a decision by its index, or `open`.
    pub(crate) place: String,
    pub(crate) expected: String,
    pub(crate) came: String,
}

impl Report {
    pub(super) fn of(
        (host, component): (String, String),
        findings: Vec<Finding>,
        traces: Option<Traces>,
        took: Duration,
    ) -> Self {
        let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
        let (kept, broken, unsupported) =
            (count(Verdict::Kept), count(Verdict::Broken), count(Verdict::Unsupported));
        let alike =
            traces.as_ref().is_none_or(|traces| traces.alike == traces.replayed && traces.fault.is_none());
        Self {
            host,
            component,
            conforms: broken == 0 && alike && kept > 0,
            kept,
            broken,
            unsupported,
            took_ms: millis(took),
            findings,
            traces,
        }
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
