//! A machine in the state that the filter's is in, put together from what its workers share. It shows what the filter has
//! no way to tell: generations, moments, counters.

use keyless_engine::io::Now;
use keyless_engine::{Event, Machine, Variables};

use super::process::Process;

/// A rejection that the filter was told of, which is shared only once the attempt that follows from it has ended.
pub(super) struct Rejection {
    /// Which state was shared at that time.
    version: u64,
    now: Now,
    generation: u64,
}

impl Rejection {
    pub(super) fn new(process: &Process, generation: u64) -> Self {
        Self { version: state(process).0, now: process.time.now(), generation }
    }
}

/// For the one connection of a process.
pub(super) fn of(
    process: &Process,
    document: &str,
    variables: &Variables,
    rejections: &[Rejection],
) -> Machine {
    let mut machine = Machine::open(document, variables).expect("the filter took the document");
    let (version, carried) = state(process);
    if let Some(carried) = carried {
        assert!(machine.adopt(carried), "what the filter shares is what a machine carries");
    }
    let began = attempt(process);
    let (before, after): (Vec<_>, Vec<_>) = rejections
        .iter()
        .filter(|rejection| rejection.version == version)
        .partition(|rejection| began.is_none_or(|began| rejection.now.monotonic_ms <= began.monotonic_ms));
    for Rejection { now, generation, .. } in before {
        machine.reject(*now, *generation);
    }
    if let Some(began) = began {
        // Its effects are the filter's to do.
        drop(machine.step(began, Event::Tick));
        assert!(machine.busy(), "somebody leads, so an attempt was due");
    }
    for Rejection { now, generation, .. } in after {
        machine.reject(*now, *generation);
    }
    machine
}

/// What was shared last, and its version: 0 before the first.
fn state(process: &Process) -> (u64, Option<&[u8]>) {
    let states = process.data.ending("/state");
    assert!(states.len() <= 1, "one connection has one state");
    let Some(state) = states.first() else { return (0, None) };
    let (version, carried) = state.bytes.split_first_chunk().expect("a version goes first");
    (u64::from_le_bytes(*version), Some(carried))
}

/// When the attempt began that is under way.
fn attempt(process: &Process) -> Option<Now> {
    process.data.ending("/lead").iter().find(|lead| !lead.bytes.is_empty()).map(|lead| lead.since)
}
