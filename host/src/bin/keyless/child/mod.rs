//! A program that runs in our place: it gets our signals, we end as it does.

#[cfg(unix)]
mod signals;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{Command, ExitCode, ExitStatus};

use crate::output::problem::{Class, Problem};

/// The program with its arguments.
pub(crate) fn command(program: &[OsString]) -> Result<Command, Problem> {
    let Some((name, arguments)) = program.split_first() else {
        return Err(Problem::invalid("usage", "the program to run is missing", "write it after `--`"));
    };
    let mut command = Command::new(name);
    command.args(arguments);
    Ok(command)
}

/// Starts the program, passes signals on to it until it ends, and gives its exit code: 128+N if signal N ended it.
///
/// # Errors
/// `program-missing` (127) and `program-not-executable` (126), as shells have it.
pub(crate) fn supervise(mut command: Command) -> Result<ExitCode, Problem> {
    #[cfg(unix)]
    let signals = signals::Signals::catch().map_err(|reason| lost(&reason))?;
    let spawned = command.spawn();
    let name = command.get_program().to_string_lossy().into_owned();
    // The command holds a copy of the credential, the program has its own now.
    drop(command);
    let mut child = spawned.map_err(|reason| not_started(&name, &reason))?;
    #[cfg(unix)]
    signals.pass_to(&child).map_err(|reason| lost(&reason))?;
    let status = child.wait().map_err(|reason| lost(&reason))?;
    Ok(ExitCode::from(exit_code(status)))
}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;

    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn not_started(name: &str, reason: &std::io::Error) -> Problem {
    match reason.kind() {
        ErrorKind::NotFound => Problem::new(
            Class::NotFound,
            "program-missing",
            format!("there is no program `{name}`"),
            "check its name, and that it is in $PATH",
        ),
        _ => Problem::new(
            Class::NotExecutable,
            "program-not-executable",
            format!("`{name}` cannot be started: {reason}"),
            "check that it is a program, and its permissions",
        ),
    }
}

fn lost(reason: &std::io::Error) -> Problem {
    Problem::new(
        Class::Failed,
        "program-lost",
        format!("the program cannot be watched: {reason}"),
        "check the limits of this process (open files, processes)",
    )
}
