//! What waiters and watchers see of the task.

/// How far the task is. `T` says more, which the protocol hands on unread.
#[derive(Clone, Debug)]
pub(crate) struct Progress<T> {
    pub(crate) status: T,
    /// An attempt is under way, or the first one is about to start.
    pub(super) busy: bool,
    /// The highest rejected generation that an attempt has dealt with.
    pub(super) rejection_handled: u64,
    pub(super) closed: bool,
    /// The task is gone, closed or not.
    pub(super) ended: bool,
}

impl<T> Progress<T> {
    /// Before the first attempt.
    pub(super) fn new(status: T) -> Self {
        Self { status, busy: true, rejection_handled: 0, closed: false, ended: false }
    }

    /// Nothing will come any more.
    pub(crate) fn is_over(&self) -> bool {
        self.closed || self.ended
    }
}
