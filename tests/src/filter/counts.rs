//! What the filter takes for a request, where it has a credential.

use super::stage::{Stage, issues};
use crate::counts::Counts;

pub(crate) fn counts() -> Counts {
    let mut stage = Stage::new(1, &[issues(&"t".repeat(1_200)), issues("two")]);
    let configured = spent(&stage);
    let waiting = stage.request(0);
    stage.envoy.run(600);
    let acquired = spent(&stage);
    let (_, context) = stage.request(0);
    let set = spent(&stage);
    stage.envoy.workers[0].respond(context, 200);
    let accepted = spent(&stage);
    stage.envoy.workers[0].respond(context, 401);
    let rejected = spent(&stage);
    assert!(stage.credential(waiting).is_some() && stage.credential((0, context)).is_some());
    let counts = [
        ("configuration", configured),
        ("first request and first token", acquired - configured),
        ("request headers", set - acquired),
        ("response headers, 200", accepted - set),
        ("response headers, 401", rejected - accepted),
    ];
    counts.map(|(name, count)| (format!("filter: {name}"), count)).into()
}

fn spent(stage: &Stage) -> u64 {
    stage.envoy.workers[0].instructions()
}
