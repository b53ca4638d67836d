//! The story, step by step. A step does something, checks that it holds, and says so in one line.

use std::time::{Duration, Instant, SystemTime};

use keyless::{CredentialRef, ErrorKind, Grant, Lock, Phase, Variables};
use keyless_sandbox::{Fault, ServiceName};
use serde_json::json;

use super::broken;
use super::stage::{Opened, PATIENCE, SECOND_LIFE, Stage};
use super::timeline::Told;
use super::traffic::Traffic;
use crate::output::counted;
use crate::output::problem::Problem;

type Step = Result<Told, Problem>;

pub(super) fn sandbox(stage: &Stage) -> Step {
    let issuer = stage.sandbox.issuer_url();
    Ok(Told::new(
        format!(
            "a cluster that issues identities ({issuer}), a token volume, a token endpoint and an API, all on loopback"
        ),
        json!({ "issuer": issuer, "token_endpoint": stage.sandbox.token_endpoint(), "base_url": stage.sandbox.base_url() }),
    ))
}

pub(super) async fn plan(stage: &mut Stage) -> Step {
    let plan = stage.runtime.plan(&stage.document, &Variables::default()).await?;
    let requirements = &plan.requirements;
    let seen = stage.sandbox.counters(ServiceName::Exchange).requests;
    if seen > 0 || requirements.endpoints.len() != 1 || requirements.files.len() != 1 {
        return Err(broken(format!(
            "a plan of one endpoint and one file, without I/O, was expected: {requirements:?}"
        )));
    }
    let endpoints: Vec<_> = requirements.endpoints.iter().map(ToString::to_string).collect();
    let told = Told::new(
        format!(
            "the document needs {} and the token file, nothing else (no I/O so far)",
            endpoints.join(", ")
        ),
        json!({ "endpoints": endpoints, "files": requirements.files, "warnings": plan.warnings.len() }),
    );
    stage.plan = Some(plan);
    Ok(told)
}

pub(super) fn grant(stage: &mut Stage) -> Step {
    let plan = stage.plan.as_ref().ok_or_else(|| broken("there is no plan yet"))?;
    let grant = Grant::for_plan(plan);
    let digest = stage.runtime.component_info().sha256.clone();
    let imports = stage.runtime.component_info().imports.len();
    stage.grant = Some(grant);
    Ok(Told::new(
        format!(
            "exactly that, to a component of {} KB with {imports} imports (sha256 {}), loaded in {} ms",
            stage.runtime.component_info().size / 1_000,
            digest.get(..12).unwrap_or(&digest),
            stage.loaded_in.as_millis()
        ),
        json!({ "component_sha256": digest, "imports": imports }),
    ))
}

pub(super) async fn token(stage: &mut Stage) -> Step {
    let started = Instant::now();
    let connection = stage.open().await?;
    let credential = connection.ready(PATIENCE).await?;
    let took = started.elapsed();
    let generation = credential.generation();
    expect_exchanges(stage, 1)?;
    let lives = left(&credential)?;
    let traffic = Traffic::start(connection.clone(), stage.client.clone());
    // What comes next lives longer.
    stage.sandbox.set_access_token_lifetime(SECOND_LIFE);
    stage.opened = Some(Opened { connection, traffic });
    Ok(Told::new(
        format!(
            "generation {generation} after one exchange and {} ms: the endpoint checked signature, issuer, audience and mapping. It lives {:.1} s",
            took.as_millis(),
            lives.as_secs_f64()
        ),
        json!({ "generation": generation, "elapsed_ms": u64::try_from(took.as_millis()).ok(), "exchanges": 1 }),
    ))
}

pub(super) async fn streamed_call(stage: &Stage) -> Step {
    let credential = stage.opened()?.connection.ready(PATIENCE).await?;
    let streamed = stage.client.stream(&credential, "Say hello to a world without API keys").await?;
    if streamed.chunks < 2 || streamed.text.is_empty() {
        return Err(broken(format!("the answer was not streamed: {}", counted(streamed.chunks, "chunk"))));
    }
    Ok(Told::new(
        format!("a streamed answer in {}: {:?}", counted(streamed.chunks, "piece"), streamed.text.trim()),
        json!({ "pieces": streamed.chunks, "text": streamed.text }),
    ))
}

pub(super) fn rotate(stage: &Stage) -> Step {
    let read = || {
        std::fs::read(stage.sandbox.token_path())
            .map_err(|reason| broken(format!("the token file: {reason}")))
    };
    let before = read()?;
    stage.sandbox.rotate_token().map_err(|reason| broken(format!("the volume was not rotated: {reason}")))?;
    if read()? == before {
        return Err(broken("the token file is the same after its rotation"));
    }
    Ok(Told::new("the kubelet swapped the `..data` link: the identity token is another one now", json!({})))
}

pub(super) async fn renewal(stage: &Stage) -> Step {
    let held = stage.opened()?.connection.ready(PATIENCE).await?;
    let ends = held.expires_at().ok_or_else(|| broken("the first credential has no end"))?;
    let next = stage.next_after(held.generation()).await?;
    let ahead = ends.duration_since(SystemTime::now()).unwrap_or_default();
    if ahead.is_zero() {
        return Err(broken("the renewal came after the end of the credential"));
    }
    expect_exchanges(stage, 2)?;
    let tokens: Vec<_> = stage.sandbox.exchanges().into_iter().map(|exchange| exchange.body).collect();
    if tokens.first() == tokens.last() {
        return Err(broken("the renewal used the identity token from before the rotation"));
    }
    let calls = no_failure(stage)?;
    Ok(Told::new(
        format!(
            "generation {} came {:.1} s ahead of time, with the new identity token. {calls} calls so far, none failed",
            next.generation(),
            ahead.as_secs_f64()
        ),
        json!({ "generation": next.generation(), "ahead_ms": u64::try_from(ahead.as_millis()).ok(), "calls": calls, "failed": 0 }),
    ))
}

pub(super) async fn outage(stage: &Stage) -> Step {
    let before = stage.opened()?.traffic.calls();
    let connection = stage.opened()?.connection.clone();
    let generation = connection.ready(PATIENCE).await?.generation();
    let requests = stage.sandbox.counters(ServiceName::Exchange).requests;
    stage.sandbox.fault_until_cleared(ServiceName::Exchange, Fault::status(503));
    // Both the renewal and its first repetition find the endpoint down.
    let refused = stage.sandbox.wait_for_requests(ServiceName::Exchange, requests + 2);
    if tokio::time::timeout(PATIENCE, refused).await.is_err() {
        return Err(broken("no renewal was attempted during the outage"));
    }
    let phase = connection.status().phase;
    if !matches!(phase, Phase::Waiting | Phase::Renewing) {
        return Err(broken(format!("during the outage the connection is {}", phase.as_str())));
    }
    stage.sandbox.clear_faults(Some(ServiceName::Exchange));
    let next = stage.next_after(generation).await?;
    let calls = no_failure(stage)?;
    let during = calls - before;
    Ok(Told::new(
        format!(
            "the token endpoint answered 503 to the renewal and to its repetition; generation {} came when it was back. {during} calls meanwhile, none failed",
            next.generation()
        ),
        json!({ "generation": next.generation(), "refused": 2, "calls": during, "failed": 0 }),
    ))
}

pub(super) async fn rejected(stage: &Stage) -> Step {
    let Opened { connection, traffic } = stage.opened()?;
    let generation = connection.ready(PATIENCE).await?.generation();
    let recovered = traffic.recovered();
    // This one alone: a call that is still under way with the one before it would be answered 401 for both.
    if !stage.sandbox.revoke(generation) {
        return Err(broken(format!("the sandbox knows of no token number {generation} to revoke")));
    }
    if tokio::time::timeout(PATIENCE, traffic.wait_for_recovered(recovered + 1)).await.is_err() {
        return Err(broken("no call recovered from the 401"));
    }
    let now = connection.ready(PATIENCE).await?.generation();
    if now <= generation {
        return Err(broken("the 401 forced no renewal"));
    }
    let calls = no_failure(stage)?;
    Ok(Told::new(
        format!(
            "the API revoked the token and answered 401: one renewal, generation {now}, the call sent again, and it worked"
        ),
        json!({ "generation": now, "recovered": stage.opened()?.traffic.recovered(), "calls": calls, "failed": 0 }),
    ))
}

/// Somebody changed the document: the identity token is to go elsewhere.
pub(super) async fn beyond_the_grant(stage: &Stage) -> Step {
    let elsewhere = "https://attacker.example/oauth/token";
    let document = stage.document.replace(&stage.sandbox.token_endpoint(), elsewhere);
    let plan = stage.plan.as_ref().ok_or_else(|| broken("there is no plan yet"))?;
    let lock = Lock::new(Grant::for_plan(plan), stage.runtime.component_info());
    let opened = stage.runtime.open(&document, Variables::default(), lock.grant().clone()).await;
    match opened {
        Err(error) if error.kind == ErrorKind::Denied && error.message.contains(elsewhere) => Ok(Told::new(
            format!(
                "a document that sends the identity to {elsewhere} is refused ({}): nothing was sent",
                error.code
            ),
            json!({ "code": error.code }),
        )),
        Err(error) => Err(broken(format!("the changed document was refused for another reason: {error}"))),
        Ok(_) => Err(broken("the changed document was opened")),
    }
}

pub(super) fn total(stage: &Stage) -> Step {
    let calls = no_failure(stage)?;
    let issued = stage.sandbox.tokens_issued();
    Ok(Told::new(
        format!(
            "{}, 0 failed, {issued} short-lived tokens, no API key anywhere",
            counted(usize::try_from(calls).unwrap_or(0), "call")
        ),
        json!({ "calls": calls, "failed": 0, "tokens": issued }),
    ))
}

fn no_failure(stage: &Stage) -> Result<u64, Problem> {
    let traffic = &stage.opened()?.traffic;
    match (traffic.calls(), traffic.first_failure()) {
        (_, Some(failure)) => Err(broken(format!("a call of the application failed: {failure}"))),
        (0, None) => Err(broken("the application made no call")),
        (calls, None) => Ok(calls),
    }
}

fn expect_exchanges(stage: &Stage, count: u64) -> Result<(), Problem> {
    let seen = stage.sandbox.counters(ServiceName::Exchange).requests;
    if seen == count {
        Ok(())
    } else {
        Err(broken(format!("{count} exchanges were expected, and {seen} arrived")))
    }
}

fn left(credential: &CredentialRef) -> Result<Duration, Problem> {
    let end = credential.expires_at().ok_or_else(|| broken("the credential has no end"))?;
    Ok(end.duration_since(SystemTime::now()).unwrap_or_default())
}
