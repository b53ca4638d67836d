//! `keyless accounts`: the service accounts that connections with minted keys made, and the deletion of those that nobody
//! uses any more. What is ours and what is done with is the component's to say.

use std::process::ExitCode;

use keyless::Prune;

use crate::cli::{AccountsCommand, Cli};
use crate::output::problem::Problem;
use crate::output::{self, accounts};
use crate::session::Session;

pub(super) async fn run(cli: &Cli, command: &AccountsCommand) -> Result<ExitCode, Problem> {
    let (prune, json) = match command {
        AccountsCommand::List(args) => (Prune::Nothing, args.json),
        AccountsCommand::Prune(args) => (wanted(args.dry_run, args.all), args.json),
    };
    let session = Session::prepare(cli).await?;
    let found = session.accounts(prune).await?;
    let text = if json {
        output::json(&accounts::listed(&found))?
    } else {
        match command {
            AccountsCommand::List(_) => accounts::table(&found),
            AccountsCommand::Prune(args) => accounts::pruned(&found, args.dry_run, args.all),
        }
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn wanted(dry_run: bool, all: bool) -> Prune {
    match (dry_run, all) {
        (true, _) => Prune::Nothing,
        (false, false) => Prune::Done,
        (false, true) => Prune::All,
    }
}
