//! One connection in one worker: joins the engine's lease with what the workers share, and with the requests that wait.
//!
//! Every worker has a machine. It knows of the others' attempts by what they share, and begins one of its own only while it
//! leads. So due renewals, back-off and rejections are the engine's on each worker, and one of them acts.

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::error::Error;
use keyless_engine::io::{Effect, Now, SourceFault};
use keyless_engine::{Answered, Event, Machine};

use crate::calls::Call;
use crate::clusters::Clusters;
use crate::host::{self, Level};
use crate::metrics::Metrics;
use crate::ready::Ready;
use crate::reply;
use crate::service::{self, Rejected};
use crate::settings::{self, Settings};
use crate::shared::{HEARTBEAT_MS, Shared};
use crate::waiting::{PATIENCE_MS, Waiting};

/// Between two looks at what the others share. So long another worker may go on with a credential that was rejected.
const LOOK_MS: u64 = 250;

/// The same while requests wait.
const LOOK_SOON_MS: u64 = 20;

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on, with the credential.
    GoesOn,
    /// It is held back, or was answered.
    Stays,
}

pub(crate) struct Plugin {
    /// Envoy's number for it.
    root: u32,
    /// The API that its credential opens.
    base_url: String,
    /// Its name in Envoy's configuration.
    name: String,
    /// Whether it answers requests with the credential in place of sending them on with it.
    serves: bool,
    clusters: Clusters,
    machine: Machine,
    shared: Shared,
    leads: bool,
    calls: Vec<Call>,
    ready: Option<Ready>,
    waiting: Waiting,
    /// The largest number of a stream so far.
    newest: u32,
    metrics: Metrics,
}

impl Plugin {
    /// Reads the configuration. No request and nothing shared: Envoy also does this in an instance that it throws away.
    pub(crate) fn configure(root: u32, configuration: &[u8]) -> Result<Self, Error> {
        let given = host::variables();
        let mut parts: Vec<&[u8]> = Vec::from([configuration]);
        parts.extend(given.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
        let shared = Shared::new(&parts);
        let variables = settings::variables(given);
        let Settings { document, clusters, base_url, serves, warnings } =
            settings::read(configuration, &variables)?;
        let machine = Machine::open(document.expose(), &variables)?;
        for warning in warnings {
            say(Level::Warn, warning.code, &warning.message);
        }
        let name = host::property("plugin_name");
        let name = name.as_ref().and_then(|name| str::from_utf8(name).ok()).unwrap_or_default();
        let mut plugin = Self {
            root,
            base_url,
            name: name.into(),
            serves,
            clusters,
            machine,
            shared,
            leads: false,
            calls: Vec::new(),
            ready: None,
            waiting: Waiting::default(),
            // Contexts are numbered together: no request from before can have had a credential of this plugin.
            newest: root,
            metrics: Metrics::new(name),
        };
        // A static key is there from the beginning, and nothing ever happens to it.
        match plugin.machine.credential(host::now()) {
            Answered::Ready(credential) => plugin.ready = Some(Ready::new(&credential, 0)),
            _ => host::set_tick_period(1),
        }
        Ok(plugin)
    }

    pub(crate) fn root(&self) -> u32 {
        self.root
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Equal where the configuration is.
    pub(crate) fn fingerprint(&self) -> &str {
        self.shared.name()
    }

    /// A request has come. All there is to do for it while a credential is held.
    pub(crate) fn request(&mut self, stream: u32) -> Verdict {
        match &self.ready {
            Some(ready) if !self.serves => {
                self.newest = stream;
                ready.set();
                Verdict::GoesOn
            }
            _ => self.request_at_length(stream),
        }
    }

    /// Envoy has taken it away. Requests of another plugin may wait here: those that go by the same name, or all if all are
    /// alike.
    pub(crate) fn leave(&mut self) {
        self.turn_away_until(u64::MAX, &reply::not_yet("Envoy has replaced this plugin"));
    }

    #[cold]
    fn request_at_length(&mut self, stream: u32) -> Verdict {
        let now = host::now();
        let rejected = if self.serves { service::rejected() } else { None };
        if let Some(rejected) = &rejected {
            self.metrics.rejected();
            let generation = match rejected {
                Rejected::Generation(generation) => Some(*generation),
                Rejected::Injected => self.shared.told(),
            };
            self.machine.reject(now, generation.unwrap_or(0));
        }
        if !host::act_for(self.root) {
            // Nobody has noticed yet. What it asks for now would never be answered.
            self.turn_away(&reply::not_yet("Envoy has replaced this plugin"));
            return Verdict::Stays;
        }
        self.go_on(now, Event::Tick);
        self.settle(now);
        self.newest = stream;
        host::act_for(stream);
        if let Some(ready) = &self.ready
            && (rejected.is_none() || self.injector_has(ready.generation()))
        {
            return self.let_go(ready);
        }
        let refusal = match self.machine.credential(now) {
            Answered::Failed(error) if error.retry_after_ms().is_some_and(|ms| ms > PATIENCE_MS) => {
                Some(error)
            }
            _ if self.injector_has_an_ended_one(now) => Some(reply::not_yet("the last credential has ended")),
            _ if self.waiting.hold(stream, now.monotonic_ms, rejected.is_some()) => None,
            _ => Some(reply::not_yet("too many requests wait already")),
        };
        match refusal {
            Some(error) => self.turn_away(&error),
            None => {
                self.metrics.held_back();
                host::act_for(self.root);
                self.schedule(now);
            }
        }
        Verdict::Stays
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self) {
        let now = host::now();
        self.go_on(now, Event::Tick);
        self.settle(now);
    }

    /// An answer to a call has come.
    pub(crate) fn answer(&mut self, token: u32, headers: u32, body_size: usize) {
        let Some(at) = self.calls.iter().position(|call| call.has_token(token)) else { return };
        let event = self.calls.swap_remove(at).answered(headers, body_size);
        let now = host::now();
        self.go_on(now, event);
        self.settle(now);
    }

    /// The API answered 401 to the request of that stream.
    pub(crate) fn rejected(&mut self, stream: u32) {
        let Some(ready) = self.ready.as_ref().filter(|ready| ready.was_set_on(stream)) else { return };
        let (now, generation) = (host::now(), ready.generation());
        if !host::act_for(self.root) {
            return;
        }
        self.metrics.rejected();
        self.machine.reject(now, generation);
        self.go_on(now, Event::Tick);
        self.settle(now);
    }

    /// Takes everything as far as it goes.
    fn go_on(&mut self, now: Now, event: Event) {
        if !self.leads(now) {
            return;
        }
        let attempts = |machine: &Machine| {
            let counters = machine.status(now).counters;
            counters.renewals + counters.failures
        };
        let before = attempts(&self.machine);
        let mut events = Vec::from([event]);
        // What cannot be begun has ended, so an effect may be the next event.
        while let Some(event) = events.pop() {
            for effect in self.machine.step(now, event) {
                match self.perform(effect) {
                    Ok(Some(call)) => self.calls.push(call),
                    Ok(None) => {}
                    Err(event) => events.push(event),
                }
            }
        }
        if !self.machine.busy() {
            self.leads = false;
            self.shared.publish(&self.machine.carry());
            self.shared.leave_lead();
            // Deleting what is done with is no attempt.
            if attempts(&self.machine) != before {
                self.tell(now);
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Result<Option<Call>, Event> {
        match effect {
            Effect::ReadFile { id, path, limit } => {
                Call::read_file(self.clusters.of_files(), id, &path, limit).map(Some)
            }
            Effect::Send { id, request } => {
                Call::send(self.clusters.of_url(&request.url), id, &request).map(Some)
            }
            // Refused when the configuration is read.
            Effect::AskSource { id, .. } => Err(Event::Source(id, Err(SourceFault::Absent))),
            Effect::Cancel { id } => {
                self.calls.retain(|call| !call.has_id(id));
                Ok(None)
            }
        }
    }

    /// Whether the attempt under way, or the one that is due, is this worker's to make.
    fn leads(&mut self, now: Now) -> bool {
        if self.leads {
            if self.shared.keep_lead(now) {
                return true;
            }
            self.leads = false;
            self.calls.clear();
            self.machine.forget_attempt();
        }
        self.catch_up();
        if !self.machine.due(now) || !self.shared.take_lead(now) {
            return false;
        }
        // What the last one to lead left in the meantime.
        self.catch_up();
        self.leads = self.machine.due(now);
        if !self.leads {
            self.shared.leave_lead();
        }
        self.leads
    }

    /// Goes on from what another worker has published.
    fn catch_up(&mut self) {
        if let Some(state) = self.shared.news()
            && !self.machine.adopt(&state)
        {
            let message = "what the workers share is not Keyless'; give this plugin a `vm_id` of its own";
            say(Level::Error, "shared-data", message);
        }
    }

    /// Draws the consequences: the credential to set, requests that go on or are turned away, the next tick.
    fn settle(&mut self, now: Now) {
        match self.machine.credential(now) {
            Answered::Ready(credential) => {
                let known =
                    self.ready.as_ref().is_some_and(|ready| ready.generation() == credential.generation);
                if !known {
                    let since = self.waiting.first().unwrap_or(self.newest.saturating_add(1));
                    self.ready = Some(Ready::new(&credential, since));
                }
                self.release();
            }
            Answered::Pending => {
                self.ready = None;
                let last = self.machine.status(now).last_error.cloned();
                let error = last.unwrap_or_else(|| reply::not_yet("the request waited for 15 s"));
                self.turn_away_until(now.monotonic_ms, &error);
            }
            Answered::Failed(error) => {
                self.ready = None;
                let next = now.monotonic_ms.saturating_add(error.retry_after_ms().unwrap_or(0));
                self.turn_away_until(next, &error);
            }
        }
        self.schedule(now);
    }

    /// Lets everybody go on who waits.
    fn release(&mut self) {
        let Some(ready) = &self.ready else { return };
        if self.waiting.is_empty() {
            return;
        }
        let waiting = self.waiting.take_served(self.injector_has(ready.generation()));
        for stream in waiting {
            // One whose client has left is gone.
            if host::act_for(stream) && self.let_go(ready) == Verdict::GoesOn {
                host::resume_request();
            }
        }
        host::act_for(self.root);
    }

    /// Whether an attempt that is made now has this credential: Envoy's own injector asks for it now and then, if it asks.
    fn injector_has(&self, generation: u64) -> bool {
        !self.serves || self.shared.told().is_none_or(|told| told >= generation)
    }

    /// Whether it is Envoy's injector that asks, and it would go on with one that has ended for as long as it waits.
    fn injector_has_an_ended_one(&self, now: Now) -> bool {
        let ended = || self.machine.status(now).expires_at.is_some_and(|end| end <= now.wall_ms);
        self.serves
            && ended()
            && service::asks_for_secrets()
            && self.shared.told().is_some_and(|told| told > 0)
    }

    /// What a request came for, for the one that is acted for.
    fn let_go(&self, ready: &Ready) -> Verdict {
        if self.serves {
            if service::answer(ready, &self.name) {
                self.shared.tell(ready.generation());
            }
            return Verdict::Stays;
        }
        ready.set();
        Verdict::GoesOn
    }

    /// Answers those who cannot wait until that moment.
    fn turn_away_until(&mut self, moment: u64, error: &Error) {
        let impatient = self.waiting.take_impatient(moment);
        if impatient.is_empty() {
            return;
        }
        for stream in impatient {
            if host::act_for(stream) {
                self.turn_away(error);
            }
        }
        host::act_for(self.root);
    }

    fn turn_away(&self, error: &Error) {
        if self.serves {
            if service::refuse(error, &self.name) {
                self.shared.tell(0);
            }
        } else {
            reply::unavailable(error);
        }
        self.metrics.turned_away();
    }

    /// When to look again.
    fn schedule(&self, now: Now) {
        let until = |moment: u64| moment.saturating_sub(now.monotonic_ms).max(1);
        let wake = self.machine.wake_at(now).map(until);
        let period = if self.leads {
            wake.unwrap_or(HEARTBEAT_MS).min(HEARTBEAT_MS)
        } else {
            let look = if self.waiting.is_empty() { LOOK_MS } else { LOOK_SOON_MS };
            // What is due and not begun is another's, and then there will be news.
            wake.filter(|_| !self.machine.due(now)).unwrap_or(look).min(look)
        };
        let end = self.machine.status(now).expires_at.map(|end| end.saturating_sub(now.wall_ms).max(1));
        let period = end.filter(|_| self.ready.is_some()).unwrap_or(period).min(period);
        let deadline = self.waiting.next_deadline().map(until).unwrap_or(period);
        // At most half a second.
        host::set_tick_period(u32::try_from(period.min(deadline)).unwrap_or(1));
    }

    /// What became of an attempt, for the log and the metrics.
    fn tell(&self, now: Now) {
        let status = self.machine.status(now);
        self.metrics.ended(&status);
        match status.last_error {
            Some(error) => say(Level::Warn, error.code().as_str(), error.message()),
            None => {
                let message: String = format!("keyless: credential {} is there", status.generation);
                host::log(Level::Info, &message);
            }
        }
        for warning in status.warnings {
            say(Level::Warn, warning.code, &warning.message);
        }
    }
}

/// A line in Envoy's log, in the words of the command.
pub(crate) fn say(level: Level, code: &str, message: &str) {
    host::log(level, &format!("keyless: {code}: {message}"));
}
