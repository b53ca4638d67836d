//! The `keyless` command, as a shell meets it: arguments, environment, standard streams, signals and exit codes.
//!
//! The real binary runs in an environment that holds nothing but what a test puts there. Where a token endpoint is needed
//! it is the sandbox's, which checks what it receives.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test, a panic is a failure; clippy.toml allows it in test functions, not in their helpers"
)]

mod combinations;
mod connection;
mod connections;
mod custom;
mod demo;
mod doctor;
mod exit_codes;
mod harness;
mod inspect;
mod keyless_toml;
#[cfg(target_os = "linux")]
mod memory;
mod minted;
mod plan;
mod run;
mod sandbox;
mod secrets;
mod serve;
mod signals;
mod systemd;
mod token;
mod traces;
mod usage;
mod x509;
