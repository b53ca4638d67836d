//! Scenarios, and what plays them.
//!
//! A *scenario* is a document, the world around it, and a timeline with what each call on it must yield. It is played on
//! a *host* in simulated time. The engine alone is one ([`hosts::native`]); others bring themselves along.
//!
//! ```text
//! cases/<name>/   ──┐                               ┌── hosts::native
//! bad/*.json      ──┴▶ tables ──▶ scenario ──▶ play ┤                    ──▶ trace: checked, searched for secrets,
//!                                     world         └── any other host       compared
//! ```

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests use this crate"
)]
#![expect(missing_docs, reason = "fields of plain data, described in tests/cases/README.md or in the WIT")]

pub mod canary;
pub mod check;
pub mod generated;
pub mod hosts;
pub mod json;
pub mod mutation;
pub mod play;
pub mod replay;
pub mod scenario;
pub mod tables;
pub mod trace;
pub mod world;
