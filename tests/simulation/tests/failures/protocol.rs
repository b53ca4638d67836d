//! Answers. Each form of them is a row of tests/bad/answers.json; here is what a bad one does to a connection at work.

use keyless_engine::io::SendFault;
use keyless_simulation::plot::{HOUR, MINUTE, Outage, SECOND, What};

use crate::{Result, cold, outage, recovers, warm};

/// A good credential is held, and then the endpoint only answers like that until long after its end.
fn survives(how: Outage) -> Result {
    let mut life = warm();
    outage(&mut life, how, 50 * MINUTE)?;
    let tally = life.calls(SECOND, HOUR)?;
    assert_eq!((tally.pending, tally.failed), (0, 0), "{how:?} {tally:?}");
    Ok(())
}

#[test]
fn f41_a_lifetime_that_is_none_makes_no_token_immortal() -> Result {
    for seconds in ["0", "-1", "NaN", "1e400", "-1e400", "\"\"", "\"NaN\"", "{}", "[]", "true", "0.0", "1.9"]
    {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer","expires_in":{seconds}}}"#);
        let body: &'static str = Box::leak(body.into_boxed_str());
        survives(Outage::Body(body))?;
        let mut life = cold();
        outage(&mut life, Outage::Body(body), MINUTE)?;
        let tally = life.calls(SECOND, MINUTE)?;
        assert_eq!(tally.ready, 0, "{seconds}");
        recovers(&mut life)?;
    }
    Ok(())
}

#[test]
fn f42_a_body_that_is_too_large_is_a_failure_like_any_other() -> Result {
    survives(Outage::Fault(SendFault::TooLarge))
}

#[test]
fn f45_a_redirect_is_a_failure_like_any_other() -> Result {
    survives(Outage::Status(302))?;
    survives(Outage::Status(307))
}

#[test]
fn f48_an_endpoint_that_is_not_trusted_is_asked_again() -> Result {
    survives(Outage::Fault(SendFault::Untrusted))
}

#[test]
fn f50_a_name_that_does_not_resolve_is_asked_again() -> Result {
    survives(Outage::Fault(SendFault::Unresolved))
}

#[test]
fn f51_a_connection_that_breaks_is_made_again() -> Result {
    survives(Outage::Fault(SendFault::Broken))
}

#[test]
fn f54_an_endpoint_that_never_answers_ends_with_its_deadline() -> Result {
    survives(Outage::Silent)?;
    let mut life = cold();
    outage(&mut life, Outage::Silent, HOUR)?;
    life.call()?;
    life.pass(10 * SECOND)?;
    assert_eq!(life.status().counters.failures, 1);
    Ok(())
}

#[test]
fn f55_an_identity_of_minutes_is_fetched_for_each_exchange() -> Result {
    // With tokens of five minutes, an identity that was kept would be refused.
    let mut life = cold();
    life.happen(What::Lifetime(5 * MINUTE))?;
    let tally = life.calls(SECOND, 6 * HOUR)?;
    assert!(tally.pending <= 1 && tally.failed == 0, "{tally:?}");
    assert_eq!(life.readings, life.summary.exchanges);
    Ok(())
}
