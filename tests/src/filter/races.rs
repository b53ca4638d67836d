//! What happens between two calls of one worker, where another one is faster: its workers are threads of one Envoy.

use keyless_engine::io::Now;

use super::shared_data::{Access, SharedData};
use super::stage::{Stage, issues};

/// Just before this worker writes down that it leads, another one does, and is never heard of again.
fn another_leads(stage: &Stage) {
    let until = stage.envoy.now() + 3_000;
    let claim = [7_u64.to_le_bytes(), until.to_le_bytes()].concat();
    let act = move |data: &mut SharedData, lead: &str| {
        assert!(data.set(lead.to_owned(), claim, 0, Now::default()));
    };
    stage.envoy.process.borrow_mut().data.interfere_with(Access::Set, "/lead", act);
}

#[test]
fn who_claims_the_lead_a_moment_too_late_has_not_got_it() {
    let mut stage = Stage::new(1, &[issues("one")]);
    another_leads(&stage);
    let request = stage.request(0);
    stage.envoy.run(2_999);
    assert!(stage.is_paused(request) && stage.exchanges() == 0);
    stage.envoy.run(21);
    assert_eq!(stage.exchanges(), 1);
    stage.envoy.run(500);
    assert_eq!(stage.credential(request).as_deref(), Some("Bearer one"));
    stage.finish();
}

#[test]
fn who_loses_the_lead_while_saying_that_it_lives_gives_way() {
    let mut slow = issues("one");
    slow["after"] = 2.into();
    let mut stage = Stage::new(1, &[slow, issues("two")]);
    let request = stage.request(0);
    stage.envoy.run(700);
    another_leads(&stage);
    stage.envoy.run(2_999);
    // Its own attempt was answered meanwhile, and is nobody's any more.
    assert!(stage.is_paused(request) && stage.exchanges() == 1);
    stage.envoy.run(21);
    assert_eq!(stage.exchanges(), 2);
    stage.envoy.run(500);
    assert_eq!(stage.credential(request).as_deref(), Some("Bearer two"));
    stage.finish();
}

/// Between its look for news and its look for who leads, the one that led has told everybody and leads no more.
#[test]
fn who_takes_the_lead_looks_for_news_once_more() {
    let mut before = Stage::new(1, &[issues("one")]);
    before.envoy.run(1_000);
    let told = before.envoy.process.borrow().data.values();
    before.finish();

    let mut stage = Stage::new(1, &[]);
    let act = move |data: &mut SharedData, _: &str| data.replace(told);
    stage.envoy.process.borrow_mut().data.interfere_with(Access::Get, "/lead", act);
    stage.envoy.run(1_000);
    let request = stage.request(0);
    assert_eq!(stage.credential(request).as_deref(), Some("Bearer one"));
    assert_eq!((stage.exchanges(), stage.metric("renewals"), stage.metric("failures")), (0, 0, 0));
    let leads = stage.envoy.process.borrow().data.ending("/lead").iter().any(|lead| !lead.bytes.is_empty());
    assert!(!leads, "it leads no more");
    stage.finish();
}
