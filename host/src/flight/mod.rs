//! Single flight: one task asks for a credential, any number of callers read and wait for what comes of it.
//!
//! ```text
//! callers ── reject ──▶ rejected, wake ──▶ task ── attempt ──▶ component
//!    ▲                                      │
//!    ├──── read ◀──────── cell ◀────────────┤ first what readers see,
//!    └──── wait ◀────── progress ◀──────────┘ then word to those who wait
//! ```
//!
//! This folder is that protocol and nothing else: no time, no HTTP, no component. It takes its primitives from
//! [`sync`], in whose place `tests/loom` puts others, to run these files through every order in which threads can
//! take their steps.

mod cell;
mod progress;
mod shared;
mod sync;
mod task;
mod waiting;
mod watched;
mod writer;

pub(crate) use cell::{Cell, Snapshot};
pub(crate) use progress::Progress;
pub(crate) use shared::Flight;
pub(crate) use sync::{Guard, oneshot};
pub(crate) use task::{Closer, Work, run};
pub(crate) use waiting::{Caller, Verdict};
pub(crate) use writer::{Outcome, Writer};
