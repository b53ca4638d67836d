//! Every scenario, on every host that can play it: `filter/left_out.rs` says which cannot be played in Envoy.

use keyless_scenarios::tables;

use crate::HOSTS;

#[test]
fn every_scenario_holds_on_every_host_and_alike() {
    tables::assert_all_hold(&HOSTS, &tables::all());
}
