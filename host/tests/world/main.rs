//! The real component in the real host against the sandbox, when the world is at its worst. What is measured is what
//! callers see: errors, credentials past their end, and how long they waited. `--nocapture` shows the figures.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may fail as tests do")]

mod callers;
mod door;
mod endpoint;
mod herd;
mod outage;
mod outside;
mod stage;
mod swaps;
mod trap;
