//! `keyless token`: a fresh credential on standard output.

use std::process::ExitCode;

use crate::cli::{Cli, TokenArgs};
use crate::output::problem::Problem;
use crate::output::{self, credential};
use crate::session::Session;

pub(super) async fn run(cli: &Cli, args: &TokenArgs) -> Result<ExitCode, Problem> {
    let session = Session::prepare(cli).await?;
    if session.mints() {
        tracing::warn!(
            code = "minted-for-one-use",
            "every `keyless token` makes a service account, which is deleted when it lapses; `keyless serve` and `keyless run` keep one"
        );
    }
    // Dropped and not closed at the end: closing may revoke what was just printed.
    let (_connection, credential) = session.connect(args.patience.timeout).await?;
    output::write(&credential::text(&credential, args.format)?)?;
    Ok(ExitCode::SUCCESS)
}
