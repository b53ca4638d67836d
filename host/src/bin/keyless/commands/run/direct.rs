//! The credential itself in the program's environment: good until its lifetime ends, because an environment cannot be renewed.

use std::process::{Command, ExitCode};

use super::{Vendor, clear};
use crate::child;
use crate::cli::{Cli, RunArgs};
use crate::output::problem::Problem;
use crate::session::Session;

pub(super) fn run(
    cli: &Cli,
    args: &RunArgs,
    tokio: tokio::runtime::Runtime,
    mut command: Command,
) -> Result<ExitCode, Problem> {
    tokio.block_on(async {
        let session = Session::prepare(cli).await?;
        let vendor = Vendor::of(&session.plan);
        clear(&mut command, &session, vendor);
        // Dropped and not closed at the end: closing may revoke what the program is about to use.
        let (_connection, credential) = session.connect(args.patience.timeout).await?;
        for (name, value) in vendor.direct(&credential)? {
            command.env(name, value);
        }
        Ok::<_, Problem>(())
    })?;
    // Its connections hold what went over them, and nobody would close them as long as the program runs.
    drop(tokio);
    child::supervise(command)
}
