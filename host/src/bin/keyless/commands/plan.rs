//! `keyless plan`: the connection as it is understood, and what it needs. Does nothing.

use std::fs;
use std::process::ExitCode;

use crate::cli::{Cli, PlanArgs};
use crate::output;
use crate::output::problem::{Class, Problem};
use crate::session::Session;

pub(super) async fn run(cli: &Cli, args: &PlanArgs) -> Result<ExitCode, Problem> {
    let session = Session::prepare(cli).await?;
    let mut text = if args.json {
        output::json(&session.plan)?
    } else {
        output::plan::text(&session.plan, &session.variables, &session.document.origin)
    };
    if let Some(locked) = cli.connection.locked.as_deref().filter(|_| !args.json) {
        text.push_str(&format!("\nwithin what {} allows\n", locked.display()));
    }
    if let Some(path) = &args.lock {
        fs::write(path, session.lock().await?.to_json()).map_err(|reason| {
            Problem::new(
                Class::Failed,
                "lock-unwritable",
                format!("the lock file {} cannot be written: {reason}", path.display()),
                "check the path and its permissions",
            )
        })?;
        if !args.json {
            text.push_str(&format!("\nlocked in {}\n", path.display()));
        }
    }
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}
