//! The clock that leases are judged by.

use std::time::Duration;

/// Time since the machine started, the time in suspend included: a leader that slept must not believe that it still leads.
/// Linux has such a clock; elsewhere the monotonic one has to do.
pub(crate) fn now() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
