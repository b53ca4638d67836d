//! The real component in the real host against the sandbox, when the world is at its worst. What is measured is what
//! callers see: errors, credentials past their end, and how long they waited. `--nocapture` shows the figures.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test, a panic is a failure; clippy.toml allows it in test functions, not in their helpers"
)]

mod callers;
#[cfg(target_os = "linux")]
mod canary;
mod door;
mod endpoint;
#[cfg(target_os = "linux")]
mod flood;
mod herd;
mod log;
#[cfg(target_os = "linux")]
mod memory;
mod outage;
mod outside;
mod stage;
mod stopped;
mod subject;
mod swaps;
mod trap;

use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// As in the command, and as SECURITY.md advises: what libraries free is wiped.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);
