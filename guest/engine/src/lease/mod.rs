//! The state machine that keeps one credential fresh. It knows time, outcomes and generations; nothing of HTTP or JSON.
//!
//! ```text
//!            begin                succeed               renewal due
//!   idle ──────────▶ acquiring ─────────────▶ fresh ─────────────────▶ renewing
//!                        │ fail      ▲          ▲    succeed               │ fail
//!                        ▼           │          └──────────────────────────┤
//!                     failed ────────┘ back-off over        waiting ◀──────┘   (the credential stays in use)
//! ```
//!
//! There is no terminal state: every failure leads to another attempt, later.

mod backoff;
mod schedule;

pub use backoff::{MIN_GAP_MS, Pace};
pub(crate) use schedule::diverged;
pub use schedule::{MAX_LIFETIME_MS, MIN_LIFETIME_MS};

use crate::carry::{Reader, Writer};
use crate::entropy::Entropy;
use crate::io::Now;
use backoff::Pause;
use schedule::{Remaining, Renewal, Term, Zone};

/// A rejected credential forces at most one renewal in this time, so that an API that answers 401 to everything
/// cannot turn each of its answers into an exchange.
pub const FORCED_GAP_MS: u64 = 30_000;

/// What there is to hand out at some moment.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing<'a, T, E> {
    /// A credential that has not expired on either clock.
    Usable(&'a T),
    /// None, but an attempt is under way or due now.
    Pending,
    /// None, and the next attempt waits for its turn: why, and for how many milliseconds.
    Failed(Option<&'a E>, u64),
}

/// What a lease is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the drawing above says it, and wit/types.wit case by case")]
pub enum Phase {
    Idle,
    Acquiring,
    Fresh,
    Renewing,
    Waiting,
    Failed,
}

/// For people and metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Attempts that brought a credential.
    pub renewals: u64,
    /// Attempts that did not.
    pub failures: u64,
    /// Attempts that did not, since the last that did.
    pub failures_in_a_row: u32,
}

/// Keeps one value of type `T` fresh; remembers why the last attempt failed as `E`.
pub struct Lease<T, E> {
    buffer_ms: Option<u64>,
    forced_gap_ms: u64,
    held: Option<Held<T>>,
    generation: u64,
    attempt: Option<Now>,
    pause: Option<Pause>,
    forced_at: Option<u64>,
    counters: Counters,
    last_error: Option<E>,
}

struct Held<T> {
    value: T,
    /// None: it never expires.
    term: Option<Term>,
    /// The API refused it, and the renewal that this forces has not ended yet.
    rejected: bool,
}

impl<T, E> Lease<T, E> {
    /// An empty lease. `buffer_ms`: how long before its end a credential is renewed, where somebody chose that.
    #[must_use]
    pub fn new(buffer_ms: Option<u64>) -> Self {
        Self {
            buffer_ms,
            forced_gap_ms: FORCED_GAP_MS,
            held: None,
            generation: 0,
            attempt: None,
            pause: None,
            forced_at: None,
            counters: Counters::default(),
            last_error: None,
        }
    }

    /// With at least so long between two renewals that rejections force, where that is more than [`FORCED_GAP_MS`].
    #[must_use]
    pub fn patient(self, forced_gap_ms: u64) -> Self {
        Self { forced_gap_ms: forced_gap_ms.max(FORCED_GAP_MS), ..self }
    }

    /// A lease on something that needs no renewal.
    #[must_use]
    pub fn fixed(value: T) -> Self {
        let held = Some(Held { value, term: None, rejected: false });
        Self { held, generation: 1, ..Self::new(None) }
    }

    /// What can be handed out.
    #[must_use]
    pub fn standing(&self, now: Now) -> Standing<'_, T, E> {
        let coming = self.attempt.is_some() || self.due(now);
        // Between two attempts there is always a moment. A caller waits for it rather than take what was just refused.
        let soon = coming || self.held_back_ms(now) <= MIN_GAP_MS;
        match self.usable(now) {
            Some(held) if held.rejected && soon => Standing::Pending,
            Some(held) => Standing::Usable(&held.value),
            None if coming => Standing::Pending,
            None => Standing::Failed(self.last_error.as_ref(), self.held_back_ms(now)),
        }
    }

    /// Whether an attempt should begin now.
    #[must_use]
    pub fn due(&self, now: Now) -> bool {
        let wanted = match &self.held {
            None => true,
            Some(held) => {
                held.term.as_ref().is_some_and(|term| held.rejected || term.zone(now) != Zone::Fresh)
            }
        };
        wanted && self.held_back_ms(now) == 0 && self.attempt.is_none()
    }

    /// An attempt begins.
    pub fn begin(&mut self, now: Now) {
        self.attempt = Some(now);
    }

    /// The attempt under way has become another's: as if it had not begun here.
    pub fn forget_attempt(&mut self) {
        self.attempt = None;
    }

    /// When the attempt under way began.
    #[must_use]
    pub fn attempt(&self) -> Option<Now> {
        self.attempt
    }

    /// The attempt brought a value that lives for `lifetime_ms` from `anchor`, the moment before it was asked for.
    pub fn succeed(&mut self, now: Now, anchor: Now, lifetime_ms: u64, value: T, entropy: &mut Entropy) {
        let renewal = self.renewal(anchor);
        self.attempt = None;
        self.generation += 1;
        self.pause = Some(Pause::between(now));
        self.counters.renewals += 1;
        self.counters.failures_in_a_row = 0;
        self.last_error = None;
        let term = Some(Term::new(anchor, lifetime_ms, renewal, entropy));
        self.held = Some(Held { value, term, rejected: false });
    }

    /// How the value that comes is to be renewed: what came out of its turn may have come to a whole fleet at once.
    fn renewal(&self, anchor: Now) -> Renewal {
        let in_turn = |held: &Held<T>| {
            let together = held.term.as_ref().is_some_and(|term| term.diverged(anchor));
            !held.rejected && !together && self.counters.failures_in_a_row == 0
        };
        match self.buffer_ms {
            Some(buffer) => Renewal::Ahead(buffer),
            None if self.held.as_ref().is_some_and(in_turn) => Renewal::Steady,
            None => Renewal::Spread,
        }
    }

    /// The attempt failed. A valid credential stays in use, a rejected one is in use again.
    pub fn fail(&mut self, now: Now, error: E, pace: Pace, entropy: &mut Entropy) {
        // The failure of an attempt through which the machine slept says nothing of the other side.
        let slept = self.attempt.take().is_some_and(|began| diverged(began, now));
        self.counters.failures += 1;
        self.counters.failures_in_a_row = self.counters.failures_in_a_row.saturating_add(1);
        self.last_error = Some(error);
        let (failures, pace) = match pace {
            Pace::Backoff | Pace::Slow if slept => (1, Pace::Backoff),
            pace => (self.counters.failures_in_a_row, pace),
        };
        self.pause = Some(Pause::after_failure(now, failures, pace, self.remaining(now), entropy));
        if let Some(held) = &mut self.held {
            held.rejected = false;
        }
    }

    /// The API refused the credential of that generation.
    pub fn reject(&mut self, now: Now, generation: u64) {
        let paced = self.forced_at.is_none_or(|at| now.monotonic_ms.saturating_sub(at) >= self.forced_gap_ms);
        if let Some(held) = &mut self.held
            && generation == self.generation
            && held.term.is_some()
            && paced
        {
            held.rejected = true;
            self.forced_at = Some(now.monotonic_ms);
        }
    }

    /// Everything but the attempt under way, which is its owner's. `value` and `error` write what the lease knows nothing of.
    pub(crate) fn carry(
        &self,
        out: &mut Writer,
        value: impl FnOnce(&mut Writer, &T),
        error: impl FnOnce(&mut Writer, &E),
    ) {
        out.option(self.held.as_ref(), |out, held| {
            value(out, &held.value);
            out.option(held.term.as_ref(), |out, term| term.carry(out));
            out.flag(held.rejected);
        });
        out.number(self.generation);
        out.option(self.pause, |out, pause| pause.carry(out));
        out.option(self.forced_at, Writer::number);
        out.number(self.counters.renewals);
        out.number(self.counters.failures);
        out.number(u64::from(self.counters.failures_in_a_row));
        out.option(self.last_error.as_ref(), error);
    }

    /// This lease, going on where the one was that [`Self::carry`] wrote down.
    pub(crate) fn carried(
        self,
        carried: &mut Reader<'_>,
        value: impl FnOnce(&mut Reader<'_>) -> Option<T>,
        error: impl FnOnce(&mut Reader<'_>) -> Option<E>,
    ) -> Option<Self> {
        let held = carried.option(|carried| {
            let (value, term) = (value(carried)?, carried.option(Term::carried)?);
            Some(Held { value, term, rejected: carried.flag()? })
        })?;
        let generation = carried.number()?;
        let pause = carried.option(Pause::carried)?;
        let forced_at = carried.option(Reader::number)?;
        let counters = Counters {
            renewals: carried.number()?,
            failures: carried.number()?,
            failures_in_a_row: u32::try_from(carried.number()?).ok()?,
        };
        let last_error = carried.option(error)?;
        let Self { buffer_ms, forced_gap_ms, .. } = self;
        Some(Self {
            buffer_ms,
            forced_gap_ms,
            held,
            generation,
            attempt: None,
            pause,
            forced_at,
            counters,
            last_error,
        })
    }

    /// The monotonic moment at which something becomes due by itself. None: never, or now.
    #[must_use]
    pub fn wake_at(&self, now: Now) -> Option<u64> {
        if self.attempt.is_some() {
            return None;
        }
        let wanted = match &self.held {
            None => now.monotonic_ms,
            Some(Held { term: None, .. }) => return None,
            Some(Held { rejected: true, .. }) => now.monotonic_ms,
            Some(Held { term: Some(term), .. }) => term.renewal_at(now),
        };
        Some(wanted.max(now.monotonic_ms.saturating_add(self.held_back_ms(now))))
    }

    /// Of the value held; 0 before the first.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How often it went well and not.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Why the last attempt failed, until one succeeds.
    #[must_use]
    pub fn last_error(&self) -> Option<&E> {
        self.last_error.as_ref()
    }

    /// Unix milliseconds at which the value held is due for renewal, and at which it ends.
    #[must_use]
    pub fn deadlines(&self) -> Option<(u64, u64)> {
        self.held.as_ref()?.term.as_ref().map(Term::deadlines)
    }

    /// How long the next attempt has to wait, in milliseconds; 0 when nothing holds it back.
    #[must_use]
    pub fn held_back_ms(&self, now: Now) -> u64 {
        self.pause.map_or(0, |pause| pause.left(now))
    }

    /// What the lease is doing.
    #[must_use]
    pub fn phase(&self, now: Now) -> Phase {
        let usable = self.usable(now).is_some_and(|held| !held.rejected);
        match (usable, self.attempt.is_some(), self.counters.failures_in_a_row > 0) {
            (true, true, _) => Phase::Renewing,
            (true, false, true) => Phase::Waiting,
            (true, false, false) => Phase::Fresh,
            (false, true, _) => Phase::Acquiring,
            (false, false, true) => Phase::Failed,
            (false, false, false) if self.generation == 0 => Phase::Idle,
            (false, false, false) => Phase::Acquiring,
        }
    }

    fn usable(&self, now: Now) -> Option<&Held<T>> {
        self.held.as_ref().filter(|held| held.term.as_ref().is_none_or(|term| term.zone(now) != Zone::Over))
    }

    /// Of the value that is handed out.
    fn remaining(&self, now: Now) -> Option<Remaining> {
        let term = self.usable(now)?.term.as_ref()?;
        Some(term.remaining(now))
    }
}

#[cfg(test)]
mod edges;
#[cfg(test)]
mod tests;
