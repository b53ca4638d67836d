//! The fourth step: the token endpoint, or the Admin API, can be reached, and its certificate is trusted. Nothing is sent to it for that.

use keyless::Plan;

use super::{mints, token_endpoint};
use crate::commands::doctor::causes::obstacle;
use crate::commands::doctor::report::{Step, StepName};
use crate::commands::doctor::watch::Watch;

pub(in crate::commands::doctor) async fn examine(plan: &Plan, watch: &Watch) -> Step {
    let admin_api =
        || plan.requirements.endpoints.first().map(|first| first.url.as_str()).filter(|_| mints(plan));
    let Some(endpoint) = token_endpoint(plan).or_else(admin_api) else {
        return Step::skipped(StepName::Endpoint, "a static key is not traded");
    };
    let Ok(url) = endpoint.parse() else {
        return Step::skipped(StepName::Endpoint, format!("{endpoint} is no URL to connect to"));
    };
    match watch.network().reach(&url).await {
        Ok(reached) => {
            let session = reached.tls.unwrap_or("plain http");
            let took = reached.took.as_millis();
            let summary = format!("{endpoint} at {}, {session}, in {took} ms", reached.address);
            Step::ok(StepName::Endpoint, summary)
                .detail("url", endpoint)
                .detail("address", reached.address.to_string())
                .detail("tls", reached.tls)
                .detail("milliseconds", u64::try_from(took).unwrap_or(u64::MAX))
        }
        Err(met) => {
            Step::failed(StepName::Endpoint, obstacle::diagnose(met, endpoint)).detail("url", endpoint)
        }
    }
}
