//! The engine alone. It is driven as `guest/component` drives it, but clocks, files and network are simulated here.

use std::fs;
use std::io::ErrorKind;

use anyhow::Result;
use keyless_engine::io::{Effect, FileFault, Now, Request, Response, SendFault, SourceFault};
use keyless_engine::lease::Phase;
use keyless_engine::plan::{self, Warning};
use keyless_engine::secret::{Secret, SecretBytes};
use keyless_engine::{Answered, Error, Event, Kind, Machine, Variables};

use super::{Host, Pairs};
use crate::scenario::traffic::Fault;
use crate::trace::{Credential, Plan, Problem, SourceComponent, Status};
use crate::world::World;
use crate::world::disk::{Change, parent};
use crate::world::script::{Arrived, What};

pub struct Native {
    world: World,
    now: Now,
    machine: Option<Machine>,
    granted: Vec<String>,
    flights: Vec<Flight>,
    /// Monotonic moment, and what happens then.
    changes: Vec<(u64, Change)>,
    /// Grows whenever the outside world gets a chance to act: with every call, and with every wait inside one.
    turn: u64,
}

/// A request under way.
struct Flight {
    id: u64,
    sent_at: u64,
    timeout_ms: u64,
    response_limit: usize,
    stage: Stage,
}

enum Stage {
    /// The adapter writes the body when it next makes progress.
    Uploading(Arrived),
    /// Handed over in that turn. An answer takes at least until the next one.
    Landing { handed_over: u64, at: u64, result: Result<Response, SendFault> },
}

impl Native {
    pub fn new(world: World) -> Self {
        let now = world.start;
        let (granted, flights, changes) = (Vec::new(), Vec::new(), Vec::new());
        Self { world, now, machine: None, granted, flights, changes, turn: 0 }
    }

    fn machine(&self) -> &Machine {
        self.machine.as_ref().expect("an open connection")
    }

    fn step(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let now = self.now;
            for effect in self.machine.as_mut().expect("an open connection").step(now, event) {
                match effect {
                    Effect::ReadFile { id, path, limit } => {
                        events.push(Event::File(id, self.read(&path, limit)));
                    }
                    Effect::Send { id, request } => self.send(id, &request),
                    Effect::AskSource { id, audience } => {
                        events.push(Event::Source(id, self.ask_source(audience.as_deref())));
                    }
                    Effect::Cancel { id } => self.flights.retain(|flight| flight.id != id),
                }
            }
        }
    }

    fn progress(&mut self) {
        for flight in &mut self.flights {
            flight.hand_over(&self.world, self.turn);
        }
        let (now, turn) = (self.now.monotonic_ms, self.turn);
        while let Some(index) = self.flights.iter().position(
            |flight| matches!(flight.stage, Stage::Landing { handed_over, at, .. } if handed_over < turn && at <= now),
        ) {
            let flight = self.flights.swap_remove(index);
            let Stage::Landing { result, .. } = flight.stage else { unreachable!() };
            self.step(Event::Response(flight.id, result));
        }
        self.step(Event::Tick);
    }

    fn wait(&mut self) {
        self.turn += 1;
        let landings = self.flights.iter().map(|flight| match flight.stage {
            Stage::Landing { at, .. } => at,
            Stage::Uploading(_) => self.now.monotonic_ms,
        });
        let until = landings.chain(self.machine().wake_at(self.now)).min();
        self.pass_to(until.expect("a machine that is busy waits for something"));
    }

    fn settled(&mut self) -> Result<Credential, Problem> {
        self.step(Event::Tick);
        loop {
            self.progress();
            match self.machine().credential(self.now) {
                Answered::Ready(credential) => {
                    return Ok(Credential {
                        headers: credential
                            .headers
                            .iter()
                            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
                            .collect(),
                        base_url: credential.base_url.to_owned(),
                        generation: credential.generation,
                        renew_at: credential.renew_at,
                        expires_at: credential.expires_at,
                    });
                }
                Answered::Failed(error) => return Err(problem(&error)),
                Answered::Pending => self.wait(),
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
        self.flights.push(Flight {
            id,
            sent_at: self.now.monotonic_ms,
            timeout_ms: request.timeout_ms,
            response_limit: request.response_limit,
            stage: Stage::Uploading(arrived),
        });
    }

    fn ask_source(&self, audience: Option<&str>) -> Result<Secret, SourceFault> {
        let mut source = self.world.source().ok_or(SourceFault::Absent)?;
        source.token(audience).map(Secret::new).map_err(SourceFault::Failed)
    }

    fn read(&self, path: &str, limit: usize) -> Result<SecretBytes, FileFault> {
        if !self.granted.iter().any(|file| parent(file) == parent(path)) {
            return Err(FileFault::Denied);
        }
        let real = self.world.disk.real(path);
        let directory = self.world.disk.real(parent(path));
        let fault = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => FileFault::Missing,
            _ => FileFault::Failed,
        };
        // A link that leads out of the directory leads to what was not granted.
        let target = real.canonicalize().map_err(fault)?;
        if !target.starts_with(directory.canonicalize().map_err(fault)?) {
            return Err(FileFault::Denied);
        }
        if !target.is_file() {
            return Err(FileFault::NotAFile);
        }
        let content = fs::read(target).map_err(fault)?;
        if content.len() > limit { Err(FileFault::TooLarge) } else { Ok(content.into()) }
    }

    /// To a monotonic moment, and through everything that happens until then.
    fn pass_to(&mut self, moment: u64) {
        self.changes.sort_by_key(|(at, _)| *at);
        while self.changes.first().is_some_and(|(at, _)| *at <= moment) {
            let (at, change) = self.changes.remove(0);
            self.tick_to(at);
            self.world.disk.apply(&change).unwrap();
        }
        self.tick_to(moment);
    }

    fn tick_to(&mut self, moment: u64) {
        let passed = moment.saturating_sub(self.now.monotonic_ms);
        self.now = Now { wall_ms: self.now.wall_ms + passed, monotonic_ms: self.now.monotonic_ms + passed };
    }
}

impl Flight {
    /// The request arrives, unless it has arrived before.
    fn hand_over(&mut self, world: &World, turn: u64) {
        let Stage::Uploading(arrived) = &self.stage else { return };
        let reply = world.script().arrive(arrived, self.sent_at - world.start.monotonic_ms);
        // Too late is as good as never.
        let in_time = !matches!(reply.what, What::Stall) && reply.after_ms <= self.timeout_ms;
        let after_ms = if in_time { reply.after_ms } else { self.timeout_ms };
        let result = match reply.what {
            _ if !in_time => Err(SendFault::TimedOut),
            What::Stall => unreachable!("never in time"),
            What::Fault(fault) => Err(send_fault(fault)),
            What::Answer { body, .. } if body.len() > self.response_limit => Err(SendFault::TooLarge),
            What::Answer { status, headers, body } => Ok(Response { status, headers, body: body.into() }),
        };
        self.stage = Stage::Landing { handed_over: turn, at: self.sent_at + after_ms, result };
    }
}

impl Host for Native {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        keyless_engine::variables(document).map_err(|error| problem(&error))
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        let (dialect, plan) =
            keyless_engine::plan(document, &given(variables)).map_err(|error| problem(&error))?;
        Ok(Plan {
            dialect: dialect.as_str().to_owned(),
            settings: plan
                .settings
                .into_iter()
                .map(|setting| (setting.name, setting.value, setting.origin.as_str().to_owned()))
                .collect(),
            warnings: warnings(&plan.warnings),
            endpoints: plan
                .requirements
                .endpoints
                .into_iter()
                .map(|endpoint| (endpoint.method.to_owned(), endpoint.url))
                .collect(),
            files: plan.requirements.files,
            variables: plan.requirements.variables,
            client_certificate: plan
                .requirements
                .client_certificate
                .map(|certificate| (certificate.certificate_file, certificate.private_key_file)),
            source_component: plan.requirements.source_component.map(source_component),
        })
    }

    fn open(&mut self, document: &str, variables: &Pairs, files: &[String]) -> Result<(), Problem> {
        let machine = Machine::open(document, &given(variables)).map_err(|error| problem(&error))?;
        (self.machine, self.granted) = (Some(machine), files.to_vec());
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
        while self.machine().busy() {
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
        let status = self.machine().status(self.now);
        let phase = match status.phase {
            Phase::Idle => "idle",
            Phase::Acquiring => "acquiring",
            Phase::Fresh => "fresh",
            Phase::Renewing => "renewing",
            Phase::Waiting => "waiting",
            Phase::Failed => "failed",
        };
        Status {
            phase: phase.to_owned(),
            generation: status.generation,
            renewals: status.counters.renewals,
            failures: status.counters.failures,
            failures_in_a_row: status.counters.failures_in_a_row,
            next_attempt_at: status.next_attempt_at,
            expires_at: status.expires_at,
            last_error: status.last_error.map(problem),
            warnings: warnings(status.warnings),
        }
    }

    fn close(&mut self) -> Vec<String> {
        self.machine = None;
        Vec::new()
    }

    fn now(&self) -> Now {
        self.now
    }

    fn pass(&mut self, ms: u64) {
        self.pass_to(self.now.monotonic_ms + ms);
    }

    fn shift_wall(&mut self, ms: i64) {
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(ms);
    }

    fn later(&mut self, ms: u64, change: Change) {
        self.changes.push((self.now.monotonic_ms + ms, change));
    }
}

fn given(variables: &Pairs) -> Variables {
    variables.iter().cloned().collect()
}

fn source_component(component: plan::SourceComponent) -> SourceComponent {
    let endpoint = |endpoint: plan::Endpoint| format!("{} {}", endpoint.method, endpoint.url);
    SourceComponent {
        path: component.path,
        endpoints: component.endpoints.into_iter().map(endpoint).collect(),
        files: component.files,
        variables: component.variables,
    }
}

pub fn problem(error: &Error) -> Problem {
    let kind = match error.kind() {
        Kind::Invalid => "invalid",
        Kind::Denied => "denied",
        Kind::Identity => "identity",
        Kind::Rejected => "rejected",
        Kind::Unavailable => "unavailable",
    };
    Problem {
        kind: kind.to_owned(),
        code: error.code().as_str().to_owned(),
        message: error.message().to_owned(),
        retry_after_ms: error.retry_after_ms(),
    }
}

fn warnings(warnings: &[Warning]) -> Vec<(String, String)> {
    warnings.iter().map(|warning| (warning.code.to_owned(), warning.message.clone())).collect()
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
