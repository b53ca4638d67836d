//! Every scenario, on every host that can play it: `filter/left_out.rs` says which cannot be played in Envoy.

use keyless_scenarios::{generated, play, tables};

use crate::HOSTS;

#[test]
fn every_scenario_holds_on_every_host_and_alike() {
    tables::assert_all_hold(&HOSTS, &tables::all());
}

/// What nobody has thought of.
#[test]
fn ten_thousand_generated_scenarios_go_alike_on_every_host() {
    let (mut failures, mut steps, mut credentials) = (Vec::new(), 0, 0);
    // By the hundred: each has directories of its own as long as it is held.
    for first in (0..10_000).step_by(100) {
        let scenarios: Vec<_> = generated::scenarios(first, 100).collect();
        for played in play::all(&HOSTS, &scenarios) {
            failures.extend(played.failures);
            steps += played.trace.steps.len();
            credentials += played.trace.given();
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    // They go somewhere.
    assert!(credentials > 10_000 && steps > 2 * credentials, "{credentials} credentials in {steps} steps");
}
