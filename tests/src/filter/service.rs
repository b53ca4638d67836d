//! `"serve": true`: requests are for the credential itself.

use serde_json::{Value, json};

use super::agreement;
use super::pairs::Pairs;
use super::stage::{Stage, issues, issues_for, scenario, until};
use super::streams::{Fate, Reply};
use super::structs;

/// With a plugin that serves, and its number.
fn stage(answers: &[Value]) -> (Stage, u32) {
    let scenario = scenario(answers);
    let mut stage = Stage::of(&scenario);
    let configuration = json!({
        "connection": serde_json::from_str::<Value>(&scenario.document).unwrap(),
        "exchange_cluster": "exchange",
        "identity_cluster": "identity",
        "serve": true,
    });
    let Value::Object(map) = &configuration else { panic!("an object") };
    let root = stage.envoy.add_worker(Vec::new()).configure("openai", &structs::object(map));
    (stage, root.expect("it is taken"))
}

fn asks(path: &str, more: &[(&str, &str)]) -> Pairs {
    let headers = [(":method", "GET"), (":authority", "keyless"), (":path", path)];
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    headers.iter().chain(more).map(owned).collect()
}

fn reply(stage: &Stage, context: u32) -> Option<&Reply> {
    match &stage.stream((0, context)).fate {
        Fate::Answered(reply) => Some(reply),
        Fate::Paused => None,
        Fate::Arriving | Fate::Forwarded => panic!("it goes nowhere"),
    }
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
}

/// The first secret of a `DiscoveryResponse`: name and content.
fn secret(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 200);
    let response: Value = serde_json::from_slice(&reply.body).unwrap();
    let secret = &response["resources"][0];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (text(&secret["name"]), text(&secret["generic_secret"]["secret"]["inline_string"]))
}

#[test]
fn who_asks_gets_the_credential_and_then_the_next() {
    let (mut stage, root) = stage(&[issues("one"), issues("two")]);
    let first =
        stage.envoy.workers[0].request(root, asks("/anything", &[("authorization", "Bearer theirs")]));
    assert!(reply(&stage, first).is_none(), "it waits");
    stage.envoy.run(600);
    let one = reply(&stage, first).expect("an answer").clone();
    assert_eq!((one.status, one.body.as_slice()), (200, [].as_slice()));
    assert_eq!(header(&one, "authorization"), Some("Bearer one"));
    assert_eq!(header(&one, "cache-control"), Some("no-store"));
    assert_eq!(header(&one, "x-keyless-generation"), Some("1"));
    stage.envoy.run(5_000);
    let rejected = asks("/anything", &[("x-keyless-rejected", "1")]);
    let next = stage.envoy.workers[0].request(root, rejected.clone());
    stage.envoy.run(600);
    let two = reply(&stage, next).expect("an answer").clone();
    assert_eq!(header(&two, "authorization"), Some("Bearer two"));
    assert_eq!(header(&two, "x-keyless-generation"), Some("2"));
    // The same again is about one that has gone.
    let again = stage.envoy.workers[0].request(root, rejected);
    let two = reply(&stage, again).expect("an answer");
    assert_eq!(header(two, "x-keyless-generation"), Some("2"));
    stage.finish();
}

#[test]
fn envoy_gets_it_as_a_secret_and_an_empty_one_where_there_is_none() {
    let refused = json!({"response": {"status": 401, "json": {"error": "invalid_grant"}}});
    let (mut stage, root) = stage(&[issues("one")]);
    let secrets = asks("/v3/discovery:secrets", &[]);
    let context = stage.envoy.workers[0].request(root, secrets.clone());
    stage.envoy.run(600);
    let found = secret(reply(&stage, context).expect("an answer"));
    assert_eq!(found, ("openai".to_owned(), "Bearer one".to_owned()));
    stage.finish();

    let (mut stage, root) = self::stage(&[refused]);
    stage.envoy.run(600);
    let context = stage.envoy.workers[0].request(root, secrets);
    let found = secret(reply(&stage, context).expect("an answer"));
    assert_eq!(found, ("openai".to_owned(), String::new()));
    let other = stage.envoy.workers[0].request(root, asks("/", &[]));
    assert_eq!(agreement::told(reply(&stage, other).expect("an answer")).0, "exchange-refused");
    stage.finish();
}

/// Whoever waits for the next credential would have the injector go on with the last one for so long.
#[test]
fn a_secret_that_has_ended_is_taken_away_at_once() {
    let down = json!({"response": {"status": 503}});
    let answers = [issues_for(20, "one"), until(100, down), issues("two")];
    let (mut stage, root) = stage(&answers);
    let secrets = asks("/v3/discovery:secrets", &[]);
    let ask = |stage: &mut Stage| {
        let context = stage.envoy.workers[0].request(root, secrets.clone());
        reply(stage, context).map(secret)
    };
    stage.envoy.run(600);
    let of = |value: &str| Some(("openai".to_owned(), value.to_owned()));
    assert_eq!(ask(&mut stage), of("Bearer one"));
    let after = loop {
        stage.envoy.run(500);
        match ask(&mut stage) {
            same if same == of("Bearer one") => assert!(stage.elapsed_ms() < 20_000, "it has ended"),
            other => break other,
        }
    };
    assert_eq!(after, of(""));
    // Now there is nothing to take away.
    assert_eq!(ask(&mut stage), None);
}

/// A request that is to be sent again once Envoy's injector has the next credential waits for just that.
#[test]
fn who_was_refused_with_what_was_injected_waits_for_the_injector() {
    let (mut stage, root) = stage(&[issues("one"), issues("two")]);
    let secrets = asks("/v3/discovery:secrets", &[]);
    stage.envoy.run(600);
    let context = stage.envoy.workers[0].request(root, secrets.clone());
    assert_eq!(secret(reply(&stage, context).expect("an answer")).1, "Bearer one");
    stage.envoy.run(5_000);
    let refused = asks("/", &[("x-keyless-rejected", "injected")]);
    let context = stage.envoy.workers[0].request(root, refused);
    stage.envoy.run(2_000);
    assert_eq!(stage.exchanges(), 2);
    assert!(reply(&stage, context).is_none(), "the injector has the one of before");
    stage.envoy.workers[0].request(root, secrets);
    stage.envoy.run(600);
    let two = reply(&stage, context).expect("an answer");
    assert_eq!(header(two, "authorization"), Some("Bearer two"));
    stage.finish();
}
