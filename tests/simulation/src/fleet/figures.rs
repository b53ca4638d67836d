//! What is measured of a policy, and in which plays.

use std::ops::Range;
use std::thread;

use super::play::{BETWEEN_CALLS, Log, Setting, Trouble, play};
use super::policy::{ALL, Contender, KEYLESS};
use super::search;
use crate::plot::{HOUR, MINUTE, SECOND};

/// In every play but the search.
pub const INSTANCES: u64 = 10_000;

/// All instances start within this time where the load is measured: a deployment.
const START: u64 = 30 * SECOND;

/// When an outage begins: the spread of the first renewals has passed.
const OUTAGE_AT: u64 = 3 * HOUR;

const DAY: u64 = 24 * HOUR;

/// An hour of seconds, for ranges of [`Log::seconds`].
const AN_HOUR: usize = 3_600;

/// Of one policy. Rates are exchanges in a second, among all instances.
#[derive(Clone, Debug)]
pub struct Figures {
    pub contender: Contender,
    pub load: Load,
    pub outage: Outage,
    /// The longest outage that no caller notices, in seconds.
    pub unnoticed: u64,
}

/// A day after a start within thirty seconds, without trouble. The first exchange of each instance is left out.
#[derive(Clone, Debug)]
pub struct Load {
    pub mean: f64,
    /// Per instance and day.
    pub exchanges: f64,
    /// The worst second of the hour after the start.
    pub first_hour: u64,
    /// The worst second of the day.
    pub day: u64,
    /// The worst of all spans of ten seconds, in that hour and that day: exchanges in ten seconds.
    pub first_hour_tens: u64,
    pub day_tens: u64,
    /// Every second of the first four hours, for the drawing.
    pub seconds: Vec<u64>,
}

/// Fifteen minutes of 503, met by a fleet whose instances were started evenly over one cycle, so that as many are at every
/// point of it: a fleet that renews in step is neither lucky nor unlucky.
#[derive(Clone, Debug)]
pub struct Outage {
    /// Exchanges per instance, on average and at most.
    pub exchanges: f64,
    pub most: u64,
    /// The worst second of the minute after it.
    pub rush: u64,
    /// Seconds until 99 of 100 instances are fresh.
    pub fresh_after: Option<u64>,
    /// Per thousand calls of its time.
    pub failed: f64,
    /// The same, for an outage of thirty minutes.
    pub failed_in_thirty: f64,
}

/// Everything there is to print.
#[derive(Clone, Debug)]
pub struct Report {
    /// In the order of [`ALL`].
    pub figures: Vec<Figures>,
    /// Ours.
    pub aftermath: Aftermath,
}

impl Report {
    /// What the others are measured by.
    #[must_use]
    pub fn ours(&self) -> &Figures {
        self.figures.first().unwrap()
    }
}

/// Plays everything, on all processors. It is the same every time.
#[must_use]
pub fn report() -> Report {
    thread::scope(|scope| {
        let aftermath = scope.spawn(|| aftermath(&KEYLESS));
        let parts = ALL.each_ref().map(|contender| {
            let load = scope.spawn(|| load(contender));
            let outage = scope.spawn(|| outage(contender));
            let unnoticed = scope.spawn(|| search::longest_unnoticed(contender));
            (contender, load, outage, unnoticed)
        });
        let figures = parts.map(|(contender, load, outage, unnoticed)| Figures {
            contender: *contender,
            load: load.join().unwrap(),
            outage: outage.join().unwrap(),
            unnoticed: unnoticed.join().unwrap(),
        });
        Report { figures: figures.into(), aftermath: aftermath.join().unwrap() }
    })
}

/// A day without trouble.
#[must_use]
pub fn load(contender: &Contender) -> Load {
    let setting = Setting { instances: INSTANCES, start: START, lasts: DAY, trouble: Trouble::None };
    let Log { seconds, .. } = play(contender, setting);
    let after_start = usize::try_from(START / SECOND).unwrap();
    let total = seconds.iter().sum::<u64>() as f64;
    let first_hour = after_start..after_start + AN_HOUR;
    Load {
        mean: total / (DAY / SECOND) as f64,
        exchanges: total / INSTANCES as f64,
        first_hour: worst(&seconds, first_hour.clone()),
        day: worst(&seconds, 0..seconds.len()),
        first_hour_tens: worst_tens(&seconds, first_hour),
        day_tens: worst_tens(&seconds, 0..seconds.len()),
        seconds: seconds[..4 * AN_HOUR].to_vec(),
    }
}

/// An outage that begins in steady state.
#[must_use]
pub fn outage(contender: &Contender) -> Outage {
    let (log, failed) = outage_of(contender, 15 * MINUTE);
    let over = usize::try_from((OUTAGE_AT + 15 * MINUTE) / SECOND).unwrap();
    let (_, failed_in_thirty) = outage_of(contender, 30 * MINUTE);
    Outage {
        exchanges: log.in_outage.iter().sum::<u64>() as f64 / INSTANCES as f64,
        most: log.in_outage.iter().copied().max().unwrap_or_default(),
        rush: worst(&log.seconds, over..over + 60),
        fresh_after: log.fresh_after.map(|ms| ms.div_ceil(SECOND)),
        failed,
        failed_in_thirty,
    }
}

fn outage_of(contender: &Contender, lasts: u64) -> (Log, f64) {
    let over = OUTAGE_AT + lasts;
    let setting = Setting {
        instances: INSTANCES,
        start: contender.cycle,
        lasts: over + 30 * MINUTE,
        trouble: Trouble::Outage { from: OUTAGE_AT, lasts },
    };
    let log = play(contender, setting);
    let calls = INSTANCES * lasts / BETWEEN_CALLS;
    let failed = log.failed_calls as f64 * 1_000.0 / calls as f64;
    (log, failed)
}

/// The worst second of the three hours after something came to a whole fleet at once; without the first five minutes,
/// in which it is answered.
#[derive(Clone, Copy, Debug)]
pub struct Aftermath {
    /// After fifteen minutes of 503.
    pub outage: u64,
    /// After a revocation of all credentials.
    pub revocation: u64,
}

/// What those leave behind.
#[must_use]
pub fn aftermath(contender: &Contender) -> Aftermath {
    let from = usize::try_from((OUTAGE_AT + 20 * MINUTE) / SECOND).unwrap();
    let played = |trouble| {
        let lasts = OUTAGE_AT + 20 * MINUTE + 3 * HOUR;
        play(contender, Setting { instances: INSTANCES, start: START, lasts, trouble })
    };
    let outage = played(Trouble::Outage { from: OUTAGE_AT, lasts: 15 * MINUTE });
    let revocation = played(Trouble::Revocation { at: OUTAGE_AT + 15 * MINUTE });
    let hours = from..from + 3 * AN_HOUR;
    Aftermath { outage: worst(&outage.seconds, hours.clone()), revocation: worst(&revocation.seconds, hours) }
}

/// What chance alone makes the worst of so many seconds, if renewals come at moments that know nothing of each other: the
/// rate that is more likely exceeded in none of them than in one (Poisson).
#[must_use]
pub fn by_chance(mean: f64, seconds: f64) -> u64 {
    let mut rate = 0;
    let (mut exactly, mut at_most) = ((-mean).exp(), (-mean).exp());
    while (1.0 - at_most) * seconds > 0.5 {
        rate += 1;
        exactly *= mean / rate as f64;
        at_most += exactly;
    }
    rate
}

fn worst(seconds: &[u64], within: Range<usize>) -> u64 {
    seconds[within].iter().copied().max().unwrap_or_default()
}

fn worst_tens(seconds: &[u64], within: Range<usize>) -> u64 {
    seconds[within].windows(10).map(|ten| ten.iter().sum()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_found_where_it_is_looked_for() {
        let mut seconds = vec![1; 100];
        seconds[50] = 9;
        assert_eq!((worst(&seconds, 0..100), worst(&seconds, 0..50)), (9, 1));
        assert_eq!((worst_tens(&seconds, 0..100), worst_tens(&seconds, 0..50)), (18, 10));
    }

    #[test]
    fn chance_is_a_poisson_distribution() {
        // P(N > 3) is 0.0190 at a mean of one.
        assert_eq!(by_chance(1.0, 26.0), 3);
        assert_eq!(by_chance(1.0, 27.0), 4);
    }
}
