//! A host around an [`Engine`]: it drives it as `guest/component` does, but clocks, files and network are simulated here.

use anyhow::Result;
use keyless_engine::Event;
use keyless_engine::io::{Effect, FileFault, Now, Request, Response, SendFault, SourceFault};
use keyless_engine::secret::{Secret, SecretBytes};

use super::engine::Engine;
use super::{Host, Pairs};
use crate::scenario::traffic::Fault;
use crate::trace::{Credential, Plan, Problem, Status};
use crate::world::World;
use crate::world::disk::Change;
use crate::world::flights::Flights;
use crate::world::script::{Arrived, What};
use crate::world::timeline::Timeline;

pub struct Driven<E> {
    world: World,
    time: Timeline,
    engine: E,
    granted: Vec<String>,
    /// By the effect's id, and how long the answer's body may be.
    flights: Flights<(u64, usize)>,
    /// Grows whenever the outside world gets a chance to act: with every call, and with every wait inside one.
    turn: u64,
}

impl<E: Engine> Driven<E> {
    pub fn new(world: World, engine: E) -> Self {
        let time = Timeline::new(world.start);
        Self { world, time, engine, granted: Vec::new(), flights: Flights::default(), turn: 0 }
    }

    fn step(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let now = self.time.now();
            for effect in self.engine.step(now, event) {
                match effect {
                    Effect::ReadFile { id, path, limit } => {
                        events.push(Event::File(id, self.read(&path, limit)));
                    }
                    Effect::Send { id, request } => self.send(id, &request),
                    Effect::AskSource { id, audience } => {
                        events.push(Event::Source(id, self.ask_source(audience.as_deref())));
                    }
                    Effect::Cancel { id } => self.flights.retain(|(other, _)| *other != id),
                }
            }
        }
    }

    fn progress(&mut self) {
        self.flights.hand_over(&self.world, self.turn);
        while let Some(((id, limit), what)) = self.flights.land(self.time.now(), self.turn) {
            self.step(Event::Response(id, response(what, limit)));
            // What follows from an answer is sent at once.
            self.flights.hand_over(&self.world, self.turn);
        }
        self.step(Event::Tick);
    }

    fn wait(&mut self) {
        self.turn += 1;
        let now = self.time.now();
        let until = self.flights.next(now).into_iter().chain(self.engine.wake_at(now)).min();
        let until = until.expect("a machine that is busy waits for something");
        self.time.pass_to(until, &self.world.disk);
    }

    fn settled(&mut self) -> Result<Credential, Problem> {
        self.step(Event::Tick);
        loop {
            self.progress();
            match self.engine.credential(self.time.now())? {
                Some(credential) => return Ok(credential),
                None => self.wait(),
            }
        }
    }

    fn send(&mut self, id: u64, request: &Request) {
        let arrived = Arrived {
            method: request.method.to_owned(),
            url: request.url.clone(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.expose().to_owned()))
                .collect(),
            body: request.body.to_vec(),
        };
        self.flights.send((id, request.response_limit), arrived, self.time.now(), request.timeout_ms);
    }

    fn ask_source(&self, audience: Option<&str>) -> Result<Secret, SourceFault> {
        let mut source = self.world.source().ok_or(SourceFault::Absent)?;
        source.token(audience).map(Secret::new).map_err(SourceFault::Failed)
    }

    fn read(&self, path: &str, limit: usize) -> Result<SecretBytes, FileFault> {
        let content = self.world.disk.read(path, &self.granted)?;
        if content.len() > limit { Err(FileFault::TooLarge) } else { Ok(content.into()) }
    }
}

impl<E: Engine> Host for Driven<E> {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        self.engine.variables(document)
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        self.engine.plan(document, variables)
    }

    fn open(&mut self, document: &str, variables: &Pairs, files: &[String]) -> Result<(), Problem> {
        self.engine.open(document, variables)?;
        self.granted = files.to_vec();
        Ok(())
    }

    fn credential(&mut self) -> Result<Credential, Problem> {
        self.turn += 1;
        self.settled()
    }

    fn renew(&mut self) -> Result<Credential, Problem> {
        self.turn += 1;
        self.step(Event::Tick);
        self.progress();
        while self.engine.busy() {
            self.wait();
            self.progress();
        }
        self.settled()
    }

    fn reject(&mut self, generation: u64) {
        self.turn += 1;
        self.step(Event::Reject(generation));
    }

    fn status(&mut self) -> Status {
        self.engine.status(self.time.now())
    }

    fn close(&mut self) -> Vec<String> {
        self.engine.close()
    }

    fn now(&self) -> Now {
        self.time.now()
    }

    fn pass(&mut self, ms: u64) {
        self.time.pass_to(self.time.now().monotonic_ms + ms, &self.world.disk);
    }

    fn shift_wall(&mut self, ms: i64) {
        self.time.shift_wall(ms);
    }

    fn later(&mut self, ms: u64, change: Change) {
        self.time.later(ms, change);
    }
}

fn response(what: What, limit: usize) -> Result<Response, SendFault> {
    match what {
        What::Stall => Err(SendFault::TimedOut),
        What::Fault(fault) => Err(send_fault(fault)),
        What::Answer { body, .. } if body.len() > limit => Err(SendFault::TooLarge),
        What::Answer { status, headers, body } => Ok(Response { status, headers, body: body.into() }),
    }
}

fn send_fault(fault: Fault) -> SendFault {
    match fault {
        Fault::Denied => SendFault::Denied,
        Fault::Unresolved => SendFault::Unresolved,
        Fault::Unreachable => SendFault::Unreachable,
        Fault::Untrusted => SendFault::Untrusted,
        Fault::TimedOut => SendFault::TimedOut,
        Fault::Broken => SendFault::Broken,
        Fault::NoCertificate => SendFault::NoCertificate,
        Fault::TooLarge => SendFault::TooLarge,
    }
}
