//! What a connection promises, checked from the outside after everything that happens. Nothing here knows how the lease
//! does it.

use keyless_engine::io::{Effect, Now};
use keyless_engine::{Answered, Machine};

use crate::shown;

/// A token is believed for a day, whatever its endpoint says.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// Between the end of one attempt and the beginning of the next there is at least this much.
const GAP_MS: u64 = 1_000;

/// Further on, a moment that much later cannot be told any more.
const END_OF_TIME: u64 = u64::MAX - GAP_MS;

/// What was seen so far.
#[derive(Default)]
pub struct Witness {
    /// A static key: held from the start, for ever.
    fixed: bool,
    granted: Option<Granted>,
    generation: u64,
    ended: u64,
    ended_at: Option<u64>,
    /// Requests that nobody has answered or taken back.
    open: Vec<u64>,
}

/// The credential that was issued last.
struct Granted {
    generation: u64,
    authorization: String,
    anchor: Now,
    lifetime_ms: u64,
    /// The API was said to refuse it.
    rejected: bool,
}

impl Granted {
    /// By the clock that says more.
    fn age(&self, now: Now) -> u64 {
        let wall = now.wall_ms.saturating_sub(self.anchor.wall_ms);
        wall.max(now.monotonic_ms.saturating_sub(self.anchor.monotonic_ms))
    }

    /// Without its last moments, in which it may be withheld.
    fn usable(&self, now: Now) -> bool {
        self.age(now) < self.lifetime_ms - (self.lifetime_ms / 10).min(5_000)
    }
}

/// What a machine was about to do before a step.
pub struct Before {
    busy: bool,
    wake_at: Option<u64>,
}

impl Witness {
    /// Of a machine that was just opened.
    #[must_use]
    pub fn of(machine: &Machine, now: Now) -> Self {
        let generation = machine.status(now).generation;
        Self { fixed: generation == 1, generation, ..Self::default() }
    }

    /// Looks at it before a step at `now`.
    #[must_use]
    pub fn before(&self, machine: &Machine, now: Now) -> Before {
        Before { busy: machine.busy(), wake_at: machine.wake_at(now) }
    }

    /// The request of this effect has been answered.
    pub fn answered(&mut self, id: u64) {
        self.open.retain(|open| *open != id);
    }

    /// The machine has been told that the API refuses this generation.
    pub fn rejected(&mut self, generation: u64) {
        if let Some(granted) = self.granted.as_mut().filter(|granted| granted.generation == generation) {
            granted.rejected = true;
        }
    }

    /// After a step: what it did, and what it wants done. `told`: the step was about a rejection.
    pub fn stepped(&mut self, machine: &Machine, now: Now, before: &Before, effects: &[Effect], told: bool) {
        let status = machine.status(now);
        let ended = status.counters.renewals + status.counters.failures - self.ended;
        assert!(ended <= 1, "{ended} attempts ended in one step");
        let begun = !before.busy && (machine.busy() || ended == 1);
        assert!(!before.busy || ended == 1 || machine.busy(), "an attempt vanished");
        let due = !before.busy && before.wake_at.is_some_and(|at| at <= now.monotonic_ms);
        // At the last moment of all, every later one is the present.
        assert!(begun == due || told || now.monotonic_ms == u64::MAX, "due: {due}, begun: {begun}");
        assert!(!begun || !self.fixed, "a static key is renewed");
        if let Some(at) = self.ended_at.filter(|at| begun && *at < END_OF_TIME) {
            let gap = now.monotonic_ms - at;
            assert!(gap >= GAP_MS, "an attempt {gap} ms after the one before");
        }
        if ended == 1 {
            self.ended += 1;
            self.ended_at = Some(now.monotonic_ms);
        }
        for effect in effects {
            match effect {
                Effect::Cancel { id } => self.open.retain(|open| open != id),
                Effect::Send { id, .. } => self.open.push(*id),
                Effect::ReadFile { .. } | Effect::AskSource { .. } => {}
            }
        }
        assert!(self.open.len() <= 1, "{} requests at once", self.open.len());
        assert!(self.open.is_empty() || machine.busy(), "a request without an attempt");
        shown::are_presentable(status.warnings);
        if let Some(error) = status.last_error {
            shown::is_presentable(error);
            shown::holds_no_secret(error.message());
        }
    }

    /// After a step that brought no token: nothing new is held.
    pub fn nothing_granted(&self, machine: &Machine, now: Now) {
        let generation = machine.status(now).generation;
        assert_eq!(generation, self.generation, "a generation out of nothing");
    }

    /// After a step that brought a token for `lifetime_ms`, asked for at `anchor`.
    pub fn granted(&mut self, machine: &Machine, now: Now, token: &str, anchor: Now, lifetime_ms: u64) {
        let generation = machine.status(now).generation;
        assert_eq!(generation, self.generation + 1, "a token was issued");
        self.generation = generation;
        self.granted = Some(Granted {
            generation,
            authorization: format!("Bearer {token}"),
            anchor,
            lifetime_ms: lifetime_ms.clamp(1, LONGEST_MS),
            rejected: false,
        });
    }

    /// What a caller gets at this moment is what a caller may get.
    pub fn looks(&self, machine: &Machine, now: Now) {
        let wake = machine.wake_at(now);
        assert_eq!(wake.is_none(), self.fixed, "it waits for {wake:?}");
        let usable = self.granted.as_ref().is_some_and(|granted| granted.usable(now));
        let rejected = self.granted.as_ref().is_some_and(|granted| granted.rejected);
        match machine.credential(now) {
            Answered::Ready(credential) => {
                assert_eq!(credential.generation, self.generation);
                let header = credential.headers.first();
                let Some(granted) = &self.granted else {
                    return assert!(self.fixed, "a credential from nowhere");
                };
                let same = header.is_some_and(|(name, value)| {
                    name == "authorization" && value.expose() == granted.authorization
                });
                assert!(same, "another credential than was issued");
                let age = granted.age(now);
                assert!(age < granted.lifetime_ms, "{age} ms old, of {} ms", granted.lifetime_ms);
                assert!(credential.renew_at.is_some() && credential.expires_at.is_some());
            }
            Answered::Pending => {
                assert!(!usable || rejected, "a valid credential is hidden by what is pending");
                let due = wake.is_some_and(|at| at <= now.monotonic_ms.saturating_add(GAP_MS));
                assert!(machine.busy() || due, "a caller waits for nothing");
            }
            Answered::Failed(error) => {
                assert!(!usable, "a valid credential is hidden by {error}");
                assert!(!self.fixed, "a static key is gone: {error}");
                shown::is_presentable(&error);
                shown::holds_no_secret(error.message());
                assert!(error.retry_after_ms().is_some(), "an error without a time: {error}");
            }
        }
    }
}
