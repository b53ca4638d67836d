//! `keyless doctor`: walks a connection step by step and says what holds, what does not, and what to do next.
//!
//! ```text
//! steps/ (one file per step) ──▶ causes/ (from observations to a diagnosis) ──▶ report ──▶ output::doctor
//!    └── watch (what the component asks for, and what comes back)
//! ```
//!
//! Nothing is done a second time: the component makes one real attempt, and the doctor, who does its I/O, looks on.

mod causes;
mod code;
mod identity_token;
mod platform;
pub(crate) mod report;
mod skew;
mod steps;
mod token_file;
mod watch;

use std::process::ExitCode;

use keyless::Runtime;

use self::report::{Report, Step};
use self::watch::Watch;
use crate::cli::{Cli, DoctorArgs};
use crate::output::problem::Problem;
use crate::{output, session};

pub(super) async fn run(cli: &Cli, args: &DoctorArgs) -> Result<ExitCode, Problem> {
    let watch = Watch::new(session::network(&cli.runtime)?);
    let runtime = session::runtime_over(&cli.runtime, watch.clone())?;
    let report = Report::of(examine(cli, args, runtime, &watch).await);
    let text = if args.json { output::json(&report)? } else { output::doctor::text(&report) };
    output::write(&text)?;
    Ok(ExitCode::from(report.exit_code))
}

/// The steps that were walked, in order. What comes after the last of them was not reached.
async fn examine(cli: &Cli, args: &DoctorArgs, runtime: Runtime, watch: &Watch) -> Vec<Step> {
    let (mut steps, session) = steps::document::examine(cli, runtime).await;
    let Some(session) = session else { return steps };
    let plan = &session.plan;
    let attempt = steps::Attempt::make(&session, watch, args.timeout).await;

    let endpoint = steps::endpoint::examine(plan, watch).await;
    let endpoint_failed = endpoint.status == report::Status::Failed;
    steps.push(steps::source::examine(&session, &attempt));
    steps.push(endpoint);
    steps.push(steps::exchange::examine(plan, &attempt, endpoint_failed));
    let (api, answer) = steps::api::examine(plan, &attempt, watch, args).await;
    steps.push(api);
    steps.push(steps::clock::examine(&attempt, answer.as_ref()));
    attempt.end().await;
    steps
}
