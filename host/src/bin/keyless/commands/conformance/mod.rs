//! `keyless conformance`: starts a host of somebody else's and finds out whether it keeps what a host has to promise.
//!
//! ```text
//! checks/ (one function per promise) ──▶ stage (what every check asks) ──▶ tested (the program, line by line)
//!    ├── peer (a token endpoint below HTTP) and world (the sandbox)
//!    └── report ──▶ output::conformance
//! ```
//!
//! Each check has a process of its own, so that one that breaks takes no other along, and several run at once.

mod checks;
mod peer;
pub(crate) mod report;
mod stage;
mod tested;
mod traces;
mod wire;
mod world;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::checks::{ALL, Check, SECRETS};
use self::report::{Fault, Finding, Report, Verdict, millis};
use self::stage::{Stage, Stop};
use self::world::World;
use crate::cli::{Cli, ConformanceArgs};
use crate::output::problem::{Class, Problem};
use crate::{output, session};

/// Hosts that run at once.
const AT_ONCE: usize = 6;
/// For one check as a whole: some of them make several attempts, each of which ends within half a minute.
const PATIENCE: Duration = Duration::from_secs(120);
const GUIDE: &str = "docs/write-a-host.md";

pub(super) async fn run(cli: &Cli, args: &ConformanceArgs) -> Result<ExitCode, Problem> {
    let started = Instant::now();
    let chosen = chosen(&args.only)?;
    let world = World::new(args.program.clone(), session::runtime(&cli.runtime)?).await;
    let world = Arc::new(world.map_err(|fault| {
        Problem::new(
            Class::Failed,
            "sandbox-failed",
            format!("{}: {}", fault.expected, fault.came),
            "check TMPDIR and limits",
        )
    })?);
    let introduction = introduction(&world).await;
    let findings = findings(&world, &chosen).await;
    let traces = match &args.traces {
        Some(path) => traces::replay(&args.program, path).await?,
        None => None,
    };
    let report = Report::of(introduction, findings, traces, started.elapsed());
    output::write(&if args.json { output::json(&report)? } else { output::conformance::text(&report) })?;
    Ok(if report.conforms { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The checks that were named, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Check>, Problem> {
    if names.is_empty() {
        return Ok(ALL.iter().collect());
    }
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|check| check.name == **name)) {
        let known: Vec<_> = ALL.iter().map(|check| check.name).collect();
        return Err(Problem::invalid(
            "usage",
            format!("there is no check `{unknown}`"),
            format!("name some of {}", known.join(", ")),
        ));
    }
    Ok(ALL.iter().filter(|check| names.iter().any(|name| check.name == name)).collect())
}

/// Who is tested. Whether it says so properly is a check of its own.
async fn introduction(world: &Arc<World>) -> (String, String) {
    let mut stage = Stage::new(Arc::clone(world), "hello");
    let said = tokio::time::timeout(PATIENCE, checks::introduction(&mut stage)).await;
    stage.end();
    match said {
        Ok(Ok(said)) => said,
        _ => ("a host that does not say who it is".to_owned(), "unknown".to_owned()),
    }
}

/// What every check finds, in the order of the checks.
async fn findings(world: &Arc<World>, chosen: &[&'static Check]) -> Vec<Finding> {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (index, check) in chosen.iter().copied().enumerate() {
        let (world, places) = (Arc::clone(world), Arc::clone(&places));
        running.spawn(async move {
            let _place = places.acquire().await;
            (index, examine(world, check).await)
        });
    }
    let mut findings = running.join_all().await;
    findings.sort_by_key(|(index, _)| *index);
    let mut findings: Vec<_> = findings.into_iter().map(|(_, finding)| finding).collect();
    tell_leaks(&mut findings, &world.leaks());
    findings
}

async fn examine(world: Arc<World>, check: &'static Check) -> Finding {
    let started = Instant::now();
    let mut stage = Stage::new(world, check.name);
    let ended = tokio::time::timeout(PATIENCE, (check.run)(&mut stage)).await;
    stage.end();
    let (verdict, fault) = match ended {
        Ok(Ok(())) => (Verdict::Kept, None),
        Ok(Err(Stop::Unsupported)) if check.optional() => (Verdict::Unsupported, None),
        Ok(Err(Stop::Unsupported)) => {
            (Verdict::Broken, Some(Fault::new("an answer: without it nothing is a host", "`unsupported`")))
        }
        Ok(Err(Stop::Fault(fault))) => (Verdict::Broken, Some(fault)),
        Err(_) => {
            let came = format!("it was not done after {} s", PATIENCE.as_secs());
            (Verdict::Broken, Some(Fault::new("the check comes to its end", came)))
        }
    };
    let guide = format!("{GUIDE}#{}", check.section);
    Finding {
        check: check.name,
        promise: check.promise,
        verdict,
        fault,
        guide,
        took_ms: millis(started.elapsed()),
    }
}

/// A token that was seen during any check breaks one promise, whichever check it was.
fn tell_leaks(findings: &mut Vec<Finding>, leaks: &[String]) {
    let Some(check) = ALL.iter().find(|check| check.name == SECRETS).filter(|_| !leaks.is_empty()) else {
        return;
    };
    let fault = Fault::new(check.promise, leaks.join("; "));
    match findings.iter_mut().find(|finding| finding.check == SECRETS) {
        Some(finding) => {
            finding.verdict = Verdict::Broken;
            finding.fault = Some(fault);
        }
        None => findings.push(Finding {
            check: check.name,
            promise: check.promise,
            verdict: Verdict::Broken,
            fault: Some(fault),
            guide: format!("{GUIDE}#{}", check.section),
            took_ms: 0,
        }),
    }
}
