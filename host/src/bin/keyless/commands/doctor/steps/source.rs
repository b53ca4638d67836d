//! The third step: the platform gives an identity token that can be used.

use std::time::SystemTime;

use keyless::{Plan, Variables};
use serde_json::Value;

use super::{Attempt, FailedAt, mints};
use crate::commands::doctor::causes::identity;
use crate::commands::doctor::code::Code;
use crate::commands::doctor::identity_token::IdentityToken;
use crate::commands::doctor::platform::{Platform, setting};
use crate::commands::doctor::report::{Diagnosis, Step, StepName};
use crate::commands::doctor::token_file::TokenFile;
use crate::commands::doctor::watch::Sighting;
use crate::output::doctor::span;
use crate::session::Session;

/// A token that ends sooner may not survive the exchange.
const SOON: i64 = 60;

pub(in crate::commands::doctor) fn examine(session: &Session, attempt: &Attempt) -> Step {
    let Session { plan, variables, .. } = session;
    let Some(source) = setting(plan, "source.type") else {
        let why = if mints(plan) {
            "the Admin key takes the place of an identity"
        } else {
            "a static key needs no identity"
        };
        return Step::skipped(StepName::Source, why);
    };
    let platform = Platform::of(plan);
    let file = token_file(plan, platform);
    // What AWS reads from a file is for AWS itself; the token for the API comes later.
    let token = seen(attempt)
        .or_else(|| file.as_ref().filter(|_| platform != Platform::Aws)?.token.clone())
        .or_else(|| in_variable(plan, variables));

    let step = match attempt.failure() {
        Some((FailedAt::Source, problem)) => {
            let evidence = identity::Evidence {
                platform,
                file: file.as_ref(),
                asked: attempt.to_platform.last(),
                token: token.as_ref(),
            };
            let answer = evidence.asked.and_then(Sighting::answer);
            Step::failed(StepName::Source, identity::diagnose(Diagnosis::of(problem), &evidence))
                .wait(answer.and_then(|answer| answer.retry_after))
        }
        _ if plan.requirements.client_certificate.is_some() => {
            Step::ok(StepName::Source, format!("{source} shows a client certificate in the handshake"))
        }
        _ => holds(source, platform, token.as_ref(), attempt),
    };
    step.detail("source", source)
        .detail("token", token.map_or(Value::Null, |token| token.to_json(SystemTime::now())))
        .detail("file", file.map_or(Value::Null, |file| file.to_json()))
        .detail("requests", attempt.to_platform.iter().map(request).collect::<Vec<_>>())
}

fn holds(source: &str, platform: Platform, token: Option<&IdentityToken>, attempt: &Attempt) -> Step {
    let left = token.and_then(|token| token.seconds_left(SystemTime::now()));
    let lasts = match left {
        Some(left) if left > 0 => format!(", good for {}", span(left.unsigned_abs())),
        _ => String::new(),
    };
    let audience = token.map_or_else(String::new, |token| token.audience.join(", "));
    let summary = if audience.is_empty() {
        format!("{source} gives an identity token{lasts}")
    } else {
        format!("{source} gives an identity token for {audience}{lasts}")
    };
    let mut step = Step::ok(StepName::Source, summary);
    for warning in &attempt.warnings {
        // Its last sentence is advice for every platform; this one is known.
        let what = warning.message.rsplit_once(". ").map_or(&*warning.message, |(what, _)| what);
        step = step.doubt(&*warning.code, what, platform.set_audience());
    }
    match left.filter(|left| *left < SOON) {
        Some(left) => step.doubt(
            Code::TokenEndsSoon,
            format!("the identity token ends in {left} s: it is renewed late, or not at all"),
            platform.renew(),
        ),
        None => step,
    }
}

/// On its way to the token endpoint, else on its way from the platform.
fn seen(attempt: &Attempt) -> Option<IdentityToken> {
    let sent = attempt.to_endpoint.as_ref().and_then(|sent| sent.token.clone());
    let given = || attempt.to_platform.iter().rev().find_map(|asked| asked.answer()?.token.clone());
    sent.or_else(given)
}

/// The token file, if the source reads one. What other files a source needs, keys above all, is not looked at.
fn token_file(plan: &Plan, platform: Platform) -> Option<TokenFile> {
    let path = match setting(plan, "source.token_file_path") {
        Some(path) => path,
        // Named by a variable, and read for a role of AWS.
        None if platform == Platform::Aws => plan.requirements.files.first()?,
        None => return None,
    };
    Some(TokenFile::look(path))
}

fn in_variable(plan: &Plan, variables: &Variables) -> Option<IdentityToken> {
    IdentityToken::find(variables.get(setting(plan, "source.variable")?)?.as_bytes())
}

fn request(asked: &Sighting) -> Value {
    serde_json::json!({
        "url": asked.url,
        "status": asked.answer().map(|answer| answer.status),
        "fault": asked.fault().map(|fault| fault.to_string()),
        "error": asked.answer().and_then(|answer| answer.said.clone()),
        "milliseconds": u64::try_from(asked.took.as_millis()).unwrap_or(u64::MAX),
    })
}
