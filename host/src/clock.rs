//! The two clocks, injectable.
//!
//! Lifetimes are judged on both: the wall clock goes on while a machine is suspended but can be set to anything, the
//! monotonic clock cannot be set but stands still in suspend. Whichever says "over" first is believed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[cfg(target_os = "linux")]
use rustix::time::ClockId;

/// Where a [`Runtime`](crate::Runtime) and its components read the time. Only tests replace it.
pub trait Clocks: Send + Sync + 'static {
    /// Time since the Unix epoch. Zero before it: a machine without a battery-backed clock may start in 1969.
    fn wall(&self) -> Duration;

    /// Time since any fixed moment.
    fn monotonic(&self) -> Duration;

    /// As [`wall`](Self::wall), for every read of a credential: a few milliseconds of error are welcome if that saves
    /// time.
    fn wall_coarse(&self) -> Duration {
        self.wall()
    }

    /// As [`monotonic`](Self::monotonic), for every read of a credential.
    fn monotonic_coarse(&self) -> Duration {
        self.monotonic()
    }

    /// Whether both coarse clocks move together, in ticks, so that the monotonic one says nothing new while the wall clock
    /// shows the same nanosecond. Then a read of a credential asks it once in a tick only.
    fn moves_in_ticks(&self) -> bool {
        false
    }
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClocks {
    started: Instant,
    /// The same moment as Linux counts, from the start of the machine.
    #[cfg(target_os = "linux")]
    started_after_boot: Duration,
}

impl Default for SystemClocks {
    fn default() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            started_after_boot: read(ClockId::Monotonic),
            started: Instant::now(),
        }
    }
}

impl Clocks for SystemClocks {
    fn wall(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn wall_coarse(&self) -> Duration {
        read(ClockId::RealtimeCoarse)
    }

    #[cfg(target_os = "linux")]
    fn monotonic_coarse(&self) -> Duration {
        read(ClockId::MonotonicCoarse).saturating_sub(self.started_after_boot)
    }

    /// The kernel writes both down in one step. A wall clock that is set while a process is stopped could show a nanosecond
    /// once more; a tick has a million or more of them.
    #[cfg(target_os = "linux")]
    fn moves_in_ticks(&self) -> bool {
        true
    }
}

/// The coarse ones are read from memory that the kernel shares (vDSO), up to one scheduler tick old.
#[cfg(target_os = "linux")]
fn read(clock: ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Milliseconds, as the WIT counts. Saturates in the year 584 million.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A moment given in Unix milliseconds. `None` when the platform's clock cannot express it.
pub(crate) fn system_time(unix_ms: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_millis(unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clocks_are_the_clocks() {
        let clocks = SystemClocks::default();
        assert!(clocks.wall().abs_diff(clocks.wall_coarse()) < Duration::from_secs(1));
        assert!(clocks.monotonic().abs_diff(clocks.monotonic_coarse()) < Duration::from_secs(1));
    }

    #[test]
    fn a_moment_out_of_range_is_none_or_a_time_but_no_panic() {
        let _ = system_time(u64::MAX);
        assert_eq!(system_time(0), Some(UNIX_EPOCH));
    }
}
