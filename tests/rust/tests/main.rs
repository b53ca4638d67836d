//! Keyless under tower, reqwest and async-openai: the real clients, the real component, and the sandbox, which checks what
//! it receives.

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a function outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "nothing but tests in this program"
)]

mod api;
mod async_openai;
mod load;
mod programs;
mod reqwest;
mod tower;
mod world;
