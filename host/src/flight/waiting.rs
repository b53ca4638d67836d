//! How a caller waits for a credential, for the one to follow a rejected one, or for the failure that ends its waiting.

use super::sync::{Guard, Ordering};
use super::{Flight, Snapshot};

/// What a caller makes of what it sees. `S`: the snapshot; `T`: the status.
pub(crate) trait Caller<S, T> {
    type Credential;
    type Error;

    /// The credential, if there is one and it can be used.
    fn usable(&self, snapshot: Guard<S>) -> Option<Self::Credential>;

    /// The last failure, if it is one that waiting does not heal.
    fn failure(&self, status: &T) -> Option<Self::Error>;
}

/// How waiting ends.
#[derive(Debug)]
pub(crate) enum Verdict<C, E> {
    Ready(C),
    Failed(E),
    Closed,
}

impl<S: Snapshot, T: Clone> Flight<S, T> {
    /// Waits for a verdict. Dropped early, it disturbs nobody.
    pub(crate) async fn wait<C: Caller<S, T>>(&self, caller: &C) -> Verdict<C::Credential, C::Error> {
        loop {
            let changed = self.changed();
            if let Some(verdict) = self.verdict(caller) {
                return verdict;
            }
            // The task's timers may be late, after a suspend for one.
            self.wake.notify_one();
            changed.await;
        }
    }

    /// What a caller is told now: `None` to wait on.
    pub(crate) fn verdict<C: Caller<S, T>>(&self, caller: &C) -> Option<Verdict<C::Credential, C::Error>> {
        let progress = self.progress();
        if progress.closed {
            return Some(Verdict::Closed);
        }
        let rejected = self.rejected.load(Ordering::Acquire);
        let rejection_pending = rejected > progress.rejection_handled;
        let snapshot = self.cell.load();
        let awaited = rejection_pending && snapshot.generation().is_none_or(|held| held <= rejected);
        match caller.usable(snapshot) {
            Some(credential) if !awaited => Some(Verdict::Ready(credential)),
            _ if progress.ended => Some(Verdict::Closed),
            _ if rejection_pending || progress.busy => None,
            _ => caller.failure(&progress.status).map(Verdict::Failed),
        }
    }
}
