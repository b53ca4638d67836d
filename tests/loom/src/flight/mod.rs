//! The files of `host/src/flight` themselves, on other primitives.

#![expect(dead_code, reason = "the host uses more of it than these tests do")]

#[path = "../../../../host/src/flight/cell.rs"]
mod cell;
#[path = "../../../../host/src/flight/progress.rs"]
mod progress;
#[path = "../../../../host/src/flight/shared.rs"]
mod shared;
mod sync;
#[path = "../../../../host/src/flight/task.rs"]
mod task;
#[path = "../../../../host/src/flight/waiting.rs"]
mod waiting;
#[path = "../../../../host/src/flight/watched.rs"]
mod watched;
#[path = "../../../../host/src/flight/writer.rs"]
mod writer;

pub(crate) use cell::{Cell, Snapshot};
pub(crate) use progress::Progress;
pub(crate) use shared::Flight;
pub(crate) use sync::{Fault, Guard, oneshot, with_fault};
pub(crate) use task::{Closer, Work, run};
pub(crate) use waiting::{Caller, Verdict};
pub(crate) use writer::{Outcome, Writer};
