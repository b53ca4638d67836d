//! What the component with WASI takes, in simulated time.

use keyless_scenarios::hosts::Host as _;
use keyless_scenarios::world::World;

use super::Counts;
use crate::component::InWasmtime;
use crate::filter;

pub(super) fn counts() -> Counts {
    let scenario = filter::one_exchange(&"t".repeat(1_200));
    let world = World::new(&scenario).unwrap();
    let (_, plan) = keyless_engine::plan(&scenario.document, &[].into_iter().collect()).unwrap();
    let endpoints = plan.requirements.endpoints.into_iter();
    world.script().plan(endpoints.map(|endpoint| (endpoint.method.to_owned(), endpoint.url)).collect());
    let mut host = InWasmtime::new(world);
    let files: Vec<_> = scenario.files.keys().cloned().collect();
    let mut counts = Counts::new();
    let mut count = |name: &str, host: &mut InWasmtime, act: &mut dyn FnMut(&mut InWasmtime)| {
        let before = host.instructions();
        act(host);
        counts.insert(format!("provider: {name}"), host.instructions() - before);
    };
    count("open", &mut host, &mut |host| host.open(&scenario.document, &[], &files).unwrap());
    // With all its waiting: the endpoint answers after half a second.
    count("renewal", &mut host, &mut |host| assert_eq!(host.renew().unwrap().generation, 1));
    count("cached credential", &mut host, &mut |host| assert_eq!(host.credential().unwrap().generation, 1));
    count("renew with nothing due", &mut host, &mut |host| assert_eq!(host.renew().unwrap().generation, 1));
    count("status", &mut host, &mut |host| drop(host.status()));
    counts
}
