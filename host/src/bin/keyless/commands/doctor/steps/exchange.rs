//! The fifth step: the token endpoint trades the identity token for a credential.

use std::time::SystemTime;

use keyless::Plan;

use super::{Attempt, FailedAt, mints, token_endpoint};
use crate::commands::doctor::causes::refusal;
use crate::commands::doctor::code::Code;
use crate::commands::doctor::report::{Diagnosis, Step, StepName};
use crate::commands::doctor::watch::{Answer, Sighting};
use crate::output::credential::rfc3339;
use crate::output::doctor::span;

/// A credential that ends sooner is renewed all the time.
const SHORT: u64 = 60;

pub(in crate::commands::doctor) fn examine(plan: &Plan, attempt: &Attempt, endpoint_failed: bool) -> Step {
    if token_endpoint(plan).is_none() {
        return match attempt.failure() {
            Some(_) if mints(plan) && endpoint_failed => {
                Step::not_reached(StepName::Exchange, "the Admin API cannot be reached")
            }
            Some((_, problem)) => Step::failed(StepName::Exchange, Diagnosis::of(problem)),
            None if mints(plan) => made(attempt),
            None => Step::skipped(StepName::Exchange, "a static key is not traded"),
        };
    }
    let sent = attempt.to_endpoint.as_ref();
    let step = match (attempt.failure(), &attempt.outcome) {
        (Some((FailedAt::Source, _)), _) => {
            return Step::not_reached(StepName::Exchange, "there is no identity token to trade");
        }
        (Some(_), _) if endpoint_failed => {
            return Step::not_reached(StepName::Exchange, "the endpoint cannot be reached");
        }
        (Some((_, problem)), _) => {
            let token = sent.and_then(|sent| sent.token.as_ref());
            let evidence = refusal::Evidence { plan, sent, token };
            let answer = sent.and_then(Sighting::answer);
            Step::failed(StepName::Exchange, refusal::diagnose(Diagnosis::of(problem), &evidence))
                .summed_up(answer.filter(|answer| answer.status != 200).map(refused))
                .wait(answer.and_then(|answer| answer.retry_after))
        }
        (None, Ok(credential)) => holds(credential.expires_at()),
        (None, Err(problem)) => Step::failed(StepName::Exchange, Diagnosis::of(problem)),
    };
    let answer = sent.and_then(Sighting::answer);
    step.detail("status", answer.map(|answer| answer.status))
        .detail("oauth_error", answer.and_then(|answer| answer.said.clone()))
        .detail("request_id", answer.and_then(|answer| answer.request_id.clone()))
        .detail("redirect_to", answer.and_then(|answer| answer.location.clone()))
        .detail("milliseconds", sent.map(|sent| u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX)))
}

/// A key was made, and goes with the connection.
fn made(attempt: &Attempt) -> Step {
    let end = attempt.outcome.as_ref().ok().and_then(|credential| credential.expires_at());
    let left = end.and_then(|end| end.duration_since(SystemTime::now()).ok()).unwrap_or_default().as_secs();
    let summary =
        format!("a service account was made, its key good for {}; both are deleted again", span(left));
    Step::ok(StepName::Exchange, summary).detail("seconds_left", left)
}

/// In one line: what it means stands in the diagnosis.
fn refused(answer: &Answer) -> String {
    let said = answer.said.as_deref().map_or(String::new(), |said| format!(" with `{said}`"));
    format!("the token endpoint answered with status {}{said}", answer.status)
}

fn holds(expires_at: Option<SystemTime>) -> Step {
    let Some(end) = expires_at else { return Step::ok(StepName::Exchange, "a credential that does not end") };
    let left = end.duration_since(SystemTime::now()).unwrap_or_default().as_secs();
    let step = Step::ok(StepName::Exchange, format!("a credential, good for {}", span(left)))
        .detail("expires_at", rfc3339(end))
        .detail("seconds_left", left);
    if left >= SHORT {
        return step;
    }
    step.doubt(
        Code::CredentialEndsSoon,
        "the credential lives for less than a minute; where the endpoint caps its life by the identity token's, that one \
         is nearly over",
        "let the platform issue identity tokens that live for ten minutes or more",
    )
}
