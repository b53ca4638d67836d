//! What a state machine gets wrong.

use keyless_engine::io::{Effect, Now, Response, SendFault};
use keyless_engine::{Answered, Event, Machine, Variables};
use keyless_simulation::life::DOCUMENT;
use keyless_simulation::plot::{BadFile, HOUR, MINUTE, Outage, SECOND, What};
use keyless_simulation::promises::Answer;

use crate::{Result, cold, outage, recovers, warm};

#[test]
fn f10_a_failed_renewal_hides_no_valid_credential() -> Result {
    for how in [Outage::Silent, Outage::Status(500), Outage::Refused, Outage::Garbage, Outage::RetryAfter(10)]
    {
        let mut life = warm();
        outage(&mut life, how, 2 * HOUR)?;
        let tally = life.calls(SECOND, 3_590 * SECOND)?;
        assert_eq!((tally.pending, tally.failed), (0, 0), "{how:?} {tally:?}");
    }
    Ok(())
}

#[test]
fn f11_an_expired_credential_is_never_handed_out() -> Result {
    let mut life = warm();
    outage(&mut life, Outage::Silent, 3 * HOUR)?;
    life.pass(HOUR)?;
    let tally = life.calls(SECOND, HOUR)?;
    assert_eq!(tally.ready, 0, "{tally:?}");
    Ok(())
}

#[test]
fn f12_no_failure_is_final() -> Result {
    for how in [
        Outage::Fault(SendFault::Untrusted),
        Outage::Fault(SendFault::TooLarge),
        Outage::Status(404),
        Outage::Status(418),
        Outage::Garbage,
        Outage::NoToken,
        Outage::NoLifetime,
        Outage::Refused,
    ] {
        let mut life = cold();
        outage(&mut life, how, 5 * HOUR)?;
        life.calls(MINUTE, 5 * HOUR)?;
        recovers(&mut life)?;
    }
    for how in [BadFile::Missing, BadFile::Unreadable, BadFile::Expired] {
        let mut life = cold();
        life.happen(What::BadFile { lasts: 5 * HOUR, how })?;
        life.calls(MINUTE, 5 * HOUR)?;
        recovers(&mut life)?;
    }
    Ok(())
}

#[test]
fn f13_a_torn_reading_is_read_again_and_not_taken_for_final() -> Result {
    for how in [BadFile::HalfWritten, BadFile::Empty, BadFile::Missing] {
        let mut life = cold();
        life.happen(What::BadFile { lasts: 200, how })?;
        assert_eq!(life.call()?, Answer::Pending);
        life.pass(400)?;
        assert!(matches!(life.call()?, Answer::Ready { generation: 1, .. }), "{how:?}");
        assert_eq!(life.status().counters.failures, 0);
    }
    Ok(())
}

#[test]
fn f14_a_granting_answer_without_a_token_is_asked_for_again() -> Result {
    for body in ["", "{}", "null", r#"{"access_token":""}"#] {
        let mut life = cold();
        outage(&mut life, Outage::Body(body), 5 * SECOND)?;
        life.calls(SECOND, 10 * SECOND)?;
        life.pass(20 * SECOND)?;
        assert!(matches!(life.call()?, Answer::Ready { .. }), "{body}");
    }
    Ok(())
}

#[test]
fn f16_no_clock_makes_a_wait_negative_or_endless() -> Result {
    for by in [i64::MIN, -2_000_000_000_000, 1_000_000_000_000_000, i64::MAX] {
        let mut life = warm();
        life.happen(What::SetClock(by))?;
        life.calls(MINUTE, 24 * HOUR)?;
        let late = life.sent.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(late <= HOUR, "{by}: nothing happened for {late} ms");
    }
    Ok(())
}

#[test]
fn f17_nobody_waits_once_there_was_a_credential() -> Result {
    let mut life = warm();
    life.happen(What::Latency(9 * SECOND))?;
    let tally = life.calls(SECOND, 24 * HOUR)?;
    assert_eq!((tally.pending, tally.failed), (0, 0), "{tally:?}");
    assert!(life.status().generation > 40);
    Ok(())
}

#[test]
fn f18_an_exchange_has_its_own_time_whatever_its_callers_have() -> Result {
    let mut life = cold();
    life.happen(What::Latency(9 * SECOND))?;
    // The caller has 50 ms and never comes back.
    assert_eq!(life.call()?, Answer::Pending);
    life.pass(10 * SECOND)?;
    assert_eq!((life.status().generation, life.summary.exchanges), (1, 1));
    Ok(())
}

#[test]
fn f20_a_caller_who_leaves_disturbs_nobody() -> Result {
    let mut life = cold();
    life.happen(What::Latency(5 * SECOND))?;
    assert_eq!(life.call()?, Answer::Pending);
    life.pass(SECOND)?;
    assert_eq!(life.call()?, Answer::Pending);
    life.pass(5 * SECOND)?;
    assert!(matches!(life.call()?, Answer::Ready { .. }));
    assert_eq!(life.summary.exchanges, 1);
    Ok(())
}

#[test]
fn f21_a_late_refusal_of_the_old_credential_leaves_the_new_one_alone() -> Result {
    let mut life = warm();
    life.pass(MINUTE)?;
    life.reject(1)?;
    life.pass(MINUTE)?;
    assert_eq!(life.status().generation, 2);
    let before = life.summary.exchanges;
    for _ in 0..100 {
        life.reject(1)?;
        assert!(matches!(life.call()?, Answer::Ready { generation: 2, .. }));
        life.pass(SECOND)?;
    }
    assert_eq!(life.summary.exchanges, before);
    Ok(())
}

#[test]
fn f22_an_answer_that_nobody_waits_for_overwrites_nothing() {
    let now = |ms: u64| Now { wall_ms: 1_800_000_000_000 + ms, monotonic_ms: 7_000 + ms };
    let mut machine = Machine::open(DOCUMENT, &Variables::default()).unwrap();
    let old = request(&mut machine, now(0));
    let effects = machine.step(now(30_000), Event::Tick);
    assert!(matches!(effects.as_slice(), [Effect::Cancel { id }] if *id == old), "given up after 30 s");
    let new = request(&mut machine, now(40_000));
    machine.step(now(40_001), Event::Response(old, Ok(grant("old"))));
    assert!(matches!(machine.credential(now(40_001)), Answered::Pending));
    machine.step(now(40_002), Event::Response(new, Ok(grant("new"))));
    machine.step(now(40_003), Event::Response(old, Ok(grant("old"))));
    machine.step(now(40_004), Event::Response(new, Ok(grant("again"))));
    let Answered::Ready(credential) = machine.credential(now(40_005)) else { panic!("no credential") };
    assert_eq!((credential.headers[0].1.expose(), credential.generation), ("Bearer new", 1));
}

/// Lets an attempt begin and reads the file for it. The id of its request.
fn request(machine: &mut Machine, now: Now) -> u64 {
    let effects = machine.step(now, Event::Tick);
    let Some(Effect::ReadFile { id, .. }) = effects.first() else { panic!("no file is read") };
    let token = b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln".to_vec().into();
    let effects = machine.step(now, Event::File(*id, Ok(token)));
    let Some(Effect::Send { id, .. }) = effects.first() else { panic!("nothing is sent") };
    *id
}

fn grant(token: &str) -> Response {
    let body = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":3600}}"#);
    Response { status: 200, headers: Vec::new(), body: body.into_bytes().into() }
}

#[test]
fn f23_an_api_that_refuses_everything_forces_one_exchange_in_thirty_seconds() -> Result {
    let mut life = warm();
    for _ in 0..10 * 60 {
        if let Answer::Ready { generation, .. } = life.call()? {
            life.reject(generation)?;
        }
        life.pass(SECOND)?;
    }
    assert!((15..=22).contains(&life.summary.exchanges), "{} in ten minutes", life.summary.exchanges);
    Ok(())
}

#[test]
fn f25_a_slow_answer_lengthens_no_life() -> Result {
    let mut life = cold();
    life.happen(What::Lifetime(MINUTE))?;
    life.happen(What::Latency(9_900))?;
    life.call()?;
    life.pass(10 * SECOND)?;
    // Counted from before it was sent, less a margin of five seconds.
    let began = life.now().wall_ms - 10 * SECOND;
    assert_eq!(life.status().expires_at, Some(began + 55 * SECOND));
    Ok(())
}

#[test]
fn f26_a_refresh_token_is_neither_kept_nor_used() -> Result {
    let mut life = cold();
    life.world.beside = r#","refresh_token":"CANARY""#;
    life.calls(MINUTE, 2 * HOUR)?;
    assert!(life.summary.exchanges > 1);
    let request = String::from_utf8(life.last_request).unwrap();
    assert!(request.contains("subject_token") && !request.contains("CANARY"), "{request}");
    Ok(())
}
