//! `keyless conformance`: our own hosts pass it, and each flaw that a host can have is found by the check that is for it.
//!
//! This program is also those hosts: `--be library` speaks the protocol for the Rust library, `--be small` for the small host of
//! the guide, with the flaw that `--flaw` names.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test, a panic is a failure; clippy.toml allows it in test functions, not in their helpers"
)]

mod effects;
mod flawed;
mod guide;
mod harness;
mod hosts;
mod library;
#[path = "../../src/bin/keyless/commands/conformance/wire.rs"]
mod plan;
mod traces;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["--be", "library"] => library::serve(),
        ["--be", "small"] => flawed::serve(None),
        ["--be", "small", "--flaw", flaw] => flawed::serve(Some(flaw)),
        _ => harness::run(&arguments),
    }
}
