//! When a credential is renewed and when it ends.

use crate::entropy::Entropy;
use crate::io::Now;

/// How long before its end a credential is renewed where the document does not say: the official clients' 20 minutes.
pub const DEFAULT_BUFFER_MS: u64 = 1_200_000;

/// No credential is trusted for longer, whatever an endpoint says.
pub const MAX_LIFETIME_MS: u64 = 24 * 3_600_000;

/// A credential is not handed out in its last moments: it has to survive the request that it is set on.
const MARGIN_MS: u64 = 5_000;

/// Clocks that disagree by more have been stepped, or the machine was suspended. Beside it, one part in a thousand of
/// the time that passed is allowed: NTP slews a clock by half of that.
const DIVERGENCE_MS: u64 = 2_000;

/// The time that one credential has, on both clocks.
pub(super) struct Term {
    anchor: Now,
    renew_after: u64,
    expire_after: u64,
}

impl Term {
    /// From `anchor`, the moment before the request was sent, for `lifetime_ms`.
    ///
    /// The buffer is at most half the lifetime: with more, a short-lived credential would be due the moment it comes.
    /// The renewal is spread over a twentieth of the lifetime, earlier and never later.
    pub(super) fn new(anchor: Now, lifetime_ms: u64, buffer_ms: Option<u64>, entropy: &mut Entropy) -> Self {
        let lifetime = lifetime_ms.min(MAX_LIFETIME_MS);
        let buffer = buffer_ms.unwrap_or(DEFAULT_BUFFER_MS).min(lifetime / 2);
        let expire_after = lifetime - MARGIN_MS.min(lifetime / 10);
        let renew_after = (lifetime - buffer).min(expire_after).saturating_sub(entropy.up_to(lifetime / 20));
        Self { anchor, renew_after, expire_after }
    }

    /// Expired if either clock says so.
    pub(super) fn expired(&self, now: Now) -> bool {
        self.elapsed(now) >= self.expire_after
    }

    /// Due by either clock, or because they no longer agree.
    pub(super) fn renewal_due(&self, now: Now) -> bool {
        self.elapsed(now) >= self.renew_after || self.diverged(now)
    }

    /// Milliseconds until it expires.
    pub(super) fn remaining(&self, now: Now) -> u64 {
        self.expire_after.saturating_sub(self.elapsed(now))
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

    fn diverged(&self, now: Now) -> bool {
        let monotonic = now.monotonic_ms.saturating_sub(self.anchor.monotonic_ms);
        let expected = self.anchor.wall_ms.saturating_add(monotonic);
        now.wall_ms.abs_diff(expected) > DIVERGENCE_MS + monotonic / 1_000
    }
}
