//! How a caller waits for a credential, for the one to follow a rejected one, or for the failure that ends its waiting.

use super::sync::{Guard, Ordering, watch};
use super::{Flight, Progress, Snapshot};

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

impl<S: Snapshot> Flight<S> {
    /// Waits for a verdict. Dropped early, it disturbs nobody.
    pub(crate) async fn wait<T, C>(
        &self,
        mut progress: watch::Receiver<Progress<T>>,
        caller: &C,
    ) -> Verdict<C::Credential, C::Error>
    where
        T: Clone + Send + Sync + 'static,
        C: Caller<S, T>,
    {
        loop {
            // Marked as seen before it is judged: what comes later is a change. The guard does not live across the await.
            let verdict = self.verdict(&progress.borrow_and_update(), caller);
            if let Some(verdict) = verdict {
                return verdict;
            }
            // The task's timers may be late, after a suspend for one.
            self.wake.notify_one();
            if progress.changed().await.is_err() {
                return Verdict::Closed;
            }
        }
    }

    /// What a caller is told now: `None` to wait on.
    pub(crate) fn verdict<T, C: Caller<S, T>>(
        &self,
        progress: &Progress<T>,
        caller: &C,
    ) -> Option<Verdict<C::Credential, C::Error>> {
        if progress.closed {
            return Some(Verdict::Closed);
        }
        let rejected = self.rejected.load(Ordering::Acquire);
        let rejection_pending = rejected > progress.rejection_handled;
        let snapshot = self.cell.load();
        let awaited = rejection_pending && snapshot.generation().is_none_or(|held| held <= rejected);
        match caller.usable(snapshot) {
            Some(credential) if !awaited => Some(Verdict::Ready(credential)),
            _ if rejection_pending || progress.busy => None,
            _ => caller.failure(&progress.status).map(Verdict::Failed),
        }
    }
}
