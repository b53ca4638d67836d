//! The library from the outside, in one binary: linking wasmtime takes longer than running all of this.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as tests do")]

mod closing;
mod containment;
mod custom;
mod grants;
mod loopback;
mod renewal;
mod sandbox;
mod sender;
mod sharing;
mod waiting;
mod world;
