//! Clocks that stop and clocks that step.

use keyless_simulation::plot::{HOUR, MINUTE, Outage, SECOND, What};
use keyless_simulation::promises::Answer;

use crate::{Result, outage, recovers, warm};

#[test]
fn f27_a_machine_that_slept_holds_no_fresh_credential() -> Result {
    let mut life = warm();
    outage(&mut life, Outage::Silent, 5 * HOUR)?;
    life.happen(What::Suspend(2 * HOUR))?;
    assert!(!matches!(life.call()?, Answer::Ready { .. }), "its monotonic clock stood still");
    Ok(())
}

#[test]
fn f28_a_timer_that_slept_is_noticed_within_half_a_minute() -> Result {
    let mut life = warm();
    let before = life.now().wall_ms;
    life.happen(What::Suspend(2 * HOUR))?;
    // Nobody calls.
    life.pass(31 * SECOND)?;
    assert_eq!(life.status().generation, 2);
    assert!(life.status().expires_at > Some(before + 2 * HOUR));
    Ok(())
}

#[test]
fn f29_a_wall_clock_that_goes_back_lengthens_no_life() -> Result {
    let mut life = warm();
    outage(&mut life, Outage::Silent, 9 * HOUR)?;
    life.happen(What::SetClock(-i64::try_from(3 * HOUR).unwrap()))?;
    let tally = life.calls(SECOND, 3_580 * SECOND)?;
    assert_eq!((tally.pending, tally.failed), (0, 0), "{tally:?}");
    life.pass(20 * SECOND)?;
    assert!(!matches!(life.call()?, Answer::Ready { .. }));
    Ok(())
}

#[test]
fn f30_a_wall_clock_that_goes_ahead_costs_one_exchange_and_no_credential() -> Result {
    for minutes in [1, 30, 120, 60 * 24 * 365] {
        let mut life = warm();
        life.pass(MINUTE)?;
        life.happen(What::SetClock(i64::try_from(minutes * MINUTE).unwrap()))?;
        life.call()?;
        life.pass(MINUTE)?;
        assert_eq!((life.summary.exchanges, life.status().generation), (2, 2), "{minutes}");
        // The identity token looks old by this clock from now on. By the endpoint's it does not.
        let tally = life.calls(10 * SECOND, 24 * HOUR)?;
        assert_eq!((tally.pending, tally.failed), (0, 0), "{minutes}: {tally:?}");
    }
    Ok(())
}

#[test]
fn f31_a_clock_before_1970_is_a_time_like_any_other() -> Result {
    let mut life = warm();
    life.happen(What::SetClock(i64::MIN))?;
    assert_eq!(life.now().wall_ms, 0);
    life.calls(SECOND, HOUR)?;
    life.happen(What::SetClock(0))?;
    recovers(&mut life)
}
