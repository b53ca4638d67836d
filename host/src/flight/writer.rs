//! The task's side of the protocol: the only one that writes.

use std::sync::Arc;

use super::{Flight, Snapshot};

/// What an attempt gave.
pub(crate) enum Outcome<S> {
    /// A credential, new or the one that is held already. An older one is not believed; one that only the clocks took
    /// away comes back when the component vouches for it.
    Credential(S),
    /// The component has none. What is held stays, unless it was rejected.
    Nothing,
}

/// Publishes to readers and waiters. There is one for each [`Flight`].
pub(crate) struct Writer<S, T> {
    pub(crate) flight: Arc<Flight<S, T>>,
    /// The highest rejected generation that the component was told of.
    told: u64,
    /// The highest generation that readers ever saw.
    newest: u64,
}

impl<S: Snapshot, T: Clone> Writer<S, T> {
    pub(crate) fn new(flight: Arc<Flight<S, T>>) -> Self {
        Self { flight, told: 0, newest: 0 }
    }

    /// The highest rejected generation that the component was told of.
    pub(crate) fn told(&self) -> u64 {
        self.told
    }

    /// Changes the status alone.
    pub(crate) fn note(&self, change: impl FnOnce(&mut T)) {
        self.flight.progress.change(|progress| change(&mut progress.status));
    }

    /// An attempt begins, in which the component is told of that rejected generation.
    pub(crate) fn begin(&mut self, rejected: Option<u64>, change: impl FnOnce(&mut T)) {
        self.told = rejected.unwrap_or(self.told);
        self.flight.progress.change(|progress| {
            progress.busy = true;
            change(&mut progress.status);
        });
    }

    /// Readers see what an attempt gave. True if that is a credential they did not see just now.
    pub(crate) fn show(&mut self, outcome: Outcome<S>) -> bool {
        let cell = &self.flight.cell;
        match outcome {
            Outcome::Credential(snapshot) => {
                let generation = snapshot.generation();
                if generation == cell.generation() || generation.is_none_or(|given| given < self.newest) {
                    return false;
                }
                self.newest = generation.unwrap_or(self.newest);
                cell.publish(snapshot);
                true
            }
            Outcome::Nothing => {
                if cell.generation().is_some_and(|held| held <= self.told) {
                    cell.retire();
                }
                false
            }
        }
    }

    /// The attempt is over, and those who wait hear of it: after [`show`](Self::show), or they would find nothing.
    /// `rejection_handled`: what the component was told of is dealt with.
    pub(crate) fn land(&self, rejection_handled: bool, status: T) {
        self.flight.progress.change(|progress| {
            progress.busy = false;
            if rejection_handled {
                progress.rejection_handled = self.told;
            }
            progress.status = status;
        });
    }

    /// Nothing will come any more: no credential for readers, an end for those who wait.
    pub(crate) fn close(&self, change: impl FnOnce(&mut T)) {
        self.flight.cell.retire();
        self.flight.progress.change(|progress| {
            progress.closed = true;
            progress.busy = false;
            change(&mut progress.status);
        });
    }
}

/// However the task ends.
impl<S, T> Drop for Writer<S, T> {
    fn drop(&mut self) {
        self.flight.progress.change(|progress| progress.ended = true);
    }
}
