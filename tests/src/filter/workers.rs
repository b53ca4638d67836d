//! Several workers of one Envoy: together they do what one would.

use serde_json::json;

use super::agreement;
use super::stage::{Request, Stage, issues, issues_for, until};

const ONE: Option<&str> = Some("Bearer one");
const TWO: Option<&str> = Some("Bearer two");

/// As many requests to each worker.
fn to_each(stage: &mut Stage, requests: usize) -> Vec<Request> {
    let workers = 0..stage.envoy.workers.len();
    workers.flat_map(|worker| vec![worker; requests]).map(|worker| stage.request(worker)).collect()
}

fn assert_all_have(stage: &Stage, requests: &[Request], credential: Option<&str>) {
    for request in requests {
        assert_eq!(stage.credential(*request).as_deref(), credential, "{request:?}");
    }
}

fn assert_all_wait(stage: &Stage, requests: &[Request]) {
    let waiting = requests.iter().filter(|request| stage.is_paused(**request)).count();
    assert_eq!(waiting, requests.len());
}

#[test]
fn all_workers_together_make_one_exchange() {
    let mut stage = Stage::new(4, &[issues("one")]);
    let requests = to_each(&mut stage, 64);
    stage.envoy.run(499);
    assert_all_wait(&stage, &requests);
    // The others look every 20 ms while requests wait.
    stage.envoy.run(21);
    assert_all_have(&stage, &requests, ONE);
    assert_eq!((stage.exchanges(), stage.metric("requests_held_back")), (1, 256));
    stage.finish();
}

#[test]
fn nobody_takes_over_from_a_leader_that_is_only_slow() {
    let mut slow = issues("one");
    slow["after"] = 9.5.into();
    let mut stage = Stage::new(4, &[slow]);
    let requests = to_each(&mut stage, 1);
    stage.envoy.run(9_499);
    assert_all_wait(&stage, &requests);
    stage.envoy.run(21);
    assert_all_have(&stage, &requests, ONE);
    stage.finish();
}

#[test]
fn when_the_leader_is_gone_another_takes_over() {
    let mut stage = Stage::new(4, &[json!({"stalls": true}), issues("two")]);
    let first = stage.request(0);
    stage.envoy.run(200);
    assert!(stage.is_paused(first) && stage.exchanges() == 1);
    // Its claim is from the start, and holds for 3 s.
    drop(stage.envoy.workers.remove(0));
    let requests = to_each(&mut stage, 64);
    stage.envoy.run(2_799);
    assert_all_wait(&stage, &requests);
    assert_eq!(stage.exchanges(), 1);
    stage.envoy.run(21);
    assert_eq!(stage.exchanges(), 2);
    stage.envoy.run(520);
    assert_all_have(&stage, &requests, TWO);
    stage.finish();
}

#[test]
fn a_leader_that_stood_still_gives_way() {
    let mut stage = Stage::new(2, &[issues("one"), issues("two")]);
    let held = stage.request(0);
    stage.envoy.run(100);
    // Its loop stands still, and its answer comes meanwhile.
    let still = stage.envoy.workers.remove(0);
    let other = stage.request(0);
    stage.envoy.run(4_000);
    assert_eq!(stage.credential(other).as_deref(), TWO);
    stage.envoy.workers.insert(0, still);
    stage.envoy.run(1);
    // What it was answered is another's business by now.
    assert_eq!(stage.credential(held).as_deref(), TWO);
    assert_eq!((stage.metric("renewals"), stage.metric("credential_generation")), (1, 1));
    stage.finish();
}

#[test]
fn what_a_401_tells_one_worker_the_others_follow() {
    let mut stage = Stage::new(4, &[issues("one"), issues("two")]);
    let before = to_each(&mut stage, 1);
    stage.envoy.run(10_000);
    assert_all_have(&stage, &before, ONE);
    let (worker, context) = before[2];
    stage.envoy.workers[worker].respond(context, 401);
    stage.envoy.run(0);
    assert_eq!(stage.exchanges(), 2, "it does not wait for a tick");
    // Its own next request is not sent where the last one was refused.
    let next = stage.request(worker);
    assert!(stage.is_paused(next));
    stage.envoy.run(500);
    assert_eq!(stage.credential(next).as_deref(), TWO);
    // A tick later everybody has it.
    stage.envoy.run(1_000);
    let after = to_each(&mut stage, 1);
    assert_all_have(&stage, &after, TWO);
    // What comes late to the credential of before changes nothing, nor does anything else than 401.
    for (worker, context) in before {
        stage.envoy.workers[worker].respond(context, 401);
    }
    for ((worker, context), status) in after.into_iter().zip([200, 400, 403, 503]) {
        stage.envoy.workers[worker].respond(context, status);
    }
    stage.envoy.run(60_000);
    assert_eq!((stage.exchanges(), stage.metric("rejections")), (2, 1));
    stage.finish();
}

#[test]
fn whoever_is_left_renews_ahead_of_the_end() {
    let mut stage = Stage::new(4, &[issues("one"), until(100_000, issues("two"))]);
    stage.envoy.run(1_000);
    // The one that made the first exchange does not make the next.
    drop(stage.envoy.workers.remove(0));
    let mut renewed = false;
    while stage.elapsed_ms() < 7_200_000 {
        for request in to_each(&mut stage, 1) {
            let credential = stage.credential(request).expect("there is one all the time");
            assert!(credential == "Bearer two" || !renewed, "everybody follows within seconds");
            stage.envoy.workers[request.0].forget(request.1);
        }
        renewed = stage.metric("renewals") > 1;
        stage.envoy.run(10_000);
    }
    let exchanges = stage.exchanges() as u64;
    // The first renewal comes in the first half of the hour, later ones after two fifths of it.
    assert!((4..=7).contains(&exchanges), "{exchanges} exchanges in two hours");
    assert_eq!((stage.metric("renewals"), stage.metric("credential_generation")), (exchanges, exchanges));
    assert_eq!((stage.metric("failures"), stage.metric("requests_turned_away")), (0, 0));
    stage.finish();
}

#[test]
fn an_expired_credential_goes_nowhere() {
    // From the first tick on, and it ends 5 s early.
    const END: u64 = 1 + 595_000;
    let out_of_order = json!({"response": {"status": 500, "json": {}}});
    let mut stage = Stage::new(4, &[issues_for(600, "one"), until(100_000, out_of_order)]);
    stage.envoy.run(1_000);
    let mut held = Vec::new();
    let mut moments: Vec<_> = (1..900).map(|second| 1_000 * second).chain([END - 1, END]).collect();
    moments.sort_unstable();
    for moment in moments {
        stage.envoy.run(moment - stage.elapsed_ms());
        let expected = ONE.filter(|_| moment < END);
        let requests = to_each(&mut stage, 1);
        assert_all_have(&stage, &requests, expected);
        if expected.is_none() {
            held.extend(requests);
        }
    }
    // Nobody waits for longer than 15 s, and nobody goes on.
    stage.envoy.run(15_000);
    assert!(held.len() > 1_000, "{}", held.len());
    for request in &held {
        let (code, message) = agreement::told(stage.reply(*request).expect("an answer"));
        assert_eq!(code, "endpoint-failed", "{message}");
    }
    assert_eq!(stage.metric("requests_turned_away"), held.len() as u64);
    stage.finish();
}

/// Whoever makes the attempt looks at the clock as well.
#[test]
fn a_credential_that_ends_during_an_attempt_goes_nowhere() {
    for lifetime in 600..620 {
        let end = 1 + 1_000 * lifetime - 5_000;
        let stalls = until(100_000, json!({"stalls": true}));
        let mut stage = Stage::new(2, &[issues_for(lifetime, "one"), stalls]);
        stage.envoy.run(end - 1);
        let last = to_each(&mut stage, 1);
        assert_all_have(&stage, &last, ONE);
        stage.envoy.run(1);
        let late = to_each(&mut stage, 1);
        assert_all_have(&stage, &late, None);
        stage.finish();
    }
}

#[test]
fn only_so_many_requests_wait() {
    let mut stage = Stage::new(1, &[issues("one")]);
    let requests = vec![0; 1_024].into_iter().map(|worker| stage.request(worker)).collect::<Vec<_>>();
    assert_all_wait(&stage, &requests);
    let one_more = stage.request(0);
    let reply = stage.reply(one_more).expect("an answer");
    let (code, message) = agreement::told(reply);
    assert_eq!(code, "not-yet");
    assert!(message.starts_with("too many requests wait"), "{message}");
    stage.envoy.run(500);
    assert_all_have(&stage, &requests, ONE);
    let pages = stage.envoy.workers[0].pages();
    assert!(pages <= 32, "{pages} pages of memory");
    stage.finish();
}

#[test]
fn nobody_waits_for_longer_than_a_quarter_of_a_minute() {
    let mut stage = Stage::new(1, &[until(100_000, json!({"stalls": true}))]);
    let request = stage.request(0);
    stage.envoy.run(14_999);
    assert!(stage.is_paused(request));
    stage.envoy.run(1);
    let (code, message) = agreement::told(stage.reply(request).expect("an answer"));
    assert_eq!(code, "endpoint-timeout", "{message}");
    stage.finish();
}

#[test]
fn a_client_that_has_left_is_passed_over() {
    let mut stage = Stage::new(2, &[issues("one")]);
    let requests = to_each(&mut stage, 3);
    for (worker, context) in [requests[0], requests[4]] {
        stage.envoy.workers[worker].forget(context);
    }
    stage.envoy.run(520);
    assert_all_have(&stage, &[requests[1], requests[2], requests[3], requests[5]], ONE);
    stage.finish();
}

#[test]
fn a_new_worker_goes_on_with_what_the_others_share() {
    let mut stage = Stage::new(2, &[issues("one")]);
    stage.envoy.run(1_000);
    // One after a fault, and then all, as when the listener was replaced.
    drop(stage.envoy.workers.remove(0));
    stage.add_worker();
    let at_once = stage.request(1);
    assert_eq!(stage.credential(at_once).as_deref(), ONE);
    stage.envoy.workers.clear();
    stage.add_worker();
    stage.envoy.run(1);
    let after_a_tick = stage.request(0);
    assert_eq!(stage.credential(after_a_tick).as_deref(), ONE);
    stage.finish();
}
