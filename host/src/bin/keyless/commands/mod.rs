//! One file per command. A further one is a variant in `cli.rs`, a file here and a line in [`run`].

mod accounts;
#[cfg(unix)]
pub(crate) mod conformance;
pub(crate) mod connection;
pub(crate) mod doctor;
mod inspect;
mod plan;
mod rotate;
mod run;
#[cfg(unix)]
mod sandbox;
#[cfg(unix)]
mod sync;
mod token;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
#[cfg(unix)]
use crate::demo;
use crate::output::problem::{Class, Problem};
#[cfg(unix)]
use crate::serve;

/// Does what the command line says.
pub(crate) fn run(cli: &Cli) -> Result<ExitCode, Problem> {
    // While there is one thread.
    #[cfg(unix)]
    let sockets = match &cli.command {
        Command::Serve(_) => serve::sockets()?,
        _ => Default::default(),
    };
    let tokio = tokio(&cli.command)?;
    match &cli.command {
        Command::Token(args) => tokio.block_on(token::run(cli, args)),
        Command::Run(args) => run::run(cli, args, tokio),
        Command::Rotate(args) => tokio.block_on(rotate::run(cli, args)),
        Command::Accounts(args) => tokio.block_on(accounts::run(cli, &args.command)),
        Command::Plan(args) => tokio.block_on(plan::run(cli, args)),
        Command::Doctor(args) => tokio.block_on(doctor::run(cli, args)),
        Command::Connection(args) => tokio.block_on(connection::run(cli, &args.command)),
        Command::Inspect(args) => inspect::run(cli, args),
        #[cfg(unix)]
        Command::Serve(args) => tokio.block_on(serve::run(cli, args, sockets)),
        #[cfg(unix)]
        Command::Sync(args) => tokio.block_on(sync::run(cli, args)),
        #[cfg(unix)]
        Command::Sandbox(args) => tokio.block_on(sandbox::run(args)),
        #[cfg(unix)]
        Command::Conformance(args) => tokio.block_on(conformance::run(cli, args)),
        #[cfg(unix)]
        Command::Demo(args) => tokio.block_on(demo::run(args)),
    }
}

/// One thread: a command keeps its connections and waits for them. It is a thread of its own where this one waits for a
/// program, or for a credential while it leads; the listeners of a gateway have theirs.
fn tokio(command: &Command) -> Result<tokio::runtime::Runtime, Problem> {
    let mut builder = match command {
        #[cfg(unix)]
        Command::Run(args) if !args.direct => tokio::runtime::Builder::new_multi_thread(),
        // A lease is renewed whatever the connection is busy with.
        #[cfg(unix)]
        Command::Sync(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    builder.worker_threads(1).enable_all().build().map_err(|reason| {
        Problem::new(
            Class::Failed,
            "runtime-failed",
            format!("the event loop cannot be started: {reason}"),
            "check the limits of this process (open files, memory)",
        )
    })
}
