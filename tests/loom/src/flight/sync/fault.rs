//! Primitives that are broken on purpose: the tests must notice.

use std::cell::Cell;

/// What is broken.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// A snapshot is published before all of it is written.
    Torn,
    /// A word to a task that does not listen just now is lost.
    Unheard,
    /// A change that comes while a waiter looks away is lost.
    Unseen,
}

thread_local! {
    // Loom runs all threads of a model on the thread of its test.
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Runs a test with that fault.
pub(crate) fn with_fault(fault: Fault, test: impl FnOnce()) {
    FAULT.set(Some(fault));
    test();
}

/// Whether that is broken in this test.
pub(super) fn has(fault: Fault) -> bool {
    FAULT.get() == Some(fault)
}
