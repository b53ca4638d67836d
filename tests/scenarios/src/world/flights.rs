//! Requests under way, for a host that simulates its network: when each arrives at the far end, and when the answer lands.
//!
//! Hosts count *turns*: one with every call, and with every wait inside one. In each the outside world gets a chance to act.

use keyless_engine::io::Now;

use super::World;
use super::script::{Arrived, What};
use crate::scenario::traffic::Fault;

/// All of one connection. `T` is what the host knows a request by.
pub struct Flights<T>(Vec<Flight<T>>);

struct Flight<T> {
    of: T,
    sent_at: u64,
    timeout_ms: u64,
    stage: Stage,
}

enum Stage {
    /// The body is written when the host next makes progress.
    Uploading(Arrived),
    /// Handed over in that turn. An answer takes at least until the next one.
    Landing { handed_over: u64, at: u64, what: What },
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Flights<T> {
    pub fn send(&mut self, of: T, request: Arrived, now: Now, timeout_ms: u64) {
        self.0.push(Flight { of, sent_at: now.monotonic_ms, timeout_ms, stage: Stage::Uploading(request) });
    }

    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.0.retain(|flight| keep(&flight.of));
    }

    /// All requests arrive, unless they have arrived before.
    pub fn hand_over(&mut self, world: &World, turn: u64) {
        for flight in &mut self.0 {
            flight.hand_over(world, turn);
        }
    }

    /// One whose answer is there. Neither a stall nor what is too late ever is: both become [`Fault::TimedOut`].
    pub fn land(&mut self, now: Now, turn: u64) -> Option<(T, What)> {
        let landed = |flight: &Flight<T>| {
            matches!(flight.stage, Stage::Landing { handed_over, at, .. }
                if handed_over < turn && at <= now.monotonic_ms)
        };
        let index = self.0.iter().position(landed)?;
        let Flight { of, stage, .. } = self.0.swap_remove(index);
        let Stage::Landing { what, .. } = stage else { unreachable!("it has landed") };
        Some((of, what))
    }

    /// The monotonic moment at which something is to be done next.
    pub fn next(&self, now: Now) -> Option<u64> {
        let next = |flight: &Flight<T>| match flight.stage {
            Stage::Landing { at, .. } => at,
            Stage::Uploading(_) => now.monotonic_ms,
        };
        self.0.iter().map(next).min()
    }
}

impl<T> Flight<T> {
    fn hand_over(&mut self, world: &World, turn: u64) {
        let Stage::Uploading(arrived) = &self.stage else { return };
        let reply = world.script().arrive(arrived, self.sent_at - world.start.monotonic_ms);
        // Too late is as good as never.
        let in_time = !matches!(reply.what, What::Stall) && reply.after_ms <= self.timeout_ms;
        let after_ms = if in_time { reply.after_ms } else { self.timeout_ms };
        let what = if in_time { reply.what } else { What::Fault(Fault::TimedOut) };
        self.stage = Stage::Landing { handed_over: turn, at: self.sent_at + after_ms, what };
    }
}
