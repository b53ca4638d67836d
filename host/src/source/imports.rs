//! What such a component may import: WASI, as far as there is nothing behind it that was not granted.

use wasmtime::Engine;
use wasmtime::component::{Component, Linker};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::random::WasiRandom;

use crate::instance::State;
use crate::{Error, Grant, component};

/// Always there, because the standard libraries of most languages import them whatever a program does. The environment
/// holds the granted variables, the file system the directories of the granted files; standard streams lead nowhere.
const WASI: [&str; 21] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    // Empty: the types of an interface that imports none.
    "keyless:credentials/types",
];

/// Only for a component that was granted endpoints: it means to send, and would fail at its first request.
const HTTP: [&str; 2] = ["wasi:http/outgoing-handler", "wasi:http/types"];

/// # Errors
/// `source-component-import-denied`, naming what is too much and which setting would allow it.
pub(super) fn check(engine: &Engine, component: &Component, path: &str, grant: &Grant) -> Result<(), Error> {
    let kind = component.component_type();
    let known = |name: &str, list: &[&str]| list.contains(&name.split('@').next().unwrap_or_default());
    let beyond: Vec<_> =
        kind.imports(engine).map(|(name, _)| name).filter(|name| !known(name, &WASI)).collect();
    let refused: Vec<_> = beyond
        .iter()
        .copied()
        .filter(|name| grant.endpoints().next().is_none() || !known(name, &HTTP))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let way_out = if refused.iter().all(|name| known(name, &HTTP)) {
        "grant the requests that it sends in `source.endpoints`"
    } else {
        "build it without that: it may use the clocks, random numbers, granted files and variables, and HTTP to granted \
         endpoints"
    };
    Err(Error::denied(
        "source-component-import-denied",
        format!("the component {path} imports {}, which it is not granted; {way_out}", refused.join(", ")),
    ))
}

/// Everything of the lists above.
pub(super) fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = component::wasi_linker(engine)?;
    let l = &mut linker;
    wasi::cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    wasi::random::insecure::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    wasi::random::insecure_seed::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    wasi::random::random::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    Ok(linker)
}
