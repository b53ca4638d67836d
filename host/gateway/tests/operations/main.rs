//! The token endpoint and what operators look at, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, a panic is a failure; clippy.toml allows it in test functions, not in their helpers"
)]

mod endpoint;
mod ops;
mod stand_in;
mod traces;
