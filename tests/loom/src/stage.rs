//! What stands around the protocol: a snapshot that shows whether it is whole, a component that is asked, a caller.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::sync::atomic::AtomicU64;

use crate::flight::{Caller, Closer, Flight, Guard, Outcome, Snapshot, Verdict, Work, Writer, oneshot, run};
use crate::threads::Task;

/// A credential of that generation; 0: none.
pub(crate) struct Slip {
    generation: u64,
    /// The same number, for tests that ask whether all of it was written before it was published.
    written: Option<AtomicU64>,
}

impl Slip {
    pub(crate) fn new(generation: u64) -> Self {
        Self { generation, written: None }
    }

    /// Written in two steps.
    pub(crate) fn in_two_steps(generation: u64) -> Self {
        let written = AtomicU64::new(0);
        written.store(generation, Ordering::Relaxed);
        Self { generation, written: Some(written) }
    }

    /// Its generation, 0 for none, if it is whole.
    pub(crate) fn read(&self) -> u64 {
        if let Some(written) = &self.written {
            assert_eq!(written.load(Ordering::Relaxed), self.generation, "torn");
        }
        self.generation
    }
}

impl Snapshot for Slip {
    fn none() -> Self {
        Self::new(0)
    }

    fn generation(&self) -> Option<u64> {
        (self.generation > 0).then_some(self.generation)
    }
}

/// Why an attempt failed, as far as waiters care.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failure {
    Passing,
    Lasting,
}

/// The status: the last failure.
pub(crate) type Status = Option<Failure>;

/// What the component does when it is asked for something new.
pub(crate) type Answer = Result<(), Failure>;

/// Counts what the component was asked.
#[derive(Default)]
pub(crate) struct Ledger {
    under_way: AtomicUsize,
    pub(crate) exchanges: AtomicUsize,
}

/// The component, and the task's view of it.
pub(crate) struct Component {
    writer: Writer<Slip, Status>,
    ledger: Arc<Ledger>,
    /// The generation that it holds.
    held: u64,
    /// Attempts that are due by themselves, and what comes of them. Later ones, which are forced, succeed.
    due: Vec<Answer>,
}

impl Component {
    /// As the lease in the component: a rejection of what it holds, or a renewal that is due, is an exchange.
    fn ask(&mut self, rejected: Option<u64>) -> Status {
        if rejected.is_none_or(|rejected| rejected == self.held) {
            self.ledger.exchanges.fetch_add(1, Ordering::Relaxed);
            match self.due.pop().unwrap_or(Ok(())) {
                Ok(()) => self.held += 1,
                Err(failure) => return Some(failure),
            }
        }
        None
    }
}

impl Work<Slip, Status> for Component {
    type Closed = ();

    fn writer(&self) -> &Writer<Slip, Status> {
        &self.writer
    }

    fn pause(&mut self) -> Duration {
        if self.due.is_empty() { Duration::MAX } else { Duration::ZERO }
    }

    async fn attempt(&mut self, rejected: Option<u64>) {
        assert_eq!(self.ledger.under_way.fetch_add(1, Ordering::Relaxed), 0, "two attempts at once");
        self.writer.begin(rejected, |_| {});
        let failure = self.ask(rejected);
        let outcome =
            if self.held > 0 { Outcome::Credential(Slip::new(self.held)) } else { Outcome::Nothing };
        self.writer.show(outcome);
        self.ledger.under_way.fetch_sub(1, Ordering::Relaxed);
        self.writer.land(true, failure);
    }

    async fn close(&mut self) {
        self.writer.close(|_| {});
    }
}

/// A connection: what callers hold, and the task.
pub(crate) struct Connection {
    pub(crate) flight: Arc<Flight<Slip, Status>>,
    pub(crate) close: Closer<()>,
    pub(crate) task: Task,
    pub(crate) ledger: Arc<Ledger>,
}

impl Connection {
    /// `due`: attempts that are due by themselves, the first one last.
    pub(crate) fn open(due: &[Answer]) -> Self {
        let flight = Arc::new(Flight::new(None));
        let ledger = Arc::new(Ledger::default());
        let writer = Writer::new(Arc::clone(&flight));
        let component = Component { writer, ledger: Arc::clone(&ledger), held: 0, due: due.to_vec() };
        let (close, asked_to_close) = oneshot::channel();
        let task = Task::spawn(run(component, asked_to_close));
        Self { flight, close, task, ledger }
    }

    /// Something that a caller can take into its thread, to wait.
    pub(crate) fn waiter(&self) -> impl Future<Output = Told> + use<> {
        let flight = Arc::clone(&self.flight);
        async move {
            match flight.wait(&Patient).await {
                Verdict::Ready(generation) => Told::Credential(generation),
                Verdict::Failed(failure) => Told::Failure(failure),
                Verdict::Closed => Told::Closed,
            }
        }
    }

    /// Waits until readers see a credential of that generation.
    pub(crate) async fn holds(&self, generation: u64) {
        loop {
            let changed = self.flight.changed();
            if self.flight.cell.generation() == Some(generation) {
                return;
            }
            changed.await;
        }
    }

    /// Stops the task. The exchanges that were made.
    pub(crate) fn end(self) -> usize {
        self.task.abort();
        self.task.join();
        self.ledger.exchanges.load(Ordering::Relaxed)
    }
}

/// What a caller was told.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Credential(u64),
    Failure(Failure),
    Closed,
}

/// Wants a credential, and waits through failures that pass.
pub(crate) struct Patient;

impl Caller<Slip, Status> for Patient {
    type Credential = u64;
    type Error = Failure;

    fn usable(&self, snapshot: Guard<Slip>) -> Option<u64> {
        Some(snapshot.read()).filter(|generation| *generation > 0)
    }

    fn failure(&self, status: &Status) -> Option<Failure> {
        status.filter(|failure| *failure == Failure::Lasting)
    }
}
