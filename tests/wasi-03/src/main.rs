//! The component for WASI 0.3, in wasmtime and against the sandbox: what it may reach, and that its promises hold when calls
//! overlap.

// Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(clippy::unwrap_used, reason = "nothing but tests in this crate")]

mod bindings;
mod callers;
mod clocks;
mod ending;
mod finished;
mod gate;
mod grant;
mod grants;
mod host;
mod outages;
mod renewal;
mod sharing;
mod sources;
mod stage;
