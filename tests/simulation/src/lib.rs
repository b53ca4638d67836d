//! Simulated years of the engine in a hostile world, and what it promises checked after everything that happens.
//!
//! ```text
//! seed ──▶ plot (what goes wrong and when) ──▶ life (engine, clocks, file, endpoint, callers) ──▶ promises
//!                    ▲                                                                              │
//!                    └───────────── shrink: the shortest plot that still breaks one ◀───────────────┘
//! ```
//!
//! It needs the engine and nothing else, so it is built in seconds. `cargo run --release -p keyless-simulation -- --help`.

// Nothing but tests uses this crate, and a test may fail loudly.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a simulation that fails should say so at once"
)]
#![expect(
    missing_docs,
    reason = "fields and variants are named for what they are; what is not plain has its line"
)]

pub mod fleet;
pub mod life;
pub mod lives;
pub mod minting;
pub mod plot;
pub mod promises;
pub mod random;
pub mod world;
