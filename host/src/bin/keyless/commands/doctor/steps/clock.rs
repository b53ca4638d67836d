//! The last step: this machine's clock agrees with those of the endpoints that answered over TLS.

use super::Attempt;
use crate::commands::doctor::code::Code;
use crate::commands::doctor::report::{Step, StepName};
use crate::commands::doctor::skew::{self, LIMIT};
use crate::commands::doctor::watch::{Answer, Sighting};

pub(in crate::commands::doctor) fn examine(attempt: &Attempt, from_api: Option<&Answer>) -> Step {
    // Metadata services tell the machine's own time; whoever is reached over TLS has another one.
    let from_platform =
        attempt.to_platform.iter().rev().filter(|asked| asked.secure).filter_map(Sighting::answer);
    let from_endpoint = attempt.to_endpoint.as_ref().and_then(Sighting::answer);
    let ahead =
        from_endpoint.into_iter().chain(from_api).chain(from_platform).find_map(|answer| answer.ahead);
    let Some(ahead) = ahead else {
        return Step::not_reached(StepName::Clock, "nobody answered whose clock could be compared");
    };
    if ahead.abs() <= LIMIT {
        return Step::ok(StepName::Clock, "agrees with the endpoint's")
            .detail("endpoint_ahead_seconds", ahead);
    }
    Step::ok(StepName::Clock, format!("the endpoint's clock is {} this machine's", skew::apart(ahead)))
        .detail("endpoint_ahead_seconds", ahead)
        .doubt(
            Code::ClockSkew,
            "this machine's clock is wrong, most likely: tokens and certificates seem expired or not yet valid",
            "let NTP set this machine's clock (`timedatectl`)",
        )
}
