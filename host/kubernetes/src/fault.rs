//! What goes wrong, in words: one line what, one line what to do next.

use std::fmt;

/// Why something did not work. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who has to act.
    pub kind: Kind,
    /// Stable, kebab-case.
    pub code: &'static str,
    /// What happened.
    pub what: String,
    /// What to do next.
    pub next: String,
}

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The author of the command line or of the manifests.
    Invalid,
    /// The administrator of the cluster, who did not grant it.
    Denied,
    /// Whoever else writes to the same object.
    Conflict,
    /// Nobody: the API server is out of reach or out of order for now.
    Unavailable,
}

impl Fault {
    /// `code` is stable and kebab-case; `what` and `next` are for people.
    pub fn new(kind: Kind, code: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { kind, code, what: what.into(), next: next.into() }
    }

    pub(crate) fn invalid(code: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, code, what, next)
    }

    pub(crate) fn unavailable(code: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, code, what, next)
    }

    /// Whether it may pass by itself.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.kind == Kind::Unavailable
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}); {}", self.what, self.code, self.next)
    }
}

impl std::error::Error for Fault {}
