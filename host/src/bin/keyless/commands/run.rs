//! `keyless run`: a program with the credential in its environment.

use std::process::ExitCode;

use crate::child;
use crate::cli::{Cli, RunArgs};
use crate::openai_variables::{OpenAiVariables, REPLACED};
use crate::output::problem::Problem;
use crate::session::Session;

/// The connection itself, which the program does not need and which may hold a key.
const CONNECTION: [&str; 2] = ["KEYLESS_CONNECTION", "AIRFLOW_CONN_OPENAI_DEFAULT"];

pub(super) fn run(cli: &Cli, args: &RunArgs, tokio: tokio::runtime::Runtime) -> Result<ExitCode, Problem> {
    let mut command = child::command(&args.program)?;
    tokio.block_on(async {
        let session = Session::prepare(cli).await?;
        // What OpenAI's clients read and the connection has used up. Variables of a platform stay: the program may need
        // its identity for something else.
        for name in session.plan.requirements.variables.iter().filter(|name| name.starts_with("OPENAI_")) {
            command.env_remove(name);
        }
        for name in REPLACED.iter().chain(&CONNECTION) {
            command.env_remove(name);
        }
        // Dropped and not closed at the end: closing may revoke what the program is about to use.
        let (_connection, credential) = session.connect(args.patience.timeout).await?;
        for (name, value) in OpenAiVariables::of(&credential)?.set() {
            command.env(name, value);
        }
        Ok::<_, Problem>(())
    })?;
    // Its connections hold what went over them, and nobody would close them as long as the program runs.
    drop(tokio);
    child::supervise(command)
}
