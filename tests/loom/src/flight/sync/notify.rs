//! tokio's `Notify`.

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

    pub(in crate::flight) async fn notified(&self) {
        self.point.before_each(self.inner.notified()).await;
    }
}
