//! One life of one connection: the engine in a world of simulated clocks, files, an endpoint and callers.
//!
//! After everything that happens the promises are checked that a connection makes ([`crate::promises`]).

use std::collections::BTreeSet;
use std::fmt;

use keyless_engine::io::{Effect, Now, SendFault};
use keyless_engine::machine::Status;
use keyless_engine::secret::SecretBytes;
use keyless_engine::{Answered, Event, Machine, Variables};

use crate::plot::{HOUR, Happening, MINUTE, Moment, Outage, SECOND, What};
use crate::promises::{Answer, Promises};
use crate::world::{EPOCH, Verdict, World};

/// A connection without a word about renewal.
pub const DOCUMENT: &str = r#"{
  "source": {"type": "kubernetes", "token_file_path": "/token"},
  "exchange": {"type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"}
}"#;

/// A host looks at its clocks at least this often, because a suspended machine's timers are late.
const LOOK: u64 = 30 * SECOND;

/// What a life was like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    pub hours: u64,
    pub exchanges: u64,
    pub calls: u64,
    pub served: u64,
}

impl Summary {
    /// Two lives as one.
    pub fn add(&mut self, other: Self) {
        self.hours += other.hours;
        self.exchanges += other.exchanges;
        self.calls += other.calls;
        self.served += other.served;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hours, exchanges, calls, served } = self;
        write!(
            f,
            "{hours} simulated hours: {exchanges} exchanges, {calls} calls, {served} of them with a credential"
        )
    }
}

/// What callers got.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub ready: u64,
    pub pending: u64,
    pub failed: u64,
    /// Of the failures.
    pub codes: BTreeSet<&'static str>,
}

/// A promise that was not kept, in words.
pub type Broken = String;

/// Lives the plot until `hours` are over.
pub fn live(plot: &[Happening], hours: u64) -> Result<Summary, Broken> {
    let mut life = Life::new(DOCUMENT);
    for happening in plot {
        life.pass_to(happening.at)?;
        life.happen(happening.what)?;
    }
    life.pass_to(hours * HOUR)?;
    Ok(Summary { hours, ..life.summary })
}

/// A connection in the world. Every method that can break a promise says which.
pub struct Life {
    document: String,
    /// True time, in milliseconds.
    pub time: Moment,
    /// For how long of it the machine slept.
    asleep: u64,
    /// What the wall clock is off by.
    off: i64,
    machine: Machine,
    pub world: World,
    flights: Vec<Flight>,
    look_at: Option<Moment>,
    promises: Promises,
    pub summary: Summary,
    /// When each request was sent.
    pub sent: Vec<Moment>,
    /// The body of the last one that arrived.
    pub last_request: Vec<u8>,
    /// How often the token file was read.
    pub readings: u64,
}

/// A request under way.
struct Flight {
    id: u64,
    sent: Now,
    arrives_at: Moment,
    lands_at: Moment,
    body: SecretBytes,
    late: bool,
}

impl Life {
    /// Nothing has happened yet, and nobody has called.
    #[must_use]
    pub fn new(document: &str) -> Self {
        Self {
            document: document.to_owned(),
            time: 0,
            asleep: 0,
            off: 0,
            machine: open(document),
            world: World::default(),
            flights: Vec::new(),
            look_at: None,
            promises: Promises::default(),
            summary: Summary::default(),
            sent: Vec::new(),
            last_request: Vec::new(),
            readings: 0,
        }
    }

    /// What the machine's clocks show.
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            wall_ms: (EPOCH + self.time).saturating_add_signed(self.off),
            monotonic_ms: 1_000_000 + self.time - self.asleep,
        }
    }

    /// What the connection says of itself.
    #[must_use]
    pub fn status(&self) -> Status<'_> {
        self.machine.status(self.now())
    }

    /// So many milliseconds pass.
    pub fn pass(&mut self, ms: u64) -> Result<(), Broken> {
        self.pass_to(self.time + ms)
    }

    /// Through everything that comes by itself.
    pub fn pass_to(&mut self, moment: Moment) -> Result<(), Broken> {
        let mut at_once = 0;
        loop {
            let landing = self.flights.iter().map(|flight| flight.lands_at).min();
            let now = self.now();
            let wake = self.machine.wake_at(now);
            self.promises.is_awake(wake.is_some() || !self.flights.is_empty())?;
            let wake = wake.map(|at| self.time + at.saturating_sub(now.monotonic_ms));
            let next = [landing, wake, self.look_at].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= moment) else { break };
            at_once = if next <= self.time { at_once + 1 } else { 0 };
            if at_once > 100 {
                return Err(format!("it spins at {}", self.time));
            }
            self.time = self.time.max(next);
            if self.look_at.is_some_and(|at| at <= self.time) {
                self.look_at = None;
            }
            match self.flights.iter().position(|flight| flight.lands_at <= self.time) {
                Some(index) => self.land(index)?,
                None => self.step(Event::Tick)?,
            }
        }
        self.time = self.time.max(moment);
        Ok(())
    }

    /// Something happens now.
    pub fn happen(&mut self, what: What) -> Result<(), Broken> {
        let time = self.time;
        match what {
            What::Outage { lasts, how } => {
                self.world.outage = Some((time + lasts, how));
                self.promises.trouble_until(time + lasts + aftermath(how));
                if let Outage::RetryAfter(_) | Outage::RetryAfterDate(_) = how {
                    self.promises.pause_goes_on(time + lasts + aftermath(how));
                }
            }
            What::BadFile { lasts, how } => {
                self.world.bad_file = Some((time + lasts, how));
                self.promises.trouble_until(time + lasts + aftermath(Outage::Silent));
            }
            What::RotateKeys { late } => {
                self.world.keys = (time, time + late);
                self.promises.trouble_until(time + late + aftermath(Outage::Refused));
            }
            What::Latency(latency) => self.world.latency = latency,
            What::Lifetime(lifetime) => {
                self.world.lifetime = lifetime;
                self.promises.lifetime(lifetime);
            }
            What::Suspend(lasts) => {
                self.time += lasts;
                self.asleep += lasts;
                self.look_at = Some(self.time);
                self.promises.slept(time, lasts);
            }
            What::SetClock(by) => {
                // Back to the truth every other time, as NTP would have it.
                self.off = if self.off == 0 { by } else { 0 };
                self.look_at = Some(time + LOOK);
                self.promises.clock_set(by < 0 || self.off == 0, self.off, time);
            }
            What::Revoke => self.promises.revoked(),
            What::LateRefusal => {
                let current = self.machine.status(self.now()).generation;
                self.step(Event::Reject(current.saturating_sub(1)))?;
                self.call()?;
            }
            What::Restart => {
                self.machine = open(&self.document);
                self.flights.clear();
                self.promises.restarted(time);
            }
            What::Call => {
                self.call()?;
            }
        }
        Ok(())
    }

    /// A caller asks, and goes away with what it gets. Where the API refuses that, it says so.
    pub fn call(&mut self) -> Result<Answer, Broken> {
        self.step(Event::Tick)?;
        self.summary.calls += 1;
        let now = self.now();
        let answer = match self.machine.credential(now) {
            Answered::Ready(credential) => {
                self.summary.served += 1;
                let token = credential.headers.first().map_or("", |(_, value)| value.expose());
                Answer::Ready { generation: credential.generation, token: token.to_owned() }
            }
            Answered::Pending => Answer::Pending,
            Answered::Failed(error) => Answer::Failed(error.code().as_str()),
        };
        if let Some(rejected) = self.promises.answered(self.time, now, &answer, self.machine.busy())? {
            self.step(Event::Reject(rejected))?;
        }
        Ok(answer)
    }

    /// A caller asks every so many milliseconds, for so long. What they got.
    pub fn calls(&mut self, every: u64, lasts: u64) -> Result<Tally, Broken> {
        let (mut tally, end) = (Tally::default(), self.time + lasts);
        while self.time < end {
            match self.call()? {
                Answer::Ready { .. } => tally.ready += 1,
                Answer::Pending => tally.pending += 1,
                Answer::Failed(code) => {
                    tally.failed += 1;
                    tally.codes.insert(code);
                }
            }
            self.pass(every)?;
        }
        Ok(tally)
    }

    /// The API refuses the credential of that generation.
    pub fn reject(&mut self, generation: u64) -> Result<(), Broken> {
        self.step(Event::Reject(generation))
    }

    fn step(&mut self, event: Event) -> Result<(), Broken> {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let now = self.now();
            for effect in self.machine.step(now, event) {
                match effect {
                    Effect::ReadFile { id, .. } => {
                        self.readings += 1;
                        events.push(Event::File(id, self.world.file(self.time)));
                    }
                    Effect::Send { id, request } => {
                        self.summary.exchanges += 1;
                        self.sent.push(self.time);
                        self.promises.sends(self.time, now, self.flights.len())?;
                        let silent = matches!(self.world.outage(self.time), Some(Outage::Silent));
                        let late = silent || self.world.latency > request.timeout_ms;
                        let takes = if late { request.timeout_ms } else { self.world.latency };
                        self.flights.push(Flight {
                            id,
                            sent: now,
                            arrives_at: self.time + takes / 2,
                            lands_at: self.time + takes,
                            body: request.body,
                            late,
                        });
                    }
                    Effect::Cancel { id } => self.flights.retain(|flight| flight.id != id),
                    Effect::AskSource { .. } => return Err("nobody is to be asked".to_owned()),
                }
            }
        }
        Ok(())
    }

    fn land(&mut self, index: usize) -> Result<(), Broken> {
        let flight = self.flights.swap_remove(index);
        let before = self.machine.status(self.now()).generation;
        let Verdict { result, token, pause } = if flight.late {
            Verdict { result: Err(SendFault::TimedOut), token: None, pause: 0 }
        } else {
            self.world.answer(self.time, &flight.body)
        };
        self.last_request = flight.body.to_vec();
        self.promises.answers(result.is_ok());
        self.step(Event::Response(flight.id, result))?;
        let after = self.machine.status(self.now()).generation;
        match token {
            Some(token) => {
                let lifetime = self.world.lifetime;
                self.promises.granted((before, after), &token, flight.sent, flight.arrives_at, lifetime)
            }
            None => self.promises.failed((before, after), self.now(), pause),
        }
    }
}

fn open(document: &str) -> Machine {
    Machine::open(document, &Variables::default()).unwrap()
}

/// How long after its end an outage may still be felt: the longest back-off, or what the endpoint itself asked for.
fn aftermath(how: Outage) -> u64 {
    let asked = match how {
        // No more than an hour is waited for, whoever asks, and a tenth on top.
        Outage::RetryAfter(seconds) | Outage::RetryAfterDate(seconds) => {
            seconds.saturating_mul(SECOND).min(HOUR) * 11 / 10 + MINUTE
        }
        _ => 0,
    };
    asked.max(6 * MINUTE)
}
