//! What happened to the requests of a proxy, beside the statuses of its answers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counted by a proxy.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Requests that were sent once more with a newer credential, after a 401.
    replays: AtomicU64,
    /// Requests that were sent once more because the upstream had closed the connection before.
    resent: AtomicU64,
    /// Requests that were answered 503, because there was no credential.
    no_credential: AtomicU64,
    /// Requests for which the upstream could not be connected to.
    unreachable: AtomicU64,
    /// Requests that an upstream did not answer, or not in HTTP.
    failed: AtomicU64,
    /// Connections, answers or parts of answers that did not come in time.
    timed_out: AtomicU64,
    /// Answers that an upstream ended early.
    cut: AtomicU64,
    /// WebSocket connections that were opened.
    tunnels: AtomicU64,
}

macro_rules! count {
    ($($name:ident),*) => {
        $(pub(super) fn $name(&self) {
            self.$name.fetch_add(1, Ordering::Relaxed);
        })*
    };
}

impl Counters {
    count!(replays, resent, no_credential, unreachable, failed, timed_out, cut, tunnels);

    /// The counters at one moment, each with its name for a metric's label. They only grow.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 8] {
        [
            ("replayed", &self.replays),
            ("resent", &self.resent),
            ("no-credential", &self.no_credential),
            ("upstream-unreachable", &self.unreachable),
            ("upstream-failed", &self.failed),
            ("upstream-timeout", &self.timed_out),
            ("answer-cut", &self.cut),
            ("tunnel-opened", &self.tunnels),
        ]
        .map(|(name, counter)| (name, counter.load(Ordering::Relaxed)))
    }
}
