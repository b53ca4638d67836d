//! A value that one changes and others watch.
//!
//! What tokio's `watch` is, which takes half a kilobyte for every connection: half of that are eight lists of those who wait,
//! and hardly anybody ever waits for one.

use std::ops::Deref;
use std::sync::PoisonError;

use super::sync::{Notify, RwLock};

pub(super) struct Watched<T> {
    value: RwLock<T>,
    changed: Notify,
}

impl<T> Watched<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value: RwLock::new(value), changed: Notify::new() }
    }

    /// Those who wait look again.
    pub(super) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.value.write().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
    }

    /// The next change. To be taken before the value is read: it counts from here, and not from when it is awaited, so
    /// that nothing is missed in between.
    pub(super) fn changed(&self) -> impl Future<Output = ()> {
        self.changed.notified()
    }
}

impl<T: Clone> Watched<T> {
    /// Not to be kept: who changes the value waits for it.
    pub(super) fn read(&self) -> impl Deref<Target = T> {
        // Whoever changes the value leaves it whole, whatever happens.
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }
}
