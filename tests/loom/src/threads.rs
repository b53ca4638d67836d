//! Loom's schedules, and futures on its threads.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool as Flag, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use loom::model::Builder;
use loom::sync::atomic::AtomicBool;
use loom::thread::{JoinHandle, Thread};

/// How often a thread may be made to stop although it could go on. Almost all bugs show at two; each more takes ten times
/// as long. `$LOOM_MAX_PREEMPTIONS` says otherwise.
const PREEMPTIONS: usize = 3;

/// Runs a test in every order in which its threads can take their steps.
pub(crate) fn every_schedule(test: impl Fn() + Send + Sync + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(PREEMPTIONS));
    model.check(test);
}

/// Polls until it is done, and parks in between. Waiting for what never comes is a deadlock, which loom reports.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    run(future, |_| true).unwrap()
}

/// Polls it that often, and drops it where it then is. What it gave, if it came to its end.
pub(crate) fn give_up_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    run(future, |polled| polled < polls)
}

/// A future in a thread of its own, which can be stopped as tokio's tasks can: at its next pause, and then dropped.
pub(crate) struct Task {
    thread: JoinHandle<()>,
    stop: Arc<Stop>,
}

struct Stop {
    /// A step of its own, for the one who asks as for the task.
    asked: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Task {
    pub(crate) fn spawn(future: impl Future<Output = ()> + 'static) -> Self {
        let stop = Arc::new(Stop { asked: AtomicBool::new(false), waker: Mutex::default() });
        let asked = Arc::clone(&stop);
        let thread = loom::thread::spawn(move || {
            let mut future = pin!(future);
            block_on(poll_fn(|context| {
                *asked.waker.lock().unwrap() = Some(context.waker().clone());
                if asked.asked.fetch_or(false, Ordering::AcqRel) {
                    return Poll::Ready(());
                }
                future.as_mut().poll(context)
            }));
        });
        Self { thread, stop }
    }

    /// Does not wait until it has stopped.
    pub(crate) fn abort(&self) {
        self.stop.asked.swap(true, Ordering::AcqRel);
        let waker = self.stop.waker.lock().unwrap().take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Waits until it has come to its end.
    pub(crate) fn join(self) {
        self.thread.join().unwrap();
    }
}

/// Wakes the thread that is blocked on a future, as long as it is.
struct Unpark {
    thread: Thread,
    blocked: Flag,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        // A test that has failed takes no more steps.
        if self.blocked.load(Ordering::Relaxed) && !std::thread::panicking() {
            self.thread.unpark();
        }
    }
}

fn run<F: Future>(future: F, go_on: impl Fn(usize) -> bool) -> Option<F::Output> {
    let unpark = Arc::new(Unpark { thread: loom::thread::current(), blocked: Flag::new(true) });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    let mut polled = 0;
    let output = loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            break Some(output);
        }
        polled += 1;
        if !go_on(polled) {
            break None;
        }
        loom::thread::park();
    };
    unpark.blocked.store(false, Ordering::Relaxed);
    output
}
