//! Load and pacing.

use keyless_engine::io::SendFault;
use keyless_simulation::life::Life;
use keyless_simulation::plot::{HOUR, MINUTE, Outage, SECOND, What};

use crate::{Result, cold, gaps, outage, recovers, warm};

#[test]
fn f01_concurrent_cold_callers_share_one_exchange() -> Result {
    let mut life = cold();
    life.happen(What::Latency(5 * SECOND))?;
    for _ in 0..10_000 {
        life.call()?;
    }
    life.pass(6 * SECOND)?;
    for _ in 0..10_000 {
        life.call()?;
    }
    assert_eq!((life.summary.exchanges, life.summary.served), (1, 10_000));
    Ok(())
}

#[test]
fn f02_a_convoy_of_callers_makes_no_convoy_of_retries() -> Result {
    let mut life = cold();
    outage(&mut life, Outage::Status(429), 10 * MINUTE)?;
    let tally = life.calls(10, 10 * MINUTE)?;
    assert!(tally.failed > 50_000 && life.summary.exchanges < 15, "{tally:?} {}", life.summary.exchanges);
    recovers(&mut life)
}

#[test]
fn f03_instances_that_start_together_do_not_renew_together() -> Result {
    // The whole fleet is measured in `fleet.rs`; here is what makes it work: no two renew in the same minute for long.
    let mut moments: Vec<_> = (0..100_u64)
        .map(|instance| {
            let mut life = cold();
            life.world.issued = 1_000 * instance;
            life.calls(HOUR, HOUR)?;
            Ok(life.sent[1] / MINUTE)
        })
        .collect::<core::result::Result<_, String>>()?;
    moments.sort_unstable();
    let busiest = moments.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap();
    assert!(busiest <= 15 && moments[99] - moments[0] >= 20, "{moments:?}");
    Ok(())
}

#[test]
fn f04_a_buffer_longer_than_the_life_is_no_exchange_per_call() -> Result {
    let document = r#"{
      "source": {"type": "kubernetes", "token_file_path": "/token"},
      "exchange": {"type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1"},
      "refresh_buffer_seconds": 1200
    }"#;
    let mut life = Life::new(document);
    life.happen(What::Lifetime(10 * MINUTE))?;
    life.calls(SECOND, 10 * HOUR)?;
    let per_lifetime = life.summary.exchanges as f64 / 60.0;
    assert!(per_lifetime <= 2.3, "{per_lifetime} exchanges a lifetime");
    Ok(())
}

#[test]
fn f05_retry_after_is_kept_in_both_its_forms() -> Result {
    for how in [Outage::RetryAfter(120), Outage::RetryAfterDate(120)] {
        let mut life = cold();
        outage(&mut life, how, 20 * MINUTE)?;
        life.calls(SECOND, 20 * MINUTE)?;
        let gaps = gaps(&life, 0);
        assert!(gaps.iter().all(|gap| (119 * SECOND..=133 * SECOND).contains(gap)), "{gaps:?}");
        recovers(&mut life)?;
    }
    // It is not waited for longer than the credential lives.
    let mut life = warm();
    life.pass(30 * MINUTE)?;
    outage(&mut life, Outage::RetryAfter(3_600), 20 * MINUTE)?;
    let tally = life.calls(SECOND, 40 * MINUTE)?;
    assert_eq!((tally.pending, tally.failed), (0, 0), "a last chance before the end");
    Ok(())
}

#[test]
fn f06_a_back_off_is_really_waited_for_and_grows() -> Result {
    let mut life = cold();
    outage(&mut life, Outage::Status(503), HOUR)?;
    life.calls(SECOND, HOUR)?;
    let gaps = gaps(&life, 0);
    assert!(gaps.iter().all(|gap| *gap >= SECOND), "{gaps:?}");
    assert!(gaps[0] <= 2 * SECOND + 20 && gaps.len() <= 60, "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap > 2 * MINUTE), "{gaps:?}");
    Ok(())
}

#[test]
fn f07_an_issuer_that_gives_expired_tokens_is_not_asked_in_a_loop() -> Result {
    let mut life = cold();
    outage(&mut life, Outage::NearlyExpired, 10 * MINUTE)?;
    let tally = life.calls(100, 10 * MINUTE)?;
    assert!(life.summary.exchanges < 15, "{}", life.summary.exchanges);
    assert!(tally.codes.contains("response-lifetime"), "{tally:?}");
    recovers(&mut life)
}

#[test]
fn f08_what_is_hopeless_is_asked_slowly_and_says_one_thing() -> Result {
    let mut life = cold();
    outage(&mut life, Outage::Refused, 24 * HOUR)?;
    let tally = life.calls(SECOND, 24 * HOUR)?;
    let gaps = gaps(&life, 0);
    assert!(gaps.iter().all(|gap| (MINUTE..=301 * SECOND).contains(gap)), "{gaps:?}");
    assert_eq!(tally.codes.into_iter().collect::<Vec<_>>(), ["exchange-refused"]);
    recovers(&mut life)
}

#[test]
fn f09_consumers_share_the_failure_and_the_pause_of_an_outage_of_names() -> Result {
    let mut life = cold();
    outage(&mut life, Outage::Fault(SendFault::Unresolved), 5 * MINUTE)?;
    for _ in 0..5 * 60 {
        for _ in 0..20 {
            life.call()?;
        }
        life.pass(SECOND)?;
    }
    let during = life.summary.exchanges;
    assert!(during < 15, "{during}");
    recovers(&mut life)
}
