//! What cannot be played in Envoy, and what the filter does there instead.

use keyless_engine::Variables;
use keyless_scenarios::hosts::{Maker, NATIVE};
use keyless_scenarios::play;
use keyless_scenarios::scenario::Scenario;
use keyless_scenarios::scenario::traffic::Fault;
use keyless_scenarios::tables;

use super::FILTER;

/// Why a scenario is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The connection asks a component, and Envoy loads none.
    Component,
    /// The host denies an endpoint. Envoy has a cluster for it or has none yet.
    Denial,
}

pub(super) fn reason(scenario: &Scenario) -> Option<Reason> {
    let variables: Variables = scenario.environment.clone().into_iter().collect();
    let plan = keyless_engine::plan(&scenario.document, &variables);
    if plan.is_ok_and(|(_, plan)| plan.requirements.source_component.is_some()) {
        return Some(Reason::Component);
    }
    let denied = scenario.traffic.iter().any(|entry| entry.fault == Some(Fault::Denied));
    denied.then_some(Reason::Denial)
}

fn left_out(wanted: Reason) -> Vec<Scenario> {
    let mut all = tables::all();
    all.retain(|scenario| reason(scenario) == Some(wanted));
    all
}

/// The filter, made to try it.
const ANYWAY: Maker = Maker { plays: |_| true, ..FILTER };

/// These and no others: nothing else can slip out of what is played alike.
#[test]
fn all_but_these_are_played() {
    let names = |wanted| left_out(wanted).into_iter().map(|scenario| scenario.name).collect::<Vec<_>>();
    let components = [
        "custom-airflow",
        "custom-anthropic",
        "custom-codex",
        "custom-every-setting",
        "custom-gives-what-it-should-not",
        "custom-openai",
        "custom-openrouter",
        "custom-refuses",
        "custom-rfc7523",
        "custom-rfc8693",
        "custom-token",
        "custom-without-a-way-to-ask",
        "document `Airflow provider that is a component, and a Python function beside it`",
    ];
    assert_eq!(names(Reason::Component), components);
    let denials = ["aws-sts-denied", "azure-not-granted", "endpoint-not-granted", "answer `fault denied`"];
    assert_eq!(names(Reason::Denial), denials);
}

#[test]
fn a_connection_that_asks_a_component_is_refused() {
    for scenario in left_out(Reason::Component) {
        let trace = play::all(&[ANYWAY], std::slice::from_ref(&scenario)).remove(0).trace;
        let Some(Err(problem)) = trace.open else { panic!("{}: {:?}", scenario.name, trace.open) };
        assert_eq!((problem.kind.as_str(), problem.code.as_str()), ("denied", "custom-source-missing"));
        assert!(problem.message.contains("source `file`"), "{}", problem.message);
    }
}

/// To the filter it is the same as an endpoint that cannot be reached: that one may come.
#[test]
fn an_endpoint_that_is_denied_is_one_without_a_cluster() {
    for mut scenario in left_out(Reason::Denial) {
        for entry in &mut scenario.traffic {
            entry.fault =
                entry.fault.map(|fault| if fault == Fault::Denied { Fault::Unreachable } else { fault });
        }
        let [native, filter] =
            [NATIVE, ANYWAY].map(|host| play::all(&[host], std::slice::from_ref(&scenario)).remove(0).trace);
        assert_eq!(native, filter, "{}", scenario.name);
        let codes = filter.codes();
        assert!(!codes.is_empty() && !codes.iter().any(|code| code.ends_with("-denied")), "{codes:?}");
    }
}
