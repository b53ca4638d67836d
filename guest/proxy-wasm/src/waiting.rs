//! Requests that are held back until there is a credential: so many, and for so long.

use alloc::vec::Vec;

/// More than this are answered at once, or a cold start would be a way to fill Envoy's memory.
const MOST: usize = 1_024;

/// Longer than an exchange takes, and shorter than clients wait.
pub(crate) const PATIENCE_MS: u64 = 15_000;

/// One request.
#[derive(Clone, Copy)]
struct Held {
    context: u32,
    /// On the monotonic clock.
    until: u64,
    /// Until Envoy's own injector has the credential, too.
    for_injector: bool,
}

/// All of them, oldest first.
#[derive(Default)]
pub(crate) struct Waiting(Vec<Held>);

impl Waiting {
    /// Holds one more back. False: there is no room.
    pub(crate) fn hold(&mut self, context: u32, now: u64, for_injector: bool) -> bool {
        let room = self.0.len() < MOST;
        if room {
            self.0.push(Held { context, until: now.saturating_add(PATIENCE_MS), for_injector });
        }
        room
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest number among them.
    pub(crate) fn first(&self) -> Option<u32> {
        self.0.iter().map(|held| held.context).min()
    }

    /// When the next one is to be answered at the latest.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.0.iter().map(|held| held.until).min()
    }

    /// Those that wait for nothing else than a credential, or all.
    pub(crate) fn take_served(&mut self, injector_has_it: bool) -> Vec<u32> {
        self.take(|held| injector_has_it || !held.for_injector)
    }

    /// Those that cannot wait until that moment.
    pub(crate) fn take_impatient(&mut self, moment: u64) -> Vec<u32> {
        self.take(|held| held.until <= moment)
    }

    fn take(&mut self, which: impl Fn(&Held) -> bool) -> Vec<u32> {
        let (taken, kept): (Vec<_>, _) = core::mem::take(&mut self.0).into_iter().partition(which);
        self.0 = kept;
        taken.into_iter().map(|held| held.context).collect()
    }
}
