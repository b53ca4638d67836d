//! The finished gateway in wasmtime: behind a server of its own, in front of the sandbox, or of an API that does what a
//! test says. `tests/http-gateway/run` does the same with jco, and pastes docs/embed/components.md into a shell.
//!
//! Alone it is `cargo test --release -p keyless -p keyless-http-gateway-tests --test gateway`: with `keyless` beside it,
//! wasmtime has the features that it is compiled with already.

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests in this crate"
)]

mod access;
mod api;
mod calls;
mod client;
mod finished;
mod leases;
mod network;
mod reach;
mod recovering;
mod server;
mod silence;
mod streams;
mod world;
