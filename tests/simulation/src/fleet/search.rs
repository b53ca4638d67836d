//! The longest outage that no caller notices.

use super::play::{Setting, Trouble, play, play_some};
use super::policy::{Contender, LIFETIME};
use crate::plot::{HOUR, Moment, SECOND};

/// The more there are, the closer the unluckiest of them comes to the worst that a policy can draw.
const INSTANCES: u64 = 2_500;

/// The outage comes to each instance at its first exchange after this.
const AFTER: Moment = HOUR;

/// Longer than anything lasts that was issued before.
const FOR_EVER: u64 = LIFETIME + SECOND;

/// A back-off may go on for so long after an outage.
const AFTERWARDS: u64 = 600 * SECOND;

/// Of an outage that never ends, those who fail first are those who fail first of a shorter one, too.
const FIRST: usize = 250;

/// The search goes down in such steps until an outage passes unnoticed, then halves them. Where an outage ends between
/// two tries it is luck who gets through, so as many that are a little shorter have to pass, too.
const STEP: u64 = 16;

/// In seconds: it passes without an error for any caller of any instance, although it begins for each of them at the
/// worst moment that there is for it.
#[must_use]
pub fn longest_unnoticed(contender: &Contender) -> u64 {
    let log = play(contender, setting(FOR_EVER));
    let mut failed: Vec<(u64, u64)> =
        log.failed_after.iter().zip(0..).filter_map(|(after, number)| Some(((*after)?, number))).collect();
    failed.sort_unstable();
    let Some((first, _)) = failed.first() else { return FOR_EVER / SECOND };
    let numbers: Vec<u64> = failed.iter().take(FIRST).map(|(_, number)| *number).collect();
    let passes = |seconds: u64| play_some(contender, setting(seconds * SECOND), &numbers).failed_calls == 0;
    let mut longest = first / SECOND;
    let mut noticed = longest + 1;
    while longest > 0 && !passes(longest) {
        (longest, noticed) = (longest.saturating_sub(STEP), longest);
    }
    while noticed - longest > 1 {
        let middle = longest.midpoint(noticed);
        if passes(middle) { longest = middle } else { noticed = middle }
    }
    while let Some(lucky) = (longest.saturating_sub(STEP)..longest).find(|seconds| !passes(*seconds)) {
        longest = lucky.saturating_sub(1);
    }
    longest
}

fn setting(outage: u64) -> Setting {
    // Everybody has met the outage within a lifetime.
    let lasts = AFTER + LIFETIME + outage + AFTERWARDS;
    let trouble = Trouble::OutageAtTheWorstMoment { after: AFTER, lasts: outage };
    Setting { instances: INSTANCES, start: 30 * SECOND, lasts, trouble }
}
