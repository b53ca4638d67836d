//! The standard library's `RwLock`. What is read is a copy, so that nobody waits for a reader to let it go: more orders are
//! possible than with the real one, and none fewer.

use std::ops::Deref;
use std::sync::{LockResult, Mutex, MutexGuard};

use super::point::Point;

pub(in crate::flight) struct RwLock<T> {
    /// Not a step of its own: loom runs one thread at a time, and none is stopped while it writes.
    value: Mutex<T>,
    point: Point,
}

impl<T> RwLock<T> {
    pub(in crate::flight) fn new(value: T) -> Self {
        Self { value: Mutex::new(value), point: Point::new() }
    }

    pub(in crate::flight) fn write(&self) -> LockResult<MutexGuard<'_, T>> {
        self.point.pass();
        self.value.lock()
    }
}

impl<T: Clone> RwLock<T> {
    pub(in crate::flight) fn read(&self) -> LockResult<impl Deref<Target = T> + use<T>> {
        self.point.pass();
        Ok(Box::new(self.value.lock().unwrap().clone()))
    }
}
