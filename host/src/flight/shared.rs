//! What the task and the callers share.

use std::ops::Deref;

use super::sync::{AtomicU64, Notify, Ordering};
use super::watched::Watched;
use super::{Cell, Progress, Snapshot};

/// Read and rejected by callers, written by the task.
pub(crate) struct Flight<S, T> {
    /// Written by the task alone.
    pub(crate) cell: Cell<S>,
    /// The highest generation that an API answered 401 to.
    pub(super) rejected: AtomicU64,
    /// Makes the task look again at what is due.
    pub(super) wake: Notify,
    /// Written by the task alone, after [`cell`](Self::cell).
    pub(super) progress: Watched<Progress<T>>,
}

impl<S: Snapshot, T: Clone> Flight<S, T> {
    /// `status`: before the first attempt.
    pub(crate) fn new(status: T) -> Self {
        Self {
            cell: Cell::empty(),
            rejected: AtomicU64::new(0),
            wake: Notify::new(),
            progress: Watched::new(Progress::new(status)),
        }
    }

    /// How far the task is. Not to be kept.
    pub(crate) fn progress(&self) -> impl Deref<Target = Progress<T>> {
        self.progress.read()
    }

    /// The next change of that. To be taken before it is read, so that nothing is missed in between.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> {
        self.progress.changed()
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
    pub(crate) async fn stopped(&self) {
        loop {
            let changed = self.changed();
            if self.progress().ended {
                return self.cell.retire();
            }
            changed.await;
        }
    }
}
