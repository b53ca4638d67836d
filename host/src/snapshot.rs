//! One credential and its end on both clocks, as readers see it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
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
}

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
        Self { credential, usable_until, usable_until_monotonic }
    }

    /// The credential, unless there is none or either clock says that it has ended. The task takes it away then, but after
    /// a process was stopped readers may be first.
    pub(crate) fn usable(snapshot: Guard<Self>, clocks: &dyn Clocks) -> Option<CredentialRef> {
        // A static key costs no clock read at all.
        let usable = snapshot.usable_until == Duration::MAX
            || (clocks.wall_coarse() < snapshot.usable_until
                && clocks.monotonic_coarse() < snapshot.usable_until_monotonic);
        usable.then(|| CredentialRef(snapshot))
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
        }
    }

    fn generation(&self) -> Option<u64> {
        (self.usable_until > Duration::ZERO).then(|| self.credential.generation())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::bindings;
    use crate::flight::Cell;

    struct Hands(Mutex<(Duration, Duration)>);

    impl Hands {
        fn set(&self, wall: u64, monotonic: u64) {
            *self.0.lock().unwrap() = (Duration::from_secs(wall), Duration::from_secs(monotonic));
        }
    }

    impl Clocks for Hands {
        fn wall(&self) -> Duration {
            self.0.lock().unwrap().0
        }
        fn monotonic(&self) -> Duration {
            self.0.lock().unwrap().1
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
        let hands = Hands(Mutex::new((Duration::from_secs(1000), Duration::from_secs(50))));
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
