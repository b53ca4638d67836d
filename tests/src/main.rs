//! The finished component against the engine that is in it: every scenario, played on both, must hold on both, and both
//! must do exactly the same.

// A test may fail loudly. Helpers of tests count as tests, which clippy cannot know of a file outside `#[test]`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "nothing but tests in this crate"
)]

mod alike;
mod component;
mod imports;
mod machinery;

use keyless_scenarios::hosts::{Maker, NATIVE};

/// The engine alone, and the component in wasmtime.
const HOSTS: [Maker; 2] = [NATIVE, ("component", |world| Box::new(component::InWasmtime::new(world)))];
