//! Simulated time: both clocks, and what happens to the files by itself when it is time.

use keyless_engine::io::Now;

use super::disk::{Change, Disk};

pub struct Timeline {
    now: Now,
    /// Monotonic moment, and what happens then.
    changes: Vec<(u64, Change)>,
}

impl Timeline {
    pub fn new(start: Now) -> Self {
        Self { now: start, changes: Vec::new() }
    }

    pub fn now(&self) -> Now {
        self.now
    }

    /// To a monotonic moment, and through everything that happens until then. One that is over is now.
    pub fn pass_to(&mut self, moment: u64, disk: &Disk) {
        self.changes.sort_by_key(|(at, _)| *at);
        while self.changes.first().is_some_and(|(at, _)| *at <= moment) {
            let (at, change) = self.changes.remove(0);
            self.tick_to(at);
            disk.apply(&change).unwrap();
        }
        self.tick_to(moment);
    }

    /// The wall clock jumps.
    pub fn shift_wall(&mut self, ms: i64) {
        self.now.wall_ms = self.now.wall_ms.saturating_add_signed(ms);
    }

    /// That much later, whatever else happens then.
    pub fn later(&mut self, ms: u64, change: Change) {
        self.changes.push((self.now.monotonic_ms + ms, change));
    }

    fn tick_to(&mut self, moment: u64) {
        let passed = moment.saturating_sub(self.now.monotonic_ms);
        self.now = Now { wall_ms: self.now.wall_ms + passed, monotonic_ms: self.now.monotonic_ms + passed };
    }
}
