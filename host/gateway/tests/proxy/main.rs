//! The proxy between a client that sees every byte and upstreams that check the credential.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test, a panic is a failure; clippy.toml allows it in test functions, not in their helpers"
)]
#![expect(unreachable_pub, reason = "modules of one test")]

mod bad_input;
mod forwarding;
mod recovering;
mod smuggling;
mod upstream;
mod websocket;
mod world;
