//! The engine as adapters see it: one connection, driven by [`Machine::step`].
//!
//! An adapter tells what happened and when, does the effects it gets back, and asks for the credential. It needs no
//! runtime, no threads and no timers of its own beyond [`Machine::wake_at`]. What else a connection may have to do, for the
//! keys that it makes itself, is in [`errands`].

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::attempt::{self, Outcome};
use crate::audience;
use crate::carry::{self, Reader, Writer};
use crate::connection::{Auth, Connection};
use crate::document;
use crate::entropy::Entropy;
use crate::error::{Code, Error, Kind};
use crate::io::{Answer, Effect, FileFault, Io, Now, Response, SendFault, SourceFault};
use crate::key::Key;
use crate::lease::{Counters, Lease, Pace, Phase, Standing};
use crate::minting::Ledger;
use crate::plan::Warning;
use crate::secret::{Secret, SecretBytes};
use crate::variables::Variables;
use errands::Errands;

/// An attempt that takes longer is given up, whatever the adapter is still doing.
const ATTEMPT_TIMEOUT_MS: u64 = 30_000;

/// What happened.
pub enum Event {
    /// Time passed.
    Tick,
    /// [`Effect::ReadFile`] ended.
    File(u64, Result<SecretBytes, FileFault>),
    /// [`Effect::Send`] ended.
    Response(u64, Result<Response, SendFault>),
    /// [`Effect::AskSource`] ended.
    Source(u64, Result<Secret, SourceFault>),
    /// The API answered 401 to the credential of this generation.
    Reject(u64),
}

/// What the caller of [`Machine::credential`] gets.
pub enum Answered<'a> {
    /// Ready to use.
    Ready(Credential<'a>),
    /// An attempt is under way: do its effects, then ask again.
    Pending,
    /// There is none, and there will be none before the next attempt.
    Failed(Error),
}

/// A credential, as long as the machine holds it.
pub struct Credential<'a> {
    /// The one that authenticates first.
    pub headers: &'a [(String, Secret)],
    /// The API they open.
    pub base_url: &'a str,
    /// From 1 up.
    pub generation: u64,
    /// Unix milliseconds: when `step` has something to do next. None: never.
    pub renew_at: Option<u64>,
    /// Unix milliseconds. None: never.
    pub expires_at: Option<u64>,
}

/// For people and metrics. Times are Unix milliseconds.
#[expect(missing_docs, reason = "wit/types.wit documents the same record field by field")]
pub struct Status<'a> {
    pub phase: Phase,
    pub generation: u64,
    pub counters: Counters,
    pub next_attempt_at: Option<u64>,
    pub expires_at: Option<u64>,
    pub last_error: Option<&'a Error>,
    pub warnings: &'a [Warning],
}

type Attempt = Pin<Box<dyn Future<Output = Result<Outcome, Error>>>>;

/// One connection and the lease on its credential.
pub struct Machine {
    connection: Rc<Connection>,
    lease: Lease<Vec<(String, Secret)>, Error>,
    attempt: Option<Attempt>,
    io: Io,
    entropy: Entropy,
    warnings: Vec<Warning>,
    /// What is known of the accounts that this connection made, where it makes any.
    ledger: Rc<RefCell<Ledger>>,
    errands: Errands,
}

impl Machine {
    /// Parses the document. No I/O, no clock.
    pub fn open(document: &str, variables: &Variables) -> Result<Self, Error> {
        let connection = document::read(document, variables)?.connection;
        let lease = match &connection.auth {
            Auth::ApiKey(Key::Held(key)) => Lease::fixed(connection.api.key_headers(&key.value)),
            _ => empty_lease(&connection),
        };
        let mut entropy = Entropy::default();
        entropy.stir(document.as_bytes());
        let (attempt, io, warnings) = (None, Io::default(), Vec::new());
        let (ledger, errands) = (Rc::default(), Errands::default());
        Ok(Self { connection: Rc::from(connection), lease, attempt, io, entropy, warnings, ledger, errands })
    }

    /// Takes an event, goes on as far as possible, and says what to do. Starts a renewal that is due.
    pub fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        self.io.set_now(now);
        match event {
            Event::Tick => {}
            Event::File(id, result) => self.io.deliver(id, Answer::File(result)),
            Event::Response(id, result) => self.io.deliver(id, Answer::Response(result)),
            Event::Source(id, result) => self.io.deliver(id, Answer::Source(result)),
            Event::Reject(generation) => self.lease.reject(now, generation),
        }
        if self.attempt_due(now) {
            self.begin(now);
        } else if self.tidying_due(now) {
            self.begin_tidying(now);
        }
        self.go_on(now);
        self.go_on_with_errand(now);
        self.io.take_effects()
    }

    /// Whether [`Self::step`] would begin something.
    #[must_use]
    pub fn due(&self, now: Now) -> bool {
        self.attempt_due(now) || self.tidying_due(now)
    }

    /// As [`Event::Reject`], without beginning the renewal that this forces.
    pub fn reject(&mut self, now: Now, generation: u64) {
        self.lease.reject(now, generation);
    }

    /// Gives up the attempt under way as if it had not begun: another machine makes it. [`Self::step`] then tells what of it
    /// is to be cancelled.
    pub fn forget_attempt(&mut self) {
        self.attempt = None;
        self.errands.forget();
        self.lease.forget_attempt();
    }

    /// All that another machine with the same document needs to go on from here: the credential, the pauses, the counters.
    /// Not the attempt under way. It holds secrets, so it goes to nobody who may not have the credential.
    #[must_use]
    pub fn carry(&self) -> SecretBytes {
        let mut out = Writer::new();
        out.number(carry::VERSION);
        let headers = |out: &mut Writer, headers: &Vec<(String, Secret)>| {
            out.number(headers.len() as u64);
            for (name, value) in headers {
                out.text(name);
                out.text(value.expose());
            }
        };
        self.lease.carry(&mut out, headers, |out, error| error.carry(out));
        let doubt = self.warnings.iter().find(|warning| warning.code == audience::CONTROL_PLANE);
        out.option(doubt, |out, warning| out.text(&warning.message));
        out.option(self.mints().then_some(&self.ledger), |out, ledger| ledger.borrow().carry(out));
        out.finish()
    }

    /// Goes on from where another machine was. An attempt of one's own is given up; [`Self::step`] then tells what of it is
    /// to be cancelled. False, and nothing changes, if these bytes are not from [`Self::carry`] of this version.
    pub fn adopt(&mut self, carried: &[u8]) -> bool {
        if matches!(self.connection.auth, Auth::ApiKey(Key::Held(_))) {
            return false;
        }
        let adopted = self.adopt_from(Reader::new(carried));
        if adopted.is_some() {
            self.attempt = None;
            self.errands.forget();
        }
        adopted.is_some()
    }

    fn adopt_from(&mut self, mut carried: Reader<'_>) -> Option<()> {
        if carried.number()? != carry::VERSION {
            return None;
        }
        let headers = |carried: &mut Reader<'_>| {
            let count = carried.number()?;
            (0..count).map(|_| Some((carried.text()?, Secret::new(carried.text()?)))).collect()
        };
        let lease = empty_lease(&self.connection).carried(&mut carried, headers, Error::carried)?;
        let warning = carried.option(Reader::text)?;
        let ledger = carried.option(Ledger::carried)?;
        carried.finish()?;
        self.lease = lease;
        let mut ledger = ledger.unwrap_or_default();
        ledger.remember(&self.ledger.borrow());
        *self.ledger.borrow_mut() = ledger;
        self.warnings =
            warning.into_iter().map(|message| Warning::new(audience::CONTROL_PLANE, message)).collect();
        Some(())
    }

    /// The credential, if one is usable now.
    pub fn credential(&self, now: Now) -> Answered<'_> {
        match self.lease.standing(now) {
            Standing::Usable(headers) => Answered::Ready(Credential {
                headers,
                base_url: self.connection.api.base_url.value.as_str(),
                generation: self.lease.generation(),
                renew_at: self.next_attempt_at(now),
                expires_at: self.lease.deadlines().map(|(_, end)| end),
            }),
            Standing::Pending => Answered::Pending,
            Standing::Failed(error, wait) => {
                let error = error.cloned().unwrap_or_else(not_yet);
                Answered::Failed(error.retry_after(Some(wait)))
            }
        }
    }

    /// Whether something is under way.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.attempt.is_some() || self.errands.busy()
    }

    /// The monotonic moment at which to `step` with [`Event::Tick`] at the latest, beside the answers to effects.
    #[must_use]
    pub fn wake_at(&self, now: Now) -> Option<u64> {
        match self.lease.attempt() {
            Some(began) => {
                let end = began.monotonic_ms.saturating_add(ATTEMPT_TIMEOUT_MS);
                Some(self.io.timer().map_or(end, |timer| timer.min(end)))
            }
            None => match self.errands.end() {
                Some(end) => Some(self.io.timer().map_or(end, |timer| timer.min(end))),
                None => self.next_thing_at(now),
            },
        }
    }

    /// For people and metrics.
    #[must_use]
    pub fn status(&self, now: Now) -> Status<'_> {
        Status {
            phase: self.lease.phase(now),
            generation: self.lease.generation(),
            counters: self.lease.counters(),
            next_attempt_at: self.next_attempt_at(now),
            expires_at: self.lease.deadlines().map(|(_, end)| end),
            last_error: self.lease.last_error(),
            warnings: &self.warnings,
        }
    }

    fn begin(&mut self, now: Now) {
        // When something happens differs between instances that share everything else.
        self.entropy.stir(&now.wall_ms.to_le_bytes());
        self.entropy.stir(&now.monotonic_ms.to_le_bytes());
        self.lease.begin(now);
        // Whatever is tidied up can be tidied up later.
        self.errands.forget();
        let (connection, io) = (Rc::clone(&self.connection), self.io.clone());
        // Drawn where it is needed alone: what is drawn after it is spread by what was drawn before.
        let seed = if self.mints() { self.entropy.for_others() } else { 0 };
        let ledger = Rc::clone(&self.ledger);
        self.attempt = Some(Box::pin(async move { attempt::run(&connection, &io, &ledger, seed).await }));
    }

    /// While an errand was asked for, nothing else begins.
    fn attempt_due(&self, now: Now) -> bool {
        self.lease.due(now) && !self.errands.hold_everything()
    }

    fn go_on(&mut self, now: Now) {
        let Some(attempt) = &mut self.attempt else { return };
        let result = match attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending if self.overdue(now) => Err(Error::new(
                Code::AttemptTimeout,
                "the attempt to get a token took more than 30 s; it is repeated. Check whether the machine was suspended, or the host answers",
            )),
            Poll::Pending => return,
        };
        // Dropping it takes back what it still waits for.
        self.attempt = None;
        match result {
            Ok(outcome) => self.succeed(now, outcome),
            Err(error) => self.fail(now, error),
        }
    }

    fn overdue(&self, now: Now) -> bool {
        self.lease.attempt().is_some_and(|began| {
            let elapsed = now.monotonic_ms.saturating_sub(began.monotonic_ms);
            elapsed >= ATTEMPT_TIMEOUT_MS
        })
    }

    fn succeed(&mut self, now: Now, Outcome { issued, warnings }: Outcome) {
        self.entropy.stir(issued.access_token.expose().as_bytes());
        let headers = match &self.connection.auth {
            Auth::ApiKey(_) => self.connection.api.key_headers(&issued.access_token),
            Auth::WorkloadIdentity { .. } | Auth::Minted(_) => self.connection.api.token_headers(&issued),
        };
        self.lease.succeed(now, issued.anchor, issued.lifetime_ms, headers, &mut self.entropy);
        self.warnings = warnings;
    }

    fn fail(&mut self, now: Now, error: Error) {
        let pace = match (error.retry_after_ms(), error.kind()) {
            // A time of nothing, or in the past, says no more than that it failed.
            (Some(ms @ 1..), _) => Pace::After(ms),
            (_, Kind::Rejected | Kind::Denied) => Pace::Slow,
            _ => Pace::Backoff,
        };
        self.lease.fail(now, error, pace, &mut self.entropy);
    }

    /// While an attempt is under way: when it began, so that whoever waits for that moment comes at once.
    fn next_attempt_at(&self, now: Now) -> Option<u64> {
        if let Some(began) = self.lease.attempt() {
            return Some(began.wall_ms);
        }
        let wait = self.next_thing_at(now)?.saturating_sub(now.monotonic_ms);
        Some(now.wall_ms.saturating_add(wait))
    }

    /// The monotonic moment at which something begins by itself, while nothing is under way.
    fn next_thing_at(&self, now: Now) -> Option<u64> {
        if self.errands.hold_everything() {
            return None;
        }
        let tidying = self.next_tidying(now);
        self.lease.wake_at(now).map(|renewal| tidying.map_or(renewal, |tidying| tidying.min(renewal)))
    }
}

fn empty_lease<T, E>(connection: &Connection) -> Lease<T, E> {
    let lease = Lease::new(connection.refresh_buffer_ms);
    match &connection.auth {
        Auth::Minted(minting) => lease.patient(minting.patience_ms()),
        Auth::ApiKey(_) | Auth::WorkloadIdentity { .. } => lease,
    }
}

fn not_yet() -> Error {
    Error::new(
        Code::NotYet,
        "no usable credential is held, and the next attempt may start in a moment; ask again",
    )
}

mod errands;
#[cfg(test)]
mod tests;
