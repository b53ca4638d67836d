//! `keyless demo`: the main job on the sandbox, as a timeline. Each step checks what it says; one that does not hold ends
//! the demo with an error.
//!
//! [`steps`] is the story, [`stage`] what it is played on, [`traffic`] the application whose calls must not fail.

mod client;
mod stage;
mod steps;
mod timeline;
mod traffic;

use std::process::ExitCode;

use crate::cli::DemoArgs;
use crate::output::problem::{Class, Problem};
use stage::Stage;
use timeline::Timeline;

/// Plays all steps, in order, until one does not hold.
pub(crate) async fn run(args: &DemoArgs) -> Result<ExitCode, Problem> {
    let mut timeline = Timeline::begin(args.json)?;
    let outcome = play(&mut timeline).await;
    timeline.end(outcome.as_ref().err())?;
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // With `--json` the failure is in the document already.
        Err(_) if args.json => Ok(ExitCode::FAILURE),
        Err(problem) => Err(problem),
    }
}

async fn play(timeline: &mut Timeline) -> Result<(), Problem> {
    let mut stage = Stage::set().await?;
    timeline.step("sandbox", steps::sandbox(&stage))?;
    timeline.step("plan", steps::plan(&mut stage).await)?;
    timeline.step("grant", steps::grant(&mut stage))?;
    timeline.step("token", steps::token(&mut stage).await)?;
    timeline.step("call", steps::streamed_call(&stage).await)?;
    timeline.step("rotate", steps::rotate(&stage))?;
    timeline.step("renewal", steps::renewal(&stage).await)?;
    timeline.step("outage", steps::outage(&stage).await)?;
    timeline.step("401", steps::rejected(&stage).await)?;
    timeline.step("beyond", steps::beyond_the_grant(&stage).await)?;
    timeline.step("total", steps::total(&stage))?;
    stage.strike().await
}

/// A step that does not hold.
fn broken(what: impl Into<String>) -> Problem {
    Problem::new(
        Class::Failed,
        "demo-step-failed",
        what.into(),
        "run `keyless demo` once more; if it repeats, report it with the output of `keyless -vv demo`",
    )
}
