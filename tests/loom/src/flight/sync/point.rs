//! Where one step ends and another thread may take its own.

use std::future::{Future, poll_fn};

use loom::sync::atomic::{AtomicUsize, Ordering};

/// Stands before every operation on one object. What one thread did before it, the next one sees.
pub(super) struct Point(AtomicUsize);

impl Point {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(super) fn pass(&self) {
        // A test that has failed takes no more steps.
        if std::thread::panicking() {
            return;
        }
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Every poll of the future is a step.
    pub(super) async fn before_each<F: Future>(&self, future: F) -> F::Output {
        let mut future = Box::pin(future);
        poll_fn(|context| {
            self.pass();
            future.as_mut().poll(context)
        })
        .await
    }
}
