//! Drives the engine with WASI: does its effects, hands it the answers, waits when there is nothing else to do.

use alloc::vec::Vec;

use keyless_engine::io::{Effect, Now};
use keyless_engine::{Answered, Event, Machine};
use wasi::clocks::{monotonic_clock, wall_clock};
use wasi::io::poll::{self, Pollable};

use super::requests::Exchange;
use super::{files, source};
use crate::bindings::keyless::credentials::types::{Account, Credential, Error, Prune, Status};
use crate::convert;

/// One connection and what it has under way.
pub(crate) struct Driver {
    machine: Machine,
    exchanges: Vec<(u64, Exchange)>,
}

impl Driver {
    pub(crate) fn new(machine: Machine) -> Self {
        Self { machine, exchanges: Vec::new() }
    }

    /// See the contract: at once while a usable one is held.
    pub(crate) fn credential(&mut self) -> Result<Credential, Error> {
        loop {
            let now = self.progress();
            match self.machine.credential(now) {
                Answered::Ready(credential) => return Ok(convert::credential(&credential)),
                Answered::Failed(error) => return Err(convert::error(error)),
                Answered::Pending => self.wait(),
            }
        }
    }

    /// See the contract: after the renewal that is due or under way.
    pub(crate) fn renew(&mut self) -> Result<Credential, Error> {
        self.progress();
        while self.machine.busy() {
            self.wait();
            self.progress();
        }
        self.credential()
    }

    pub(crate) fn reject(&mut self, generation: u64) {
        self.step(now(), Event::Reject(generation));
    }

    pub(crate) fn status(&self) -> Status {
        convert::status(&self.machine.status(now()))
    }

    /// See the contract: waits for the Admin API.
    pub(crate) fn accounts(&mut self, prune: Prune) -> Result<Vec<Account>, Error> {
        self.machine.survey(now(), convert::prune(prune)).map_err(convert::error)?;
        loop {
            self.progress();
            if let Some(surveyed) = self.machine.surveyed() {
                return convert::accounts(surveyed);
            }
            self.wait();
        }
    }

    /// See the contract: deletes what the connection made.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.machine.close(now());
        loop {
            self.progress();
            if let Some(closed) = self.machine.closed() {
                return closed.map_err(|error| convert::error(error.clone()));
            }
            self.wait();
        }
    }

    fn step(&mut self, moment: Now, event: Event) {
        let mut next = Some((moment, event));
        let mut events = Vec::new();
        // A file is read and a source is asked on the spot, so an effect may be the next event.
        while let Some((moment, event)) = next {
            for effect in self.machine.step(moment, event) {
                match effect {
                    Effect::ReadFile { id, path, limit } => {
                        events.push(Event::File(id, files::read(&path, limit)));
                    }
                    Effect::Send { id, request } => self.exchanges.push((id, Exchange::start(request))),
                    Effect::AskSource { id, audience } => {
                        events.push(Event::Source(id, source::ask(audience)));
                    }
                    Effect::Cancel { id } => self.exchanges.retain(|(other, _)| *other != id),
                }
            }
            next = events.pop().map(|event| (now(), event));
        }
    }

    /// Takes everything as far as it goes without waiting. The moment at which that was.
    ///
    /// While a credential is held and nothing is due this is all that a call does: the clocks are read once.
    fn progress(&mut self) -> Now {
        // Time passed: pauses end, a renewal becomes due, an attempt takes too long.
        let (mut event, mut at_rest) = (Event::Tick, false);
        loop {
            let moment = now();
            self.step(moment, event);
            if at_rest || self.exchanges.is_empty() {
                return moment;
            }
            let ended = self
                .exchanges
                .iter_mut()
                .enumerate()
                .find_map(|(index, (_, exchange))| exchange.progress().map(|result| (index, result)));
            event = match ended {
                Some((index, result)) => {
                    let (id, _) = self.exchanges.swap_remove(index);
                    if self.exchanges.is_empty() {
                        // Room for four is a good part of what a connection at rest would hold.
                        self.exchanges = Vec::new();
                    }
                    Event::Response(id, result)
                }
                None => Event::Tick,
            };
            at_rest = matches!(event, Event::Tick);
        }
    }

    /// Sleeps until something under way goes on, or the engine wants to look at the clock.
    fn wait(&self) {
        let mut pollables: Vec<Pollable> =
            self.exchanges.iter().map(|(_, exchange)| exchange.pollable()).collect();
        let wake_at = self.machine.wake_at(now()).map(|moment| moment.saturating_mul(NS_PER_MS));
        let deadlines = self.exchanges.iter().map(|(_, exchange)| exchange.deadline_ns());
        if let Some(moment) = deadlines.chain(wake_at).min() {
            pollables.push(monotonic_clock::subscribe_instant(moment));
        }
        let pollables: Vec<&Pollable> = pollables.iter().collect();
        // Polling nothing would trap; an engine that waits for nothing at all does not exist, and if it did it would spin.
        if !pollables.is_empty() {
            poll::poll(&pollables);
        }
    }
}

const NS_PER_MS: u64 = 1_000_000;

fn now() -> Now {
    let wall = wall_clock::now();
    let wall_ms = wall.seconds.saturating_mul(1_000).saturating_add(u64::from(wall.nanoseconds) / NS_PER_MS);
    Now { wall_ms, monotonic_ms: monotonic_clock::now() / NS_PER_MS }
}
