//! `keyless accounts`: its words.

use clap::{Args, Subcommand};

/// `keyless accounts`.
#[derive(Args)]
pub(crate) struct AccountsArgs {
    #[command(subcommand)]
    pub(crate) command: AccountsCommand,
}

/// What is to be done with service accounts.
#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// Show those of the project that carry Keyless' mark
    List(AccountsListArgs),
    /// Delete those that nobody uses any more
    Prune(AccountsPruneArgs),
}

/// `keyless accounts list`.
#[derive(Args)]
pub(crate) struct AccountsListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// `keyless accounts prune`.
#[derive(Args)]
pub(crate) struct AccountsPruneArgs {
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also those of this connection that may be in use: whoever uses one needs another
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
