//! tokio's `Notify`.

use std::future::Future;

use super::fault::{Fault, has};
use super::point::Point;

pub(in crate::flight) struct Notify {
    inner: tokio::sync::Notify,
    point: Point,
}

impl Notify {
    pub(in crate::flight) fn new() -> Self {
        Self { inner: tokio::sync::Notify::new(), point: Point::new() }
    }

    pub(in crate::flight) fn notify_one(&self) {
        self.point.pass();
        if has(Fault::Unheard) {
            self.inner.notify_waiters();
        } else {
            self.inner.notify_one();
        }
    }

    pub(in crate::flight) fn notify_waiters(&self) {
        self.point.pass();
        self.inner.notify_waiters();
    }

    /// Counts from now, before it is polled: who finds that others were notified before sees what they were notified of.
    pub(in crate::flight) fn notified(&self) -> impl Future<Output = ()> {
        self.point.pass();
        let from_now = (!has(Fault::Unseen)).then(|| self.inner.notified());
        async {
            let notified = from_now.unwrap_or_else(|| self.inner.notified());
            self.point.before_each(notified).await;
        }
    }
}
