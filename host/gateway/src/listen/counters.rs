//! What went through a listener. Counters only grow, but for `open`.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

/// Counted by the listener itself, whatever stands behind it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    open: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    by_class: [AtomicU64; 5],
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections that are open.
    pub(crate) open: u64,
    /// Connections that were accepted.
    pub(crate) accepted: u64,
    /// Requests that the guard turned away.
    pub(crate) refused: u64,
    /// Answers by the first digit of their status, 1 to 5.
    pub(crate) by_class: [u64; 5],
}

impl Counters {
    /// A connection has come; it counts as open until what is returned is dropped.
    pub(crate) fn connection(self: &std::sync::Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Open(std::sync::Arc::clone(self))
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).wrapping_sub(1);
        if let Some(counter) = self.by_class.get(class) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            open: read(&self.open),
            accepted: read(&self.accepted),
            refused: read(&self.refused),
            by_class: self.by_class.each_ref().map(read),
        }
    }
}

/// A connection that is open.
pub(crate) struct Open(std::sync::Arc<Counters>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
