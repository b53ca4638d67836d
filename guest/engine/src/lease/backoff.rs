//! How long a failure keeps the next attempt waiting.

use super::schedule::Remaining;
use crate::carry::{Reader, Writer};
use crate::entropy::Entropy;
use crate::io::Now;

/// Between any two attempts there is at least this much.
pub const MIN_GAP_MS: u64 = 1_000;

/// The back-off grows up to here.
const MAX_DELAY_MS: u64 = 300_000;

/// A refusal will not heal by itself within seconds; it is asked again, slowly, because somebody may mend it.
const SLOW_MIN_MS: u64 = 60_000;

/// Longer than this is not waited for, whoever asks.
const MAX_RETRY_AFTER_MS: u64 = 3_600_000;

/// In its last moments a credential does not wait longer than this for the next attempt to replace it.
const HURRY_MS: u64 = 30_000;

/// The last attempt before a credential ends leaves this much for the exchange.
pub(super) const LAST_CHANCE_MS: u64 = 30_000;

/// How the other side wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Exponential from 2 s to 300 s, full jitter, never less than a second.
    Backoff,
    /// It was refused: 60 s to 300 s.
    Slow,
    /// It named a time (`Retry-After`), in milliseconds.
    After(u64),
}

/// Until when no attempt begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    from: Now,
    ms: u64,
    /// Whether the wall clock may end it, too. A pause of our own choice goes on only for the machine's sake: one that
    /// slept through it should not wait for the rest. A time that an endpoint named is kept on the clock that nobody sets.
    either_clock: bool,
}

impl Pause {
    /// Between two attempts.
    pub(super) fn between(from: Now) -> Self {
        Self { from, ms: MIN_GAP_MS, either_clock: false }
    }

    /// After the `failures`-th failure in a row. `remaining`: of the credential held.
    ///
    /// Full jitter (a uniform draw from nothing to the exponential) costs a recovering endpoint the least. It doubles with
    /// each failure while somebody may be waiting, and grows fourfold while the credential held has time left: 10,000
    /// instances then make four requests each in an outage of 15 minutes, where doubling throughout makes 5.4.
    pub(super) fn after_failure(
        from: Now,
        failures: u32,
        pace: Pace,
        remaining: Option<Remaining>,
        entropy: &mut Entropy,
    ) -> Self {
        let own = !matches!(pace, Pace::After(_));
        let ms = match pace {
            Pace::Backoff => {
                let failures = failures.clamp(1, 16);
                let doublings = if has_time(remaining) { 2 * failures - 1 } else { failures };
                let ceiling = (MIN_GAP_MS << doublings).min(MAX_DELAY_MS);
                entropy.up_to(ceiling.min(hurry(remaining)))
            }
            Pace::Slow => SLOW_MIN_MS + entropy.up_to(MAX_DELAY_MS - SLOW_MIN_MS),
            // A little later than asked, never earlier, or a whole fleet returns in the same second.
            Pace::After(ms) => {
                let ms = ms.min(MAX_RETRY_AFTER_MS);
                ms + entropy.up_to(ms / 10)
            }
        };
        let ms = ms.min(next_chance(remaining, own)).max(MIN_GAP_MS);
        Self { from, ms, either_clock: own }
    }

    pub(super) fn carry(self, out: &mut Writer) {
        out.moment(self.from);
        out.number(self.ms);
        out.flag(self.either_clock);
    }

    pub(super) fn carried(carried: &mut Reader<'_>) -> Option<Self> {
        Some(Self { from: carried.moment()?, ms: carried.number()?, either_clock: carried.flag()? })
    }

    /// Milliseconds on the monotonic clock that are left of it.
    pub(super) fn left(self, now: Now) -> u64 {
        let monotonic = now.monotonic_ms.saturating_sub(self.from.monotonic_ms);
        let wall = if self.either_clock { now.wall_ms.saturating_sub(self.from.wall_ms) } else { 0 };
        self.ms.saturating_sub(monotonic.max(wall)).max(MIN_GAP_MS.saturating_sub(monotonic))
    }
}

/// Whether a credential is held and its last moments have not begun.
fn has_time(remaining: Option<Remaining>) -> bool {
    remaining.is_some_and(|Remaining { to_last_moments, .. }| to_last_moments > 0)
}

/// The longest back-off there is time for.
fn hurry(remaining: Option<Remaining>) -> u64 {
    match remaining {
        Some(Remaining { to_last_moments: 0, .. }) => HURRY_MS,
        _ => MAX_DELAY_MS,
    }
}

/// While a credential lives, its successor gets one more chance before it ends, whatever the pace; and where the pace is
/// our `own`, another when its last moments begin.
fn next_chance(remaining: Option<Remaining>, own: bool) -> u64 {
    match remaining {
        Some(Remaining { to_last_moments: ms @ 1.., .. }) if own => ms,
        Some(Remaining { to_end, .. }) if to_end > LAST_CHANCE_MS => to_end - LAST_CHANCE_MS,
        _ => u64::MAX,
    }
}
