//! Drives the engine with WASI 0.3: many calls wait, one task works.
//!
//! A call looks at the engine, and waits for the bell when there is no answer yet. The effects are done by a keeper, which
//! is spawned into the task of the call that found work to do and no keeper; it goes on after that call has returned. When
//! the caller gives the call up, its task ends and the keeper with it. What is under way belongs to the connection, not to
//! the keeper, so the next of those who wait goes on with it where it stood.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use keyless_engine::io::{Effect, Now, SourceFault};
use keyless_engine::{Answered, Event, Machine};

use super::bell::Bell;
use super::{files, requests};
use crate::bindings::keyless::credentials::types::{Account, Credential, Error, Prune, Status};
use crate::convert;
use crate::wasi::clocks::{monotonic_clock, system_clock};

/// An effect on its way, and what is told when it has come to its end.
type Underway = Pin<Box<dyn Future<Output = Event>>>;

/// One connection and what it has under way. Nothing in it stays borrowed while anybody waits.
pub(crate) struct Driver {
    machine: RefCell<Machine>,
    underway: RefCell<Vec<(u64, Underway)>>,
    /// For the calls: the engine got further, or the keeper is gone.
    progress: Bell,
    /// For the keeper: there is more to do, or nothing any more.
    work: Bell,
    changed: Cell<bool>,
    kept: Cell<bool>,
    ended: Cell<bool>,
}

impl Driver {
    pub(crate) fn new(machine: Machine) -> Rc<Self> {
        Rc::new(Self {
            machine: RefCell::new(machine),
            underway: RefCell::default(),
            progress: Bell::default(),
            work: Bell::default(),
            changed: Cell::default(),
            kept: Cell::default(),
            ended: Cell::default(),
        })
    }

    /// See the contract: at once while a usable one is held.
    pub(crate) async fn credential(self: Rc<Self>) -> Result<Credential, Error> {
        let answer = |machine: &Machine| match machine.credential(now()) {
            Answered::Ready(credential) => Some(Ok(convert::credential(&credential))),
            Answered::Failed(error) => Some(Err(convert::error(error))),
            Answered::Pending => None,
        };
        self.until(answer).await
    }

    /// See the contract: after the renewal that is due or under way.
    pub(crate) async fn renew(self: Rc<Self>) -> Result<Credential, Error> {
        self.until(|machine| (!machine.busy()).then_some(())).await;
        self.credential().await
    }

    pub(crate) fn reject(self: Rc<Self>, generation: u64) {
        self.step(Event::Reject(generation));
        if self.machine.borrow().busy() {
            self.keep();
        }
    }

    pub(crate) fn status(&self) -> Status {
        convert::status(&self.machine.borrow().status(now()))
    }

    /// See the contract: waits for the Admin API.
    pub(crate) async fn accounts(self: Rc<Self>, prune: Prune) -> Result<Vec<Account>, Error> {
        self.machine.borrow_mut().survey(now(), convert::prune(prune)).map_err(convert::error)?;
        convert::accounts(self.until(Machine::surveyed).await)
    }

    /// See the contract: deletes what the connection made.
    pub(crate) async fn close(self: Rc<Self>) -> Result<(), Error> {
        self.machine.borrow_mut().close(now());
        let closed = |machine: &Machine| machine.closed().map(|closed| closed.map_err(Clone::clone));
        self.until(closed).await.map_err(convert::error)
    }

    /// Gives up what is under way.
    pub(crate) fn end(self: Rc<Self>) {
        self.ended.set(true);
        self.nudge();
        // A request can be called off in an async task only, and a connection that is just dropped has none. The keeper's is
        // one; without a keeper, that of the next call will do.
        if !self.kept.get() && !self.underway.borrow().is_empty() {
            wit_bindgen::spawn_local(async move { drop(self) });
        }
    }

    async fn until<T>(self: &Rc<Self>, answer: impl Fn(&Machine) -> Option<T>) -> T {
        let ask = || {
            self.step(Event::Tick);
            let answer = answer(&self.machine.borrow());
            // Also for nothing but the time: between two attempts there is always a moment.
            if answer.is_none() || self.machine.borrow().busy() {
                self.keep();
            }
            answer
        };
        self.progress.until(ask).await
    }

    fn step(&self, event: Event) {
        let wanted = self.machine.borrow_mut().step(now(), event);
        for effect in wanted {
            match effect {
                Effect::ReadFile { id, path, limit } => {
                    self.begin(id, async move { Event::File(id, files::read(&path, limit).await) });
                }
                Effect::Send { id, request } => {
                    self.begin(id, async move { Event::Response(id, requests::send(request).await) });
                }
                // This world has nobody to ask.
                Effect::AskSource { id, .. } => {
                    self.begin(id, async move { Event::Source(id, Err(SourceFault::Absent)) });
                }
                Effect::Cancel { id } => self.underway.borrow_mut().retain(|(other, _)| *other != id),
            }
        }
    }

    fn begin(&self, id: u64, effect: impl Future<Output = Event> + 'static) {
        self.underway.borrow_mut().push((id, Box::pin(effect)));
        self.nudge();
    }

    fn nudge(&self) {
        self.changed.set(true);
        self.work.ring();
    }

    /// Sees to it that things go on.
    fn keep(self: &Rc<Self>) {
        if !self.kept.replace(true) {
            wit_bindgen::spawn_local(Keeper(Rc::clone(self)).work());
        }
    }

    /// The first of those under way that has come to its end.
    fn poll_underway(&self, context: &mut Context<'_>) -> Poll<Event> {
        let mut underway = self.underway.borrow_mut();
        let ended = underway.iter_mut().enumerate().find_map(|(index, (_, effect))| {
            match effect.as_mut().poll(context) {
                Poll::Ready(event) => Some((index, event)),
                Poll::Pending => None,
            }
        });
        let Some((index, event)) = ended else { return Poll::Pending };
        drop(underway.swap_remove(index));
        Poll::Ready(event)
    }
}

/// Does what is to be done, until the attempt under way, or the one to come, has ended. Who waits for more asks for another
/// keeper.
struct Keeper(Rc<Driver>);

impl Keeper {
    async fn work(self) {
        let driver = &*self.0;
        loop {
            let event = self.next().await;
            if driver.ended.get() {
                break;
            }
            driver.step(event);
            if !driver.machine.borrow().busy() {
                break;
            }
            driver.progress.ring();
        }
    }

    /// What happens next. An alarm is set anew each time, because each step may want another one.
    async fn next(&self) -> Event {
        let driver = &*self.0;
        let wake_at = driver.machine.borrow().wake_at(now());
        let mut alarm = pin!(async move {
            match wake_at {
                Some(moment) => monotonic_clock::wait_until(moment.saturating_mul(NS_PER_MS)).await,
                None => core::future::pending().await,
            }
        });
        driver.changed.set(false);
        let mut nudge = pin!(driver.work.until(|| driver.changed.get().then_some(Event::Tick)));
        poll_fn(|context| {
            if let Poll::Ready(event) = driver.poll_underway(context) {
                return Poll::Ready(event);
            }
            if let Poll::Ready(event) = nudge.as_mut().poll(context) {
                return Poll::Ready(event);
            }
            alarm.as_mut().poll(context).map(|()| Event::Tick)
        })
        .await
    }
}

/// At the end, and also when its task was given up: then somebody else has to go on.
impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.kept.set(false);
        self.0.progress.ring();
    }
}

const NS_PER_MS: u64 = 1_000_000;

fn now() -> Now {
    let wall = system_clock::now();
    // Before 1970 is as good as 1970.
    let seconds = u64::try_from(wall.seconds).unwrap_or_default();
    let wall_ms = seconds.saturating_mul(1_000).saturating_add(u64::from(wall.nanoseconds) / NS_PER_MS);
    Now { wall_ms, monotonic_ms: monotonic_clock::now() / NS_PER_MS }
}
