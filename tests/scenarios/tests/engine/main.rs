//! What the engine alone shows over all scenarios at once: seconds, and no WebAssembly. That each of them holds is shown
//! by `tables.rs`, beside this folder.

// Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests in this crate"
)]

mod codes;
mod combinations;
mod robustness;
