//! The failures that the field has seen, each with a scenario of its own, numbered as in docs/reliability.md.
//!
//! All promises of [`keyless_simulation::promises`] are checked in each of them as well.

#![expect(clippy::panic, clippy::unwrap_used, reason = "nothing but tests in this crate")]

mod clocks;
mod identity;
mod load;
mod logic;
mod protocol;

use keyless_simulation::life::{DOCUMENT, Life};
use keyless_simulation::plot::{MINUTE, Moment, Outage, SECOND, What};

type Result = core::result::Result<(), String>;

/// A connection with nothing done yet.
fn cold() -> Life {
    Life::new(DOCUMENT)
}

/// One with its first credential, of an hour.
fn warm() -> Life {
    let mut life = cold();
    life.call().unwrap();
    life.pass(SECOND).unwrap();
    assert_eq!(life.status().generation, 1);
    life
}

/// From now on the endpoint is like that, for so long.
fn outage(life: &mut Life, how: Outage, lasts: u64) -> Result {
    life.happen(What::Outage { lasts, how })
}

/// The time between two requests, from the moment on.
fn gaps(life: &Life, from: Moment) -> Vec<u64> {
    let sent: Vec<_> = life.sent.iter().copied().filter(|at| *at >= from).collect();
    sent.iter().zip(sent.iter().skip(1)).map(|(one, next)| next - one).collect()
}

/// After any trouble: within the longest back-off there is a credential again, and nobody waits for it any more.
fn recovers(life: &mut Life) -> Result {
    life.pass(6 * MINUTE)?;
    let tally = life.calls(SECOND, MINUTE)?;
    assert_eq!((tally.pending, tally.failed), (0, 0), "{tally:?}");
    Ok(())
}
