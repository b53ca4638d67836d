//! What the task and the callers share.

use super::sync::{AtomicU64, Notify, Ordering, watch};
use super::{Cell, Progress, Snapshot};

/// Read and rejected by callers, written by the task.
pub(crate) struct Flight<S> {
    /// Written by the task alone.
    pub(crate) cell: Cell<S>,
    /// The highest generation that an API answered 401 to.
    pub(super) rejected: AtomicU64,
    /// Makes the task look again at what is due.
    pub(super) wake: Notify,
}

impl<S: Snapshot> Flight<S> {
    pub(crate) fn new() -> Self {
        Self { cell: Cell::empty(), rejected: AtomicU64::new(0), wake: Notify::new() }
    }

    /// The API does not take the credential of this generation. Nothing happens unless it is the one held.
    pub(crate) fn reject(&self, generation: u64) {
        if self.cell.generation() == Some(generation)
            && self.rejected.fetch_max(generation, Ordering::AcqRel) < generation
        {
            self.wake.notify_one();
        }
    }

    /// Waits until the task, which was told to stop at its next pause, has stopped, and takes the credential away.
    /// Not before: a task that is just being run could still put one back.
    pub(crate) async fn stopped<T>(&self, mut progress: watch::Receiver<Progress<T>>)
    where
        T: Clone + Send + Sync + 'static,
    {
        while progress.changed().await.is_ok() {}
        self.cell.retire();
    }
}
