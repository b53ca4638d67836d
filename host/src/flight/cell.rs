//! The cell from which every reader takes the current snapshot: one atomic load, no lock, no allocation.

use std::sync::Arc;

use super::sync::{Guard, Swap};

/// What a cell can hold.
pub(crate) trait Snapshot {
    /// Stands for "there is no credential".
    fn none() -> Self;

    /// Number of the credential, counted from 1. `None` if this is [`none`](Self::none).
    fn generation(&self) -> Option<u64>;
}

/// Holds the current snapshot. Written by one task, read by any number of threads.
pub(crate) struct Cell<S>(Swap<S>);

impl<S: Snapshot> Cell<S> {
    pub(crate) fn empty() -> Self {
        Self(Swap::new(Arc::new(S::none())))
    }

    #[inline]
    pub(crate) fn load(&self) -> Guard<S> {
        self.0.load()
    }

    pub(crate) fn publish(&self, snapshot: S) {
        self.0.store(Arc::new(snapshot));
    }

    /// Takes the credential away from readers.
    pub(crate) fn retire(&self) {
        self.publish(S::none());
    }

    /// Generation of the credential held, expired or not.
    pub(crate) fn generation(&self) -> Option<u64> {
        self.load().generation()
    }
}
