//! What a connection is doing, for people and metrics.

use std::time::SystemTime;

use serde::Serialize;

use crate::{Error, Warning};

/// What a connection is doing. A credential is held in `Fresh`, `Renewing` and `Waiting` alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Phase {
    /// Nothing has been asked for yet.
    #[default]
    Idle,
    /// A first credential is being fetched, or one to follow an expired or rejected one.
    Acquiring,
    /// A credential is held and no renewal is due.
    Fresh,
    /// A credential is held and its successor is being fetched.
    Renewing,
    /// A credential is held, the last renewal failed, the next one waits for its turn.
    Waiting,
    /// No usable credential is held, the last attempt failed, the next one waits for its turn.
    Failed,
    /// The connection was closed.
    Closed,
}

impl Phase {
    /// Lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Acquiring => "acquiring",
            Self::Fresh => "fresh",
            Self::Renewing => "renewing",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Closed => "closed",
        }
    }
}

/// The state of a connection when it last changed. Counters only grow, and go on across replaced component instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What the connection is doing.
    pub phase: Phase,
    /// Generation of the credential held last, 0 before the first.
    pub generation: u64,
    /// Exchanges that succeeded.
    pub renewals: u64,
    /// Attempts that failed, traps of the component included.
    pub failures: u64,
    /// Attempts that failed since the last success.
    pub failures_in_a_row: u32,
    /// Times a component instance trapped, ran out of its limits or hung, and a fresh one took its place.
    pub replacements: u64,
    /// When the credential held is renewed, or the next attempt after a failure starts.
    pub next_attempt_at: Option<SystemTime>,
    /// When the credential held ends.
    pub expires_at: Option<SystemTime>,
    /// Why the last attempt failed; `None` once an attempt has succeeded.
    pub last_error: Option<Error>,
    /// What was found at run time and works, but is doubtful.
    pub warnings: Vec<Warning>,
}
