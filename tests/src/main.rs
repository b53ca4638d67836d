//! The finished components and the finished filter against the engine that is in them: every scenario, played on all, must
//! hold on all, and all must do exactly the same.

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests in this crate"
)]

mod alike;
mod allocator;
mod component;
mod counts;
mod filter;
mod host;
mod imports;
mod machine;
mod machinery;

use keyless_scenarios::hosts::{Maker, NATIVE};

/// The engine alone, both components in wasmtime, and the filter in a stand-in for Envoy.
const HOSTS: [Maker; 4] = [NATIVE, component::IN_WASMTIME, machine::MACHINE, filter::FILTER];
