//! Why something cannot be served.

use std::fmt;

/// What is wrong with the configuration or the machine, and the way out. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable, kebab-case: `serve-config`, `serve-nothing`, `listen-failed`.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

impl Fault {
    pub(crate) fn new(code: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code, what: what.into(), next: next.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {} ({})", self.what, self.next, self.code)
    }
}

impl std::error::Error for Fault {}
