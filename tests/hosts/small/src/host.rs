//! The loop: tell the machine what happened, do what it asks for, wake it in time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn, spawn_blocking};
use wasmtime::Result;
use wasmtime::component::Component;

use crate::bindings::exports::keyless::credentials::machine::{
    Credential, Effect, Error, Event, SourceFault, SourceQuestion, Status,
};
use crate::machine::{Machine, lock};
use crate::outside::Outside;

/// One connection. Tasks of its own keep it fresh until it is closed.
pub struct Connection {
    machine: Machine,
    outside: Box<dyn Outside>,
    /// Told after every step: whoever waits looks again.
    changed: Notify,
    /// What is under way, by the effect's id; the timer has none.
    tasks: Mutex<Tasks>,
    /// Nobody is given a credential any more.
    closing: AtomicBool,
}

type Tasks = HashMap<Option<u64>, AbortHandle>;

impl Connection {
    /// Opens a document and begins to fetch its credential. `variables` are those that the document reads.
    ///
    /// # Errors
    /// The inner one: the document is wrong. The outer one: the machine cannot be run.
    pub fn open(
        component: &Component,
        document: &str,
        variables: &[(String, String)],
        outside: Box<dyn Outside>,
    ) -> Result<Result<Arc<Self>, Error>> {
        let machine = match Machine::open(component, document, variables)? {
            Ok(machine) => machine,
            Err(error) => return Ok(Err(error)),
        };
        let (changed, tasks, closing) = (Notify::new(), Mutex::default(), AtomicBool::new(false));
        let connection = Arc::new(Self { machine, outside, changed, tasks, closing });
        let timer = spawn(Arc::clone(&connection).keep_fresh());
        lock(&connection.tasks).insert(None, timer.abort_handle());
        Ok(Ok(connection))
    }

    /// Tells the machine what happened, and sets in motion what it wants.
    fn step(self: &Arc<Self>, event: &Event) -> Result<()> {
        // Held all the while, so that an effect is known before another step can cancel it.
        let mut tasks = lock(&self.tasks);
        let effects =
            self.machine.ask(|sessions, store, session, now| sessions.call_step(store, session, now, event));
        // Of a trap, too, so that nobody waits for what will not come.
        self.changed.notify_waiters();
        for effect in effects? {
            let (tasks, this) = (&mut *tasks, Arc::clone(self));
            match effect {
                Effect::ReadFile(read) => self.perform(tasks, read.id, async move {
                    let reading = spawn_blocking(move || (read.id, this.outside.read(&read)));
                    reading.await.ok().map(Event::File)
                }),
                Effect::Send(request) => self.perform(tasks, request.id, async move {
                    Some(Event::Response((request.id, this.outside.send(request).await)))
                }),
                // This host has no components that give identity tokens.
                Effect::AskSource(SourceQuestion { id, .. }) => {
                    self.perform(
                        tasks,
                        id,
                        async move { Some(Event::Source((id, Err(SourceFault::Absent)))) },
                    );
                }
                Effect::Cancel(id) => drop(tasks.remove(&Some(id)).map(|task| task.abort())),
            }
        }
        Ok(())
    }

    /// Performs an effect beside everything else, and reports how it ended.
    fn perform(
        self: &Arc<Self>,
        tasks: &mut Tasks,
        id: u64,
        work: impl Future<Output = Option<Event>> + Send + 'static,
    ) {
        let this = Arc::clone(self);
        let task = spawn(async move {
            let event = work.await;
            lock(&this.tasks).remove(&Some(id));
            // A machine that traps stays trapped: whoever asks for the credential is told.
            event.and_then(|event| this.step(&event).ok())
        });
        tasks.insert(Some(id), task.abort_handle());
    }

    /// Wakes the machine at the moment it names, and looks at that moment anew after every step.
    async fn keep_fresh(self: Arc<Self>) {
        while self.step(&Event::Tick).is_ok() {
            let changed = self.changed.notified();
            let wake_at =
                self.machine.ask(|sessions, store, session, now| sessions.call_wake_at(store, session, now));
            match wake_at {
                Ok(Some(ms)) => {
                    let moment = self.machine.moment(ms);
                    let _either = tokio::time::timeout_at(moment.into(), changed).await;
                }
                Ok(None) => changed.await,
                Err(_) => return,
            }
        }
    }

    /// The credential; waits while there is none yet.
    ///
    /// # Errors
    /// The inner one: why there is none, and for how long. The outer one: the machine trapped, or the connection is closed.
    pub async fn credential(&self) -> Result<Result<Credential, Error>> {
        loop {
            let changed = self.changed.notified();
            if self.closing.load(Ordering::Acquire) {
                return Err(wasmtime::Error::msg("the connection is closed"));
            }
            match self
                .machine
                .ask(|sessions, store, session, now| sessions.call_credential(store, session, now))?
            {
                Ok(Some(credential)) => return Ok(Ok(credential)),
                Ok(None) => changed.await,
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// As [`credential`](Self::credential), after a renewal that is due or under way.
    ///
    /// # Errors
    /// As for [`credential`](Self::credential).
    pub async fn renew(self: &Arc<Self>) -> Result<Result<Credential, Error>> {
        self.step(&Event::Tick)?;
        loop {
            let changed = self.changed.notified();
            if !self.machine.ask(|sessions, store, session, _| sessions.call_busy(store, session))? {
                return self.credential().await;
            }
            changed.await;
        }
    }

    /// The API answered 401 to this generation.
    ///
    /// # Errors
    /// The machine trapped, or the connection is closed.
    pub fn reject(self: &Arc<Self>, generation: u64) -> Result<()> {
        self.step(&Event::Reject(generation))
    }

    /// For people and metrics.
    ///
    /// # Errors
    /// The machine trapped, or the connection is closed.
    pub fn status(&self) -> Result<Status> {
        self.machine.ask(|sessions, store, session, now| sessions.call_status(store, session, now))
    }

    /// Ends it: what is under way is given up, what the connection made is deleted, and the machine's memory goes. Dropped
    /// without this it deletes nothing.
    ///
    /// # Errors
    /// The inner one: what is left. The outer one: the machine trapped, or the connection is closed.
    pub async fn close(self: &Arc<Self>) -> Result<Result<(), Error>> {
        self.closing.store(true, Ordering::Release);
        self.machine.ask(|sessions, store, session, now| sessions.call_close(store, session, now))?;
        // The machine says what is to be cancelled, and what comes first.
        self.step(&Event::Tick)?;
        let ended = loop {
            let changed = self.changed.notified();
            match self.machine.ask(|sessions, store, session, _| sessions.call_closed(store, session))? {
                Some(ended) => break ended,
                None => changed.await,
            }
        };
        let mut tasks = lock(&self.tasks);
        self.machine.close();
        tasks.drain().for_each(|(_, task)| task.abort());
        self.changed.notify_waiters();
        Ok(ended)
    }
}
