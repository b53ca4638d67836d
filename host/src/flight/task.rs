//! The one task of a connection: an attempt when one is due or forced, one at a time, until somebody closes.

use std::future::Future;
use std::time::Duration;

use super::sync::{Ordering, oneshot, sleep};
use super::{Flight, Snapshot, Writer};

/// Asks the task to end, and takes its answer.
pub(crate) type Close<R> = oneshot::Sender<R>;

/// Asks once, and whoever drops it unused asks for nothing any more.
pub(crate) type Closer<R> = oneshot::Sender<Close<R>>;

/// What the task does, and when.
pub(crate) trait Work<S, T>: Send {
    /// The answer to whoever closes.
    type Closed: Send;

    fn writer(&self) -> &Writer<S, T>;

    /// How long to wait. Zero: an attempt is due.
    fn pause(&mut self) -> Duration;

    /// Asks the component, after telling it of a rejected generation.
    fn attempt(&mut self, rejected: Option<u64>) -> impl Future<Output = ()> + Send;

    fn close(&mut self) -> impl Future<Output = Self::Closed> + Send;
}

enum Woken<R> {
    Due,
    Rejected(u64),
    Close(Close<R>),
    /// Nobody can ask for anything any more.
    Abandoned,
}

/// Runs until somebody closes.
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn has room for its arguments twice, for as long as it runs"
)]
pub(crate) fn run<S, T, W>(
    mut work: W,
    mut close: oneshot::Receiver<Close<W::Closed>>,
) -> impl Future<Output = ()>
where
    S: Snapshot + Send + Sync,
    T: Clone + Send + Sync,
    W: Work<S, T>,
{
    async move {
        loop {
            match woken(&mut work, &mut close).await {
                Woken::Due => work.attempt(None).await,
                Woken::Rejected(generation) => work.attempt(Some(generation)).await,
                Woken::Close(reply) => {
                    let result = work.close().await;
                    // Whoever asked may have gone.
                    let _ = reply.send(result);
                    return;
                }
                Woken::Abandoned => return,
            }
        }
    }
}

/// Waits for the next thing to do.
async fn woken<S, T, W>(work: &mut W, close: &mut oneshot::Receiver<Close<W::Closed>>) -> Woken<W::Closed>
where
    S: Snapshot + Send + Sync,
    T: Clone + Send + Sync,
    W: Work<S, T>,
{
    loop {
        let rejected = work.writer().flight.rejected.load(Ordering::Acquire);
        if rejected > work.writer().told() {
            return Woken::Rejected(rejected);
        }
        let pause = work.pause();
        if pause.is_zero() {
            return Woken::Due;
        }
        let flight: &Flight<S, T> = &work.writer().flight;
        tokio::select! {
            biased;
            asked = &mut *close => return asked.map_or(Woken::Abandoned, Woken::Close),
            () = flight.wake.notified() => {}
            () = sleep(pause) => {}
        }
    }
}
