//! When a credential is renewed and when it ends.

use super::backoff::{LAST_CHANCE_MS, MIN_GAP_MS};
use crate::carry::{Reader, Writer};
use crate::entropy::Entropy;
use crate::io::Now;

/// No token is trusted for longer, whatever an endpoint says.
pub const MAX_LIFETIME_MS: u64 = 24 * 3_600_000;

/// Nothing is held for longer. Only a document can ask for more than [`MAX_LIFETIME_MS`].
const LONGEST_MS: u64 = 400 * 24 * 3_600_000;

/// What lives shorter cannot be kept: between two attempts there is a pause, and it is to come before half of the life
/// is over. An endpoint that answers out of a cache gives such tokens, and asking it again at once brings the same.
pub const MIN_LIFETIME_MS: u64 = 2 * MIN_GAP_MS;

/// A credential is not handed out in its very last seconds: it has to survive the request that it is set on.
const MARGIN_MS: u64 = 5_000;

/// Clocks that disagree by more have been stepped, or the machine was suspended. Beside it, one part in a thousand of
/// the time that passed is allowed: NTP slews a clock by half of that.
const DIVERGENCE_MS: u64 = 2_000;

/// The first renewal falls between these percentages of the lifetime: a fleet that was started together, or lost its
/// credentials together, never renews together.
const SPREAD: Percent = Percent { from: 10, to: 50 };

/// Later ones, which are spread already: half the lifetime remains to bridge an outage, and few exchanges are wasted.
const STEADY: Percent = Percent { from: 40, to: 50 };

/// Nobody needs a renewal sooner than this after the last exchange, unless the lifetime is that short.
const REST_MS: u64 = 60_000;

/// The last moments are a twentieth of the lifetime, and at least this much.
const LAST_MOMENTS_MS: u64 = 30_000;

/// When a credential is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// So many milliseconds before its end, because the document says so.
    Ahead(u64),
    /// Somewhere in the first half of its life: it is the first, or something else than time brought it.
    Spread,
    /// Shortly before half of its life is over: it followed another in its turn.
    Steady,
}

/// Where a credential is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Nothing is to be done.
    Fresh,
    /// A renewal is due. [`Remaining`] says how urgently.
    Due,
    /// It is not handed out any more.
    Over,
}

/// What is left of a life, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remaining {
    /// Until its last moments begin, in which there is little time for a renewal. 0 within them.
    pub(super) to_last_moments: u64,
    /// Until it is over.
    pub(super) to_end: u64,
}

#[derive(Clone, Copy)]
struct Percent {
    from: u64,
    to: u64,
}

impl Percent {
    /// A moment of a life, evenly drawn.
    ///
    /// The latest is a little before half of it, so that an outage of half a lifetime passes unnoticed by everybody: what
    /// an outage leaves in the end must be enough for the last try, and is not handed out in its very last seconds.
    fn of(self, lifetime: u64, entropy: &mut Entropy) -> u64 {
        let percent = |percent| lifetime * percent / 100;
        let from = percent(self.from).max(REST_MS.min(percent(STEADY.from)));
        let to = percent(self.to).saturating_sub((LAST_CHANCE_MS + MARGIN_MS).min(percent(5)));
        from + entropy.up_to(to.saturating_sub(from))
    }
}

/// The time that one credential has, on both clocks.
pub(super) struct Term {
    anchor: Now,
    renew_after: u64,
    last_moments_after: u64,
    expire_after: u64,
}

impl Term {
    /// From `anchor`, the moment before the request was sent, for `lifetime_ms`.
    ///
    /// A buffer that the document sets is at most half the lifetime: with more, a short-lived credential would be due
    /// the moment it comes. That renewal is spread over a twentieth of the lifetime, earlier and never later.
    pub(super) fn new(anchor: Now, lifetime_ms: u64, renewal: Renewal, entropy: &mut Entropy) -> Self {
        let lifetime = lifetime_ms.min(LONGEST_MS);
        let expire_after = lifetime - MARGIN_MS.min(lifetime / 10);
        let renew_after = match renewal {
            Renewal::Ahead(buffer) => (lifetime - buffer.min(lifetime / 2))
                .min(expire_after)
                .saturating_sub(entropy.up_to(lifetime / 20)),
            Renewal::Spread => SPREAD.of(lifetime, entropy),
            Renewal::Steady => STEADY.of(lifetime, entropy),
        };
        let last_moments_after = expire_after.saturating_sub(LAST_MOMENTS_MS.max(lifetime / 20));
        Self { anchor, renew_after, last_moments_after, expire_after }
    }

    pub(super) fn carry(&self, out: &mut Writer) {
        out.moment(self.anchor);
        for after in [self.renew_after, self.last_moments_after, self.expire_after] {
            out.number(after);
        }
    }

    pub(super) fn carried(carried: &mut Reader<'_>) -> Option<Self> {
        let anchor = carried.moment()?;
        let (renew_after, last_moments_after, expire_after) =
            (carried.number()?, carried.number()?, carried.number()?);
        let term = Self { anchor, renew_after, last_moments_after, expire_after };
        (expire_after <= LONGEST_MS).then_some(term)
    }

    /// By either clock: over when one of them says so, due when one does or when they no longer agree.
    pub(super) fn zone(&self, now: Now) -> Zone {
        let elapsed = self.elapsed(now);
        if elapsed >= self.expire_after {
            Zone::Over
        } else if elapsed < self.renew_after && !self.diverged(now) {
            Zone::Fresh
        } else {
            Zone::Due
        }
    }

    /// What is left of it.
    pub(super) fn remaining(&self, now: Now) -> Remaining {
        let elapsed = self.elapsed(now);
        Remaining {
            to_last_moments: self.last_moments_after.saturating_sub(elapsed),
            to_end: self.expire_after.saturating_sub(elapsed),
        }
    }

    /// The monotonic moment of the renewal, if the clocks go on as they do.
    pub(super) fn renewal_at(&self, now: Now) -> u64 {
        let left = if self.diverged(now) { 0 } else { self.renew_after.saturating_sub(self.elapsed(now)) };
        now.monotonic_ms.saturating_add(left)
    }

    /// Renewal and end in Unix milliseconds.
    pub(super) fn deadlines(&self) -> (u64, u64) {
        let at = |after| self.anchor.wall_ms.saturating_add(after);
        (at(self.renew_after), at(self.expire_after))
    }

    /// The longer of the two: a wall clock stepped back must not lengthen a life, a suspended monotonic one neither.
    fn elapsed(&self, now: Now) -> u64 {
        let wall = now.wall_ms.saturating_sub(self.anchor.wall_ms);
        wall.max(now.monotonic_ms.saturating_sub(self.anchor.monotonic_ms))
    }

    pub(super) fn diverged(&self, now: Now) -> bool {
        diverged(self.anchor, now)
    }
}

/// Whether a clock was set since, or the machine slept.
pub(crate) fn diverged(since: Now, now: Now) -> bool {
    let monotonic = now.monotonic_ms.saturating_sub(since.monotonic_ms);
    let expected = since.wall_ms.saturating_add(monotonic);
    now.wall_ms.abs_diff(expected) > DIVERGENCE_MS + monotonic / 1_000
}
