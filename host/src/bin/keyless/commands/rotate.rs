//! `keyless rotate`: one new minted key, for whatever rotates on a schedule of its own.

use std::process::ExitCode;

use keyless::{Prune, Standing};

use crate::cli::{Cli, TokenArgs};
use crate::output::problem::Problem;
use crate::output::{self, accounts, counted, credential};
use crate::session::Session;

pub(super) async fn run(cli: &Cli, args: &TokenArgs) -> Result<ExitCode, Problem> {
    let session = Session::prepare(cli).await?;
    if !session.mints() {
        return Err(Problem::invalid(
            "not-minted",
            "this connection makes no keys, so there is none to rotate",
            "use `keyless token`; a connection that makes keys has the exchange `openai-service-account`",
        ));
    }
    session.warn();
    // Dropped and not closed at the end: closing deletes what was just printed.
    let connection = session.open().await?;
    let minted = connection.ready(args.patience.timeout).await;
    let minted = minted.map_err(|error| Problem::from(error).in_document(&session.document.origin))?;
    output::write(&credential::text(&minted, args.format)?)?;
    // The key is out: whatever goes wrong from here on does not take it back.
    match session.accounts(Prune::Done).await {
        Ok(all) => {
            let deleted = all.iter().filter(|account| account.deleted).count();
            let in_use = all.iter().filter(|account| account.standing != Standing::Done).count();
            let until = minted.expires_at().map_or_else(|| "it is deleted".to_owned(), accounts::moment_of);
            output::tell(&format!(
                "a new key, good until {until}; {} deleted that nobody uses any more, {} may be in use",
                counted(deleted, "account"),
                counted(in_use, "account")
            ));
        }
        Err(problem) => {
            tracing::warn!(code = %problem.code(), "accounts that are done with were not deleted: {problem}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
