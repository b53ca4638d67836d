//! tokio's `oneshot`, each operation a step.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::point::Point;

pub(crate) struct Sender<T>(tokio::sync::oneshot::Sender<T>, Arc<Point>);
pub(crate) struct Receiver<T>(tokio::sync::oneshot::Receiver<T>, Arc<Point>);

pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let point = Arc::new(Point::new());
    (Sender(sender, Arc::clone(&point)), Receiver(receiver, point))
}

impl<T> Sender<T> {
    pub(crate) fn send(self, value: T) -> Result<(), T> {
        self.1.pass();
        self.0.send(value)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, tokio::sync::oneshot::error::RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.1.pass();
        Pin::new(&mut self.0).poll(context)
    }
}
