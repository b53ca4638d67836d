//! Log lines on standard error.
//!
//! Whatever is asked for, other crates say no more than `info`: what HTTP and TLS libraries write at `debug` and `trace`
//! may hold headers, and headers hold secrets.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, Targets, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{fmt, registry};

use crate::cli::{LogFormat, LoggingArgs};
use crate::output::problem::Problem;

/// Says what is logged, in the syntax of `RUST_LOG`, when there is no `-v`.
const VARIABLE: &str = "KEYLESS_LOG";

/// Starts logging for the rest of the process; at `level`, where nobody asked for another one.
///
/// # Errors
/// `log-filter-invalid` when `KEYLESS_LOG` cannot be read.
pub(crate) fn start(args: &LoggingArgs, level: LevelFilter) -> Result<(), Problem> {
    let filter = targets(args.verbose, level)?.and(filter_fn(harmless));
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        // It would be reported on standard error, by way of a panic when that is closed.
        .log_internal_errors(false);
    let lines = match args.log_format {
        LogFormat::Text => lines.with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    // Only the first call in a process has an effect, and there is no second one.
    let subscriber = registry().with(lines);
    #[cfg(unix)]
    let subscriber = subscriber.with(crate::serve::renewals());
    let _first = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

fn targets(verbose: u8, level: LevelFilter) -> Result<Targets, Problem> {
    let level = match verbose {
        0 => match std::env::var(VARIABLE) {
            Ok(text) if !text.trim().is_empty() => return parse(&text),
            _ => level,
        },
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let targets = Targets::new().with_target("keyless", level).with_default(LevelFilter::WARN.min(level));
    // It logs every failure that `keyless sync` tells of itself.
    Ok(targets.with_target("kube_client", LevelFilter::OFF))
}

fn parse(text: &str) -> Result<Targets, Problem> {
    text.parse().map_err(|reason| {
        Problem::invalid(
            "log-filter-invalid",
            format!("${VARIABLE} cannot be read: {reason}"),
            format!("write levels as in `{VARIABLE}=info` or `{VARIABLE}=keyless=debug`, or use `-v`"),
        )
    })
}

/// Our own lines at any level, those of others up to `info`.
fn harmless(line: &Metadata<'_>) -> bool {
    line.target().starts_with("keyless") || *line.level() <= Level::INFO
}
