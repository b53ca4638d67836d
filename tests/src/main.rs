//! Everything that crosses a boundary, from the outside.
//!
//! A *scenario* is a document, the world around it, and a timeline with what each call on it must yield. It is played on
//! a *host*: the engine alone ([`hosts::native`]), and the finished component in wasmtime ([`hosts::component`]), both in
//! simulated time. Both must fulfil the scenario, and both must do exactly the same.
//!
//! ```text
//! cases/<name>/   ──┐                          ┌── hosts::native ─────┐
//! bad/*.json      ──┼──▶ scenario ──▶ play ──▶─┤                      ├──▶ trace: checked, searched for secrets, compared
//!                   ┘                 world    └── hosts::component ──┘
//! ```

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests in this crate"
)]

mod canary;
mod check;
mod hosts;
mod json;
mod play;
mod scenario;
mod suites;
mod trace;
mod world;
