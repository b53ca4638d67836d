//! The machinery of the scenarios must notice what is wrong, or none of the others prove anything.

use std::collections::BTreeMap;

use keyless_scenarios::hosts::Maker;
use keyless_scenarios::play;
use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::scenario::expect::{Step, Time};
use keyless_scenarios::scenario::traffic::RequestOrSame;
use keyless_scenarios::tables;

use crate::HOSTS;

/// Makes a good scenario wrong in one way.
type Break = fn(&mut Scenario);

fn failures(scenario: &Scenario) -> Vec<String> {
    play::all(&HOSTS, std::slice::from_ref(scenario)).remove(0).failures
}

#[test]
fn whatever_differs_is_noticed() {
    let good = tables::plain_exchange();
    assert_eq!(failures(&good), Vec::<String>::new());
    let broken: [(&str, Break); 13] = [
        ("a request too many", |scenario| scenario.traffic.clear()),
        ("a request that never comes", |scenario| {
            let mut more = scenario.traffic[0].clone();
            more.request = serde_json::from_str::<RequestOrSame>("\"as before\"").unwrap();
            scenario.traffic.push(more);
        }),
        ("another URL", |scenario| request(scenario, |request| request.url.push('/'))),
        ("another method", |scenario| request(scenario, |request| request.method = "PUT".to_owned())),
        ("a header too many", |scenario| request(scenario, |request| drop(request.headers.pop_first()))),
        ("a header too few", |scenario| {
            request(scenario, |request| drop(request.headers.insert("x".to_owned(), "y".to_owned())));
        }),
        ("another order of fields", |scenario| {
            request(scenario, |request| {
                let Some(keyless_scenarios::json::Json::Object(fields)) = &mut request.json else {
                    panic!("an object")
                };
                fields.reverse();
            });
        }),
        ("another body, as text", |scenario| {
            request(scenario, |request| (request.json, request.text) = (None, Some("a=b".to_owned())));
        }),
        ("another generation", |scenario| {
            credential(scenario, |expect| expect.generation = Some(2));
        }),
        ("another time", |scenario| {
            credential(scenario, |expect| expect.expires_at = Some(Time::Between([0.0, 3_594.999])));
        }),
        ("a call that takes time", |scenario| scenario.traffic[0].after = 0.001),
        ("a plan with other files", |scenario| {
            let plan = scenario.expect.plan.as_mut().expect("a plan");
            plan.files = Some(Vec::new());
        }),
        ("an error instead of a credential", |scenario| scenario.files = BTreeMap::new()),
    ];
    for (what, break_it) in broken {
        let mut scenario = good.clone();
        break_it(&mut scenario);
        let found = failures(&scenario);
        for Maker { name, .. } in HOSTS {
            let label = format!(" on {name}: ");
            assert!(found.iter().any(|failure| failure.contains(&label)), "{what} on {name}: {found:?}");
        }
    }
}

/// A secret that gets into an error is found, wherever the document puts it.
#[test]
fn a_secret_that_is_shown_is_noticed() {
    let mut scenario = tables::plain_exchange();
    scenario.document = r#"{"api_key": "x", "CANARY": 1}"#.to_owned();
    scenario.expect = tables::expect(Vec::new());
    scenario.traffic.clear();
    let found = failures(&scenario);
    // In the plan of each; and Envoy has a log.
    assert!(
        found.iter().all(|failure| failure.contains("a secret is shown")) && found.len() == HOSTS.len() + 1,
        "{found:?}"
    );
}

fn request(scenario: &mut Scenario, change: impl FnOnce(&mut keyless_scenarios::scenario::traffic::Request)) {
    let RequestOrSame::Request(request) = &mut scenario.traffic[0].request else { panic!("a request") };
    change(request);
}

fn credential(
    scenario: &mut Scenario,
    change: impl FnOnce(&mut keyless_scenarios::scenario::expect::CredentialExpect),
) {
    let expect = scenario.expect.steps.iter_mut().find_map(|step| match step {
        Step::Credential(expect) => Some(expect),
        _ => None,
    });
    change(expect.expect("a credential"));
}
