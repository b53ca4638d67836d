//! One life of one connection: the engine in a world of simulated clocks, files, an endpoint and callers.
//!
//! After everything that happens the promises are checked that a connection makes ([`crate::promises`]).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_engine::io::{Effect, FileFault, Now, Response, SendFault};
use keyless_engine::secret::SecretBytes;
use keyless_engine::{Answered, Event, Machine, Variables};

use crate::plot::{BadFile, HOUR, Happening, MINUTE, Moment, Outage, SECOND, What};
use crate::promises::{Answer, Promises};

const DOCUMENT: &str = r#"{
  "source": {"type": "kubernetes", "token_file_path": "/token"},
  "exchange": {"type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"}
}"#;

/// 2027-01-15, in Unix milliseconds.
const EPOCH: u64 = 1_800_000_000_000;

/// A kubelet renews a token of an hour long before its end.
const TOKEN_LEFT: u64 = 30 * MINUTE;

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

/// A promise that was not kept, in words.
pub type Broken = String;

/// Lives the plot until `hours` are over.
pub fn live(plot: &[Happening], hours: u64) -> Result<Summary, Broken> {
    let mut life = Life::new();
    for happening in plot {
        life.pass_to(happening.at)?;
        life.happen(happening.what)?;
    }
    life.pass_to(hours * HOUR)?;
    Ok(Summary { hours, ..life.summary })
}

struct Life {
    /// True time, in milliseconds.
    time: Moment,
    /// For how long of it the machine slept.
    asleep: u64,
    /// What the wall clock is off by.
    off: i64,
    machine: Machine,
    world: World,
    flights: Vec<Flight>,
    look_at: Option<Moment>,
    promises: Promises,
    summary: Summary,
}

struct World {
    outage: Option<(Moment, Outage)>,
    bad_file: Option<(Moment, BadFile)>,
    latency: u64,
    lifetime: u64,
}

/// A request under way.
struct Flight {
    id: u64,
    sent: Now,
    arrives_at: Moment,
    lands_at: Moment,
    late: bool,
}

impl Life {
    fn new() -> Self {
        Self {
            time: 0,
            asleep: 0,
            off: 0,
            machine: machine(),
            world: World { outage: None, bad_file: None, latency: 20, lifetime: HOUR },
            flights: Vec::new(),
            look_at: None,
            promises: Promises::default(),
            summary: Summary::default(),
        }
    }

    fn now(&self) -> Now {
        Now {
            wall_ms: (EPOCH + self.time).saturating_add_signed(self.off),
            monotonic_ms: 1_000_000 + self.time - self.asleep,
        }
    }

    /// Through everything that comes by itself.
    fn pass_to(&mut self, moment: Moment) -> Result<(), Broken> {
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

    fn happen(&mut self, what: What) -> Result<(), Broken> {
        let time = self.time;
        match what {
            What::Outage { lasts, how } => {
                self.world.outage = Some((time + lasts, how));
                self.promises.trouble_until(time + lasts + aftermath(how));
            }
            What::BadFile { lasts, how } => {
                self.world.bad_file = Some((time + lasts, how));
                self.promises.trouble_until(time + lasts + aftermath(Outage::Unreachable));
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
                // Back to the truth every other time: a clock that is hours ahead makes every identity token look old.
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
                self.machine = machine();
                self.flights.clear();
                self.promises.restarted(time);
            }
            What::Call => self.call()?,
        }
        Ok(())
    }

    fn call(&mut self) -> Result<(), Broken> {
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
        if let Some(rejected) = self.promises.answered(self.time, now, &answer, !self.flights.is_empty())? {
            self.step(Event::Reject(rejected))?;
        }
        Ok(())
    }

    fn step(&mut self, event: Event) -> Result<(), Broken> {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let now = self.now();
            for effect in self.machine.step(now, event) {
                match effect {
                    Effect::ReadFile { id, .. } => events.push(Event::File(id, self.read())),
                    Effect::Send { id, request } => {
                        self.summary.exchanges += 1;
                        self.promises.sends(self.time, now, self.flights.len())?;
                        let silent = matches!(self.outage(), Some(Outage::Silent));
                        let late = silent || self.world.latency > request.timeout_ms;
                        let takes = if late { request.timeout_ms } else { self.world.latency };
                        self.flights.push(Flight {
                            id,
                            sent: now,
                            arrives_at: self.time + takes / 2,
                            lands_at: self.time + takes,
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
        let outage = self.outage();
        let lifetime = self.world.lifetime;
        let granted = !flight.late && outage.is_none();
        let token = format!("token-{}", self.summary.exchanges);
        let result = if flight.late { Err(SendFault::TimedOut) } else { respond(outage, &token, lifetime) };
        self.step(Event::Response(flight.id, result))?;
        let after = self.machine.status(self.now()).generation;
        if granted {
            self.promises.granted((before, after), &token, flight.sent, flight.arrives_at, lifetime)
        } else {
            let asked = match outage {
                Some(Outage::RetryAfter(seconds)) if !flight.late => seconds.saturating_mul(SECOND),
                _ => 0,
            };
            self.promises.failed((before, after), self.now(), asked)
        }
    }

    fn outage(&self) -> Option<Outage> {
        self.world.outage.filter(|(until, _)| self.time < *until).map(|(_, how)| how)
    }

    fn read(&self) -> Result<SecretBytes, FileFault> {
        let bad = self.world.bad_file.filter(|(until, _)| self.time < *until).map(|(_, how)| how);
        let left = match bad {
            Some(BadFile::Missing) => return Err(FileFault::Missing),
            Some(BadFile::Unreadable) => return Err(FileFault::Failed),
            Some(BadFile::Empty) => return Ok(Vec::new().into()),
            Some(BadFile::HalfWritten) => return Ok(b"eyJhbGciOiJFUzI1NiJ9.eyJpc3".to_vec().into()),
            Some(BadFile::Expired) => 0,
            None => TOKEN_LEFT,
        };
        let exp = (EPOCH + self.time + left) / 1_000 - u64::from(left == 0) * 60;
        let claims = format!(r#"{{"iss":"https://cluster.example","sub":"a","aud":"b","exp":{exp}}}"#);
        let token = format!("eyJhbGciOiJFUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        Ok(token.into_bytes().into())
    }
}

fn machine() -> Machine {
    Machine::open(DOCUMENT, &Variables::default()).unwrap()
}

/// How long after its end an outage may still be felt: the longest back-off, or what the endpoint itself asked for.
fn aftermath(how: Outage) -> u64 {
    let asked = match how {
        // No more than an hour is waited for, whoever asks, and a tenth on top.
        Outage::RetryAfter(seconds) => seconds.saturating_mul(SECOND).min(HOUR) * 11 / 10 + MINUTE,
        _ => 0,
    };
    asked.max(6 * MINUTE)
}

fn respond(outage: Option<Outage>, token: &str, lifetime: u64) -> Result<Response, SendFault> {
    let answer = |status, headers: &[(&str, String)], body: String| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Ok(Response { status, headers, body: body.into_bytes().into() })
    };
    match outage {
        None => {
            let seconds = lifetime / 1_000;
            let body =
                format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{seconds}}}"#);
            answer(200, &[], body)
        }
        Some(Outage::Unreachable | Outage::Silent) => Err(SendFault::Unreachable),
        Some(Outage::Status(status)) => answer(status, &[], "<html>".to_owned()),
        Some(Outage::RetryAfter(seconds)) => {
            answer(429, &[("retry-after", seconds.to_string())], String::new())
        }
        Some(Outage::Garbage) => answer(200, &[], "<html>".to_owned()),
        Some(Outage::NoToken) => answer(200, &[], r#"{"token_type":"Bearer","expires_in":3600}"#.to_owned()),
        Some(Outage::NoLifetime) => answer(200, &[], r#"{"access_token":"x","expires_in":-1}"#.to_owned()),
        Some(Outage::Refused) => answer(400, &[], r#"{"error":"invalid_grant"}"#.to_owned()),
    }
}
