//! Fleets: ten thousand instances of one program against one token endpoint, with our engine and with the policies of
//! the clients that everybody uses.
//!
//! ```text
//! policy (ours, or a peer's) ──▶ play (start, callers, outage) ──▶ log ──▶ figures ──▶ table, drawing
//! ```
//!
//! Ours is the engine itself, not a model of it. A peer is a small state machine with the constants and the behaviour
//! of its source code, and runs in the same play. Numbers come from a seed, so the same code gives the same bytes.

pub mod drawing;
pub mod engine;
pub mod figures;
pub mod pages;
pub mod peers;
pub mod play;
pub mod policy;
pub mod search;
pub mod table;
