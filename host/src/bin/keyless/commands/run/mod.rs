//! `keyless run`: a program that is authorised for as long as it runs, or one with the credential in its environment.

mod direct;
#[cfg(unix)]
mod proxied;
mod variables;

use std::process::{Command, ExitCode};

use crate::child;
use crate::cli::{Cli, RunArgs};
use crate::output::problem::Problem;
use crate::session::Session;
use variables::Vendor;

pub(super) fn run(cli: &Cli, args: &RunArgs, tokio: tokio::runtime::Runtime) -> Result<ExitCode, Problem> {
    let command = child::command(&args.program)?;
    #[cfg(unix)]
    if !args.direct {
        return proxied::run(cli, args, tokio, command);
    }
    direct::run(cli, args, tokio, command)
}

/// The connection itself, which the program does not need and which may hold a key.
const CONNECTION: [&str; 2] = ["KEYLESS_CONNECTION", "AIRFLOW_CONN_OPENAI_DEFAULT"];

/// Takes out of the program's environment what the connection has used up and what would stand beside the new credential.
/// Variables of a platform stay: the program may need its identity for something else.
fn clear(command: &mut Command, session: &Session, vendor: Vendor) {
    let used = session.plan.requirements.variables.iter().map(String::as_str);
    for name in used.filter(|name| name.starts_with("OPENAI_") || name.starts_with("ANTHROPIC_")) {
        command.env_remove(name);
    }
    for name in vendor.replaced().iter().chain(&CONNECTION) {
        command.env_remove(name);
    }
}
