//! This machine's clock beside the others'.

use std::time::{Duration, SystemTime};

/// Clocks that differ by more than this many seconds are worth a word.
pub(super) const LIMIT: i64 = 60;

/// The time at a place whose clock is so many seconds ahead of this machine's.
pub(super) fn their_time(ahead: i64) -> SystemTime {
    let here = SystemTime::now();
    let by = Duration::from_secs(ahead.unsigned_abs());
    let there = if ahead >= 0 { here.checked_add(by) } else { here.checked_sub(by) };
    there.unwrap_or(here)
}

/// `90 s ahead of`, `2 h behind`.
pub(super) fn apart(ahead: i64) -> String {
    let by = crate::output::doctor::span(ahead.unsigned_abs());
    if ahead >= 0 { format!("{by} ahead of") } else { format!("{by} behind") }
}
