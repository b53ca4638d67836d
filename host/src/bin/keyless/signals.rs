//! Signals that a command obeys. Caught from its start, so that an early one is not lost.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output::problem::{Class, Problem};

/// Hears of that signal from now on.
pub(crate) fn catch(kind: SignalKind) -> Result<Signal, Problem> {
    signal(kind).map_err(|reason| {
        Problem::new(
            Class::Failed,
            "signals-failed",
            format!("signals cannot be caught: {reason}"),
            "check the limits of this process (open files)",
        )
    })
}
