//! A credential from its first day to its last.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::commands::conformance::peer::{Manner, Peer, json as answer_json};
use crate::commands::conformance::report::Fault;
use crate::commands::conformance::stage::{Open, Stage, Stop};

const LONG: Manner = Manner::Issue { lifetime: 3_600, after: Duration::ZERO };

/// Its renewal is due after some two seconds, its end comes two seconds later.
const SHORT: Manner = Manner::Issue { lifetime: 5, after: Duration::ZERO };

/// How long after a moment it has surely passed on every clock.
const PAST: Duration = Duration::from_millis(300);

/// How far apart two moments may be that are the same one, told at different times.
const ALIKE_MS: u64 = 1_000;

pub(super) async fn cached(stage: &mut Stage) -> Result<(), Stop> {
    let (peer, _) = first(stage, LONG).await?;
    for _ in 0..3 {
        stage.generation("credential", "a", 1).await?;
    }
    requests(&peer, 1, "the credential was asked for four times")
}

pub(super) async fn together(stage: &mut Stage) -> Result<(), Stop> {
    const CALLERS: usize = 16;
    let peer = Peer::start(Manner::Issue { lifetime: 3_600, after: Duration::from_millis(500) }).await?;
    stage.open("a", &Open::to(&stage.world, &peer)?).await?.ok()?;
    let answers = stage.ask("together", &json!({"name": "a", "callers": CALLERS})).await?.ok()?;
    let ones = answers.as_array().map(|answers| answers.iter().filter(|answer| **answer == 1).count());
    if ones != Some(CALLERS) {
        return Err(
            Fault::new(format!("generation 1 for each of {CALLERS} callers"), answers.to_string()).into()
        );
    }
    requests(&peer, 1, "16 callers asked together")
}

pub(super) async fn renewal(stage: &mut Stage) -> Result<(), Stop> {
    let (peer, credential) = first(stage, Manner::Issue { lifetime: 10, after: Duration::ZERO }).await?;
    requests(&peer, 1, "no renewal is due")?;
    peer.turn(LONG);
    until(&credential, "renew-at").await?;
    stage.generation("renew", "a", 2).await?;
    stage.generation("credential", "a", 2).await?;
    requests(&peer, 2, "one renewal was due")
}

pub(super) async fn reject(stage: &mut Stage) -> Result<(), Stop> {
    let (peer, _) = first(stage, LONG).await?;
    stage.ask("reject", &json!({"name": "a", "generation": 1})).await?.ok()?;
    stage.generation("credential", "a", 2).await?;
    // Whoever had the first one learns late that it is of no use.
    stage.ask("reject", &json!({"name": "a", "generation": 1})).await?.ok()?;
    stage.generation("credential", "a", 2).await?;
    requests(&peer, 2, "generation 1 was rejected twice, the second time after it had been replaced")
}

pub(super) async fn outage(stage: &mut Stage) -> Result<(), Stop> {
    let (peer, credential) = first(stage, Manner::Issue { lifetime: 8, after: Duration::ZERO }).await?;
    peer.turn(Manner::Say(answer_json(503, "", "{}")));
    until(&credential, "renew-at").await?;
    stage.generation("renew", "a", 1).await?;
    stage.generation("credential", "a", 1).await?;
    let status = stage.ask("status", &json!({"name": "a"})).await?.ok()?;
    if status.get("failures").and_then(Value::as_u64).is_none_or(|failures| failures == 0) {
        return Err(Fault::new("a renewal that was tried and failed", format!("the status {status}")).into());
    }
    Ok(())
}

pub(super) async fn end(stage: &mut Stage) -> Result<(), Stop> {
    let (peer, credential) = first(stage, SHORT).await?;
    peer.turn(Manner::Say(answer_json(503, "", "{}")));
    until(&credential, "expires-at").await?;
    let answer = stage.ask("credential", &json!({"name": "a"})).await?;
    Ok(answer.failed("unavailable", "endpoint-failed")?)
}

pub(super) async fn status(stage: &mut Stage) -> Result<(), Stop> {
    let (_peer, credential) = first(stage, LONG).await?;
    let answer = stage.say("status", &json!({"name": "a"})).await?;
    // When a renewal is due is drawn by lot, and told by the credential; on the clock of the call, so that the two may differ.
    let due = credential.get("renew-at").and_then(Value::as_u64).unwrap_or_default();
    let told = serde_json::from_str::<Value>(&answer).ok();
    let told = told.as_ref().and_then(|told| told.pointer("/ok/next-attempt-at")?.as_u64());
    let next = told.filter(|told| told.abs_diff(due) <= ALIKE_MS).unwrap_or(due);
    let end = credential.get("expires-at").unwrap_or(&Value::Null);
    let expected = format!(
        "{{\"ok\":{{\"phase\":\"fresh\",\"generation\":1,\"renewals\":1,\"failures\":0,\"failures-in-a-row\":0,\
         \"next-attempt-at\":{next},\"expires-at\":{end},\"last-error\":null,\"warnings\":[]}}}}"
    );
    if answer == expected { Ok(()) } else { Err(Fault::new(expected, answer).into()) }
}

pub(super) async fn close(stage: &mut Stage) -> Result<(), Stop> {
    let (peer, credential) = first(stage, SHORT).await?;
    stage.ask("close", &json!({"name": "a"})).await?.ok()?;
    let answer = stage.ask("credential", &json!({"name": "a"})).await?;
    if let crate::commands::conformance::stage::Answer::Ok(_) = answer {
        return Err(Fault::new("an error, because the connection is closed", answer.shown()).into());
    }
    until(&credential, "expires-at").await?;
    requests(&peer, 1, "a renewal was due after the connection was closed")
}

/// A peer that answers in this manner, a connection `a` to it, and its first credential.
async fn first(stage: &mut Stage, manner: Manner) -> Result<(Peer, Value), Stop> {
    let peer = Peer::start(manner).await?;
    stage.open("a", &Open::to(&stage.world, &peer)?).await?.ok()?;
    let credential = stage.generation("credential", "a", 1).await?;
    Ok((peer, credential))
}

fn requests(peer: &Peer, wanted: usize, why: &str) -> Result<(), Stop> {
    match peer.requests() {
        count if count == wanted => Ok(()),
        count => {
            Err(Fault::new(format!("requests to the token endpoint: {wanted}, as {why}"), count.to_string())
                .into())
        }
    }
}

/// Lets a moment of the credential pass, which is in Unix milliseconds.
async fn until(credential: &Value, name: &str) -> Result<(), Fault> {
    let moment = credential.get(name).and_then(Value::as_u64);
    let moment = moment.ok_or_else(|| Fault::new(format!("`{name}` in Unix milliseconds"), "none"))?;
    let left =
        (UNIX_EPOCH + Duration::from_millis(moment)).duration_since(SystemTime::now()).unwrap_or_default();
    if left > Duration::from_secs(20) {
        return Err(Fault::new(
            format!("`{name}` within the token's life of some seconds"),
            format!("in {} s", left.as_secs()),
        ));
    }
    tokio::time::sleep(left + PAST).await;
    Ok(())
}
