//! An `Arc` that is replaced as a whole, as arc-swap documents it.

use std::sync::{Arc, Mutex};

use loom::sync::atomic::{AtomicUsize, Ordering};

use super::Guard;
use super::fault::{Fault, has};

pub(in crate::flight) struct Swap<T> {
    /// Which of them is held. A reader may see an older one for a while, as with any `Acquire` load.
    held: AtomicUsize,
    /// All that ever were. Not a step of its own: loom runs one thread at a time, and none is stopped here.
    ever: Mutex<Vec<Arc<T>>>,
}

impl<T> Swap<T> {
    pub(in crate::flight) fn new(first: Arc<T>) -> Self {
        Self { held: AtomicUsize::new(0), ever: Mutex::new(vec![first]) }
    }

    pub(in crate::flight) fn load(&self) -> Guard<T> {
        let held = self.held.load(Ordering::Acquire);
        Arc::clone(&self.ever.lock().unwrap()[held])
    }

    pub(in crate::flight) fn store(&self, next: Arc<T>) {
        let index = {
            let mut ever = self.ever.lock().unwrap();
            ever.push(next);
            ever.len() - 1
        };
        let ordering = if has(Fault::Torn) { Ordering::Relaxed } else { Ordering::Release };
        self.held.store(index, ordering);
    }
}
