//! One credential and its end on both clocks, as readers see it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Credential;
use crate::clock::Clocks;
use crate::flight::{self, Guard};

/// How far the coarse clocks that readers use may lag behind: a scheduler tick at 100 Hz.
const COARSE_CLOCK_LAG: Duration = Duration::from_millis(10);

/// A borrowed look at the current credential. Cheap to take, meant to be short-lived: keep [`Clone`]s of what is needed
/// across an `await`, or take a new one.
pub struct CredentialRef(Guard<Snapshot>);

impl Deref for CredentialRef {
    type Target = Credential;

    fn deref(&self) -> &Credential {
        &self.0.credential
    }
}

impl Clone for CredentialRef {
    fn clone(&self) -> Self {
        Self(Guard::from_inner(Arc::clone(&self.0)))
    }
}

impl fmt::Debug for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.credential.fmt(f)
    }
}

/// One credential and its end on both clocks.
pub(crate) struct Snapshot {
    credential: Credential,
    /// On the wall clock. Zero while there is no credential.
    usable_until: Duration,
    /// On the monotonic clock.
    usable_until_monotonic: Duration,
    /// The [`moment`] on the wall clock at which both clocks were last found to say that it is usable, if the wall clock
    /// moves in ticks: in the same tick the monotonic one need not be asked again.
    found_usable: AtomicU64,
}

/// No moment: readers have not looked yet.
const NEVER: u64 = u64::MAX;

impl Snapshot {
    /// `received` is the pair of clock readings (wall, monotonic) from just before the component was asked.
    pub(crate) fn new(credential: Credential, received: (Duration, Duration)) -> Self {
        let (wall, monotonic) = received;
        let (usable_until, usable_until_monotonic) = match credential.expires_at_ms() {
            None => (Duration::MAX, Duration::MAX),
            Some(ms) => {
                let end = Duration::from_millis(ms).saturating_sub(COARSE_CLOCK_LAG);
                (end, monotonic.saturating_add(end.saturating_sub(wall)))
            }
        };
        Self { credential, usable_until, usable_until_monotonic, found_usable: AtomicU64::new(NEVER) }
    }

    /// The credential, unless there is none or either clock says that it has ended. The task takes it away then, but after
    /// a process was stopped readers may be first.
    #[inline]
    pub(crate) fn usable(snapshot: Guard<Self>, clocks: &dyn Clocks) -> Option<CredentialRef> {
        // A static key costs no clock read at all.
        let usable = snapshot.usable_until == Duration::MAX || {
            let wall = clocks.wall_coarse();
            snapshot.found_usable.load(Ordering::Relaxed) == moment(wall) || snapshot.look(wall, clocks)
        };
        usable.then(|| CredentialRef(snapshot))
    }

    /// Asks the monotonic clock, too. `wall`: what the wall clock said just before.
    #[cold]
    fn look(&self, wall: Duration, clocks: &dyn Clocks) -> bool {
        let usable = wall < self.usable_until && clocks.monotonic_coarse() < self.usable_until_monotonic;
        if usable && clocks.moves_in_ticks() {
            // Nothing else is told by it, so no other memory has to be seen before it.
            self.found_usable.store(moment(wall), Ordering::Relaxed);
        }
        usable
    }

    /// How long the credential lasts by the clock that gives it less. `None`: there is none, or it does not end.
    pub(crate) fn remaining(&self, clocks: &dyn Clocks) -> Option<Duration> {
        if self.usable_until == Duration::ZERO || self.usable_until == Duration::MAX {
            return None;
        }
        let wall = self.usable_until.saturating_sub(clocks.wall());
        let monotonic = self.usable_until_monotonic.saturating_sub(clocks.monotonic());
        Some(wall.min(monotonic))
    }
}

impl flight::Snapshot for Snapshot {
    fn none() -> Self {
        Self {
            credential: Credential::empty(),
            usable_until: Duration::ZERO,
            usable_until_monotonic: Duration::ZERO,
            found_usable: AtomicU64::new(NEVER),
        }
    }

    fn generation(&self) -> Option<u64> {
        (self.usable_until > Duration::ZERO).then(|| self.credential.generation())
    }
}

/// A number for each nanosecond of the next five hundred years.
#[inline]
fn moment(wall: Duration) -> u64 {
    wall.as_secs() << 30 | u64::from(wall.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::bindings;
    use crate::flight::Cell;

    struct Hands {
        time: Mutex<(Duration, Duration)>,
        in_ticks: bool,
    }

    impl Hands {
        fn set(&self, wall: u64, monotonic: u64) {
            *self.time.lock().unwrap() = (Duration::from_secs(wall), Duration::from_secs(monotonic));
        }
    }

    impl Clocks for Hands {
        fn wall(&self) -> Duration {
            self.time.lock().unwrap().0
        }
        fn monotonic(&self) -> Duration {
            self.time.lock().unwrap().1
        }
        fn moves_in_ticks(&self) -> bool {
            self.in_ticks
        }
    }

    /// Received at wall 1000 s and monotonic 50 s.
    fn cell_until(expires_at_ms: Option<u64>) -> (Cell<Snapshot>, Hands) {
        let raw = bindings::Credential {
            headers: Vec::new(),
            base_url: String::new(),
            generation: 1,
            renew_at: None,
            expires_at: expires_at_ms,
        };
        let time = Mutex::new((Duration::from_secs(1000), Duration::from_secs(50)));
        let hands = Hands { time, in_ticks: false };
        let cell = Cell::empty();
        cell.publish(Snapshot::new(Credential::parse(&raw, 1).unwrap(), (hands.wall(), hands.monotonic())));
        (cell, hands)
    }

    fn read(cell: &Cell<Snapshot>, hands: &Hands) -> Option<CredentialRef> {
        Snapshot::usable(cell.load(), hands)
    }

    fn remaining(cell: &Cell<Snapshot>, hands: &Hands) -> Option<Duration> {
        cell.load().remaining(hands)
    }

    #[test]
    fn nothing_is_held_at_first_and_after_retirement() {
        let (cell, hands) = cell_until(None);
        assert!(read(&cell, &hands).is_some());
        cell.retire();
        assert!(read(&cell, &hands).is_none());
        assert_eq!((cell.generation(), remaining(&cell, &hands)), (None, None));
        assert!(read(&Cell::empty(), &hands).is_none());
    }

    #[test]
    fn a_suspended_machine_ends_it_by_the_wall_clock() {
        let (cell, hands) = cell_until(Some(1_600_000));
        hands.set(1599, 51);
        assert!(read(&cell, &hands).is_some());
        hands.set(1600, 51);
        assert!(read(&cell, &hands).is_none());
        assert_eq!(remaining(&cell, &hands), Some(Duration::ZERO));
    }

    #[test]
    fn a_wall_clock_set_back_does_not_prolong_it() {
        let (cell, hands) = cell_until(Some(1_600_000));
        hands.set(10, 649);
        assert_eq!(remaining(&cell, &hands), Some(Duration::from_millis(990)));
        assert!(read(&cell, &hands).is_some());
        hands.set(10, 650);
        assert_eq!(remaining(&cell, &hands), Some(Duration::ZERO));
        assert!(read(&cell, &hands).is_none());
    }

    /// The wall clock says the same before and after, to the second, and yet ten minutes have passed.
    #[test]
    fn a_wall_clock_set_back_as_far_as_time_passed_does_not_prolong_it() {
        let (cell, hands) = cell_until(Some(1_600_000));
        assert!(read(&cell, &hands).is_some());
        hands.set(1000, 650);
        assert!(read(&cell, &hands).is_none());
        let hands = Hands { in_ticks: true, ..hands };
        assert!(read(&cell, &hands).is_none());
    }

    #[test]
    fn clocks_that_move_in_ticks_are_believed_for_one() {
        let (cell, hands) = cell_until(Some(1_600_000));
        let hands = Hands { in_ticks: true, ..hands };
        let in_this_tick = || cell.load().found_usable.load(Ordering::Relaxed);
        assert_eq!(in_this_tick(), NEVER);
        for (wall, monotonic) in [(1000, 50), (1001, 51), (900, 649)] {
            hands.set(wall, monotonic);
            assert!(read(&cell, &hands).is_some());
            assert_eq!(in_this_tick(), moment(Duration::from_secs(wall)));
        }
        // The next tick is asked about anew, by both clocks.
        for (wall, monotonic) in [(901, 650), (1600, 51)] {
            hands.set(wall, monotonic);
            assert!(read(&cell, &hands).is_none());
        }
        assert_eq!(in_this_tick(), moment(Duration::from_secs(900)));
    }

    #[test]
    fn every_nanosecond_is_another_moment() {
        let second = Duration::from_secs(1);
        let nanosecond = Duration::from_nanos(1);
        for seconds in [0, 1_700_000_000, (1 << 34) - 2] {
            let end = Duration::from_secs(seconds) + second;
            assert!(moment(end - second) < moment(end - nanosecond), "{seconds}");
            assert!(moment(end - nanosecond) < moment(end), "{seconds}");
            assert_ne!(moment(end), NEVER, "{seconds}");
        }
    }

    #[test]
    fn a_static_key_has_no_end() {
        let (cell, hands) = cell_until(None);
        hands.set(u64::MAX / 2, u64::MAX / 2);
        assert!(read(&cell, &hands).is_some());
        assert_eq!(remaining(&cell, &hands), None);
    }

    #[test]
    fn a_reference_outlives_the_replacement() {
        let (cell, hands) = cell_until(None);
        let held = read(&cell, &hands).unwrap();
        cell.retire();
        assert_eq!(held.clone().generation(), 1);
    }
}
