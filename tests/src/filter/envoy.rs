//! One Envoy with its workers, in simulated time.

use std::rc::Rc;

use keyless_scenarios::world::World;

use super::pairs::Pairs;
use super::process::{Process, Shared};
use super::worker::Worker;

pub(super) struct Envoy {
    pub(super) process: Shared,
    pub(super) workers: Vec<Worker>,
    /// See [`keyless_scenarios::world::flights`].
    turn: u64,
}

impl Envoy {
    pub(super) fn new(world: World) -> Self {
        Self { process: Process::new(world), workers: Vec::new(), turn: 0 }
    }

    /// Another worker, with that environment.
    pub(super) fn add_worker(&mut self, variables: Pairs) -> &mut Worker {
        self.workers.push(Worker::new(Rc::clone(&self.process), variables));
        self.workers.last_mut().expect("just added")
    }

    /// The monotonic clock.
    pub(super) fn now(&self) -> u64 {
        self.process.borrow().time.now().monotonic_ms
    }

    pub(super) fn next_turn(&mut self) {
        self.turn += 1;
    }

    /// Everything that can happen without time passing.
    pub(super) fn progress(&mut self) {
        for worker in &mut self.workers {
            worker.progress(self.turn);
        }
    }

    /// Time passes until something can happen.
    pub(super) fn wait(&mut self) {
        let next = self.next().expect("something that is waited for");
        self.wait_until(next);
    }

    /// Time passes, and everything happens when it is time.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now() + ms;
        self.progress();
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.wait_until(next);
            self.progress();
        }
        self.wait_until(end);
    }

    fn wait_until(&mut self, moment: u64) {
        self.turn += 1;
        let Process { time, world, .. } = &mut *self.process.borrow_mut();
        time.pass_to(moment, &world.disk);
    }

    fn next(&self) -> Option<u64> {
        self.workers.iter().filter_map(Worker::next).min()
    }
}
