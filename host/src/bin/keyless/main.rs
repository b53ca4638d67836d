//! The `keyless` command: credentials for people, scripts and programs that do not embed the library.
//!
//! ```text
//! cli -> commands -> session (document -> plan -> grant -> connection) -> output
//! ```
//!
//! A secret leaves by standard output or by the environment of the program that `run` starts, and in no other way: no
//! type of this command that holds one has `Debug`, and no error quotes a value.

mod child;
mod cli;
mod commands;
mod config;
#[cfg(unix)]
mod demo;
mod document;
mod key_files;
mod keyring;
mod logging;
mod memory;
mod openai_variables;
mod output;
#[cfg(unix)]
mod serve;
mod session;
#[cfg(unix)]
mod signals;
mod usage;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _, ValueEnum as _};

use cli::{Cli, LogFormat};
use output::problem::{Class, Problem};

fn main() -> ExitCode {
    memory::keep_private();
    let arguments: Vec<_> = std::env::args_os().collect();
    let format = format_of(&arguments);
    match start(arguments) {
        Ok(code) => code,
        Err(problem) => {
            problem.report(format);
            ExitCode::from(problem.exit_code())
        }
    }
}

fn start(arguments: Vec<OsString>) -> Result<ExitCode, Problem> {
    if arguments.len() < 2 {
        // Help instead of a result: whoever reads standard output must not take it for one.
        let help = Cli::command().render_help().to_string();
        let _unwritable = io::stderr().lock().write_all(help.as_bytes());
        return Ok(ExitCode::from(Class::Invalid.exit_code()));
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(help) if !help.use_stderr() => {
            return output::write(&help.to_string()).map(|()| ExitCode::SUCCESS);
        }
        Err(error) => return Err(usage::problem(&error)),
    };
    logging::start(&cli.logging, cli.command.log_level())?;
    commands::run(&cli)
}

/// The form of errors, before (and although) the command line can be understood.
fn format_of(arguments: &[OsString]) -> LogFormat {
    let before_program = arguments.iter().take_while(|argument| *argument != "--");
    let mut texts = before_program.filter_map(|argument| argument.to_str()).peekable();
    let mut given = None;
    while let Some(text) = texts.next() {
        if text == "--log-format" {
            given = texts.peek().map(|value| (*value).to_owned());
        } else if let Some(value) = text.strip_prefix("--log-format=") {
            given = Some(value.to_owned());
        }
    }
    given
        .or_else(|| std::env::var(cli::LOG_FORMAT_VARIABLE).ok())
        .and_then(|value| LogFormat::from_str(&value, false).ok())
        .unwrap_or(LogFormat::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(line: &[&str]) -> LogFormat {
        format_of(&line.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_form_of_errors_is_known_even_for_a_broken_line() {
        assert_eq!(format(&["keyless", "token", "--nonsense", "--log-format", "json"]), LogFormat::Json);
        assert_eq!(format(&["keyless", "--log-format=json"]), LogFormat::Json);
        assert_eq!(format(&["keyless", "run", "--", "x", "--log-format=json"]), LogFormat::Text);
        assert_eq!(format(&["keyless", "--log-format"]), LogFormat::Text);
    }
}
