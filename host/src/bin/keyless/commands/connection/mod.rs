//! `keyless connection`: the connections of a `keyless.toml`, as Okta's connector for OpenAI keeps its own: a nickname, an
//! organization and a key, as many as one likes.
//!
//! ```text
//! add ──▶ fields, key ──▶ file (lock) ──▶ key_files or keyring, then keyless.toml (keyless_documents::edit)
//! list, show ──▶ described (the component's plan) ──▶ output::connection
//! remove ──▶ revoke (the Admin API, if wanted) ──▶ file (lock) ──▶ keyless.toml, then the key
//! ```

mod add;
pub(crate) mod described;
mod fields;
mod file;
mod key;
mod list;
pub(crate) mod place;
mod remove;
mod revoke;
pub(crate) mod show;

use std::process::ExitCode;

use crate::cli::{Cli, ConnectionCommand};
use crate::config;
use crate::output::problem::Problem;

pub(super) async fn run(cli: &Cli, command: &ConnectionCommand) -> Result<ExitCode, Problem> {
    match command {
        ConnectionCommand::Add(args) => add::run(cli, args).await,
        ConnectionCommand::List(args) => list::run(cli, args).await,
        ConnectionCommand::Show(args) => show::run(cli, args).await,
        ConnectionCommand::Remove(args) => remove::run(cli, args).await,
    }
}

/// A name that the file does not have, with those that it has, nearest first.
fn unknown(file: &std::path::Path, name: &str, survey: &keyless_documents::Survey) -> Problem {
    let names: Vec<_> = survey.each().map(|(name, _)| name).collect();
    let next = if names.is_empty() {
        "add it with `keyless connection add NAME`".to_owned()
    } else {
        format!("choose one of {}", config::nearest(name, names.into_iter()).join(", "))
    };
    let what = format!("{} has no connection of this name ({} characters)", file.display(), name.len());
    Problem::invalid("connection-name", what, next)
}
