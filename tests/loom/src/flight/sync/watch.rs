//! What tokio documents of its `watch`. A borrowed value is a copy, so that nobody waits for a reader to let it go: more
//! orders are possible than with tokio's, and none fewer.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use super::fault::{Fault, has};
use super::point::Point;

struct Shared<T> {
    state: Mutex<State<T>>,
    point: Point,
}

struct State<T> {
    value: T,
    version: u64,
    closed: bool,
    waiting: Vec<Waker>,
}

pub(crate) struct Sender<T>(Arc<Shared<T>>);

pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

/// The sender is gone.
#[derive(Debug)]
pub(crate) struct Closed;

pub(crate) fn channel<T>(value: T) -> (Sender<T>, Receiver<T>) {
    let state = State { value, version: 0, closed: false, waiting: Vec::new() };
    let shared = Arc::new(Shared { state: Mutex::new(state), point: Point::new() });
    (Sender(Arc::clone(&shared)), Receiver { shared, seen: 0 })
}

impl<T> Shared<T> {
    /// One step, after which those who wait look again.
    fn step(&self, change: impl FnOnce(&mut State<T>)) {
        self.point.pass();
        let waiting = {
            let mut state = self.state.lock().unwrap();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<T: Clone> Sender<T> {
    pub(crate) fn borrow(&self) -> T {
        self.0.point.pass();
        self.0.state.lock().unwrap().value.clone()
    }

    pub(crate) fn send_modify(&self, change: impl FnOnce(&mut T)) {
        self.0.step(|state| {
            change(&mut state.value);
            state.version += 1;
        });
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // A test that has failed takes no more steps.
        if std::thread::panicking() {
            return;
        }
        self.0.step(|state| state.closed = true);
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), seen: self.seen }
    }
}

impl<T: Clone> Receiver<T> {
    pub(crate) fn borrow(&self) -> T {
        self.shared.point.pass();
        self.shared.state.lock().unwrap().value.clone()
    }

    pub(crate) fn borrow_and_update(&mut self) -> T {
        self.shared.point.pass();
        let state = self.shared.state.lock().unwrap();
        self.seen = state.version;
        state.value.clone()
    }

    pub(crate) async fn changed(&mut self) -> Result<(), Closed> {
        if has(Fault::Unseen) {
            self.borrow_and_update();
        }
        poll_fn(|context| {
            self.shared.point.pass();
            let mut state = self.shared.state.lock().unwrap();
            if state.version != self.seen {
                self.seen = state.version;
                return Poll::Ready(Ok(()));
            }
            if state.closed {
                return Poll::Ready(Err(Closed));
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}
