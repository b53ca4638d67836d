//! An engine whose session is written down, to be had again by hosts that cannot play a scenario: those that are reached
//! over a pipe, and those that somebody else writes.

use std::cell::RefCell;
use std::rc::Rc;

use keyless_engine::Event;
use keyless_engine::io::{Effect, Now};

use super::engine::Engine;
use super::native::Native;
use super::{Host, Pairs, driven::Driven};
use crate::replay::{self, Replay};
use crate::trace::{Credential, Plan, Problem, Status};
use crate::world::World;

/// The engine alone, and what it was told and decided.
#[derive(Default)]
pub struct Recorded {
    engine: Native,
    /// None: nothing was opened yet.
    tape: Rc<RefCell<Option<Replay>>>,
}

/// A host, and the tape that it writes.
pub fn host(world: World) -> (Box<dyn Host>, Rc<RefCell<Option<Replay>>>) {
    let recorded = Recorded::default();
    let tape = Rc::clone(&recorded.tape);
    (Box::new(Driven::new(world, recorded)), tape)
}

impl Engine for Recorded {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        self.engine.variables(document)
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        self.engine.plan(document, variables)
    }

    fn open(&mut self, document: &str, variables: &Pairs) -> Result<(), Problem> {
        let opened = self.engine.open(document, variables);
        *self.tape.borrow_mut() = Some(Replay::new(document, variables, &opened));
        opened
    }

    fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        let event_text = replay::event(&event);
        let effects = self.engine.step(now, event);
        let decision = replay::Decision {
            effects: effects.iter().map(replay::effect).collect(),
            credential: self.engine.credential(now),
            wake_at: self.engine.wake_at(now),
            busy: self.engine.busy(),
            status: self.engine.status(now),
        };
        self.tape.borrow_mut().as_mut().expect("an open connection").push(now, event_text, &decision);
        effects
    }

    fn credential(&mut self, now: Now) -> Result<Option<Credential>, Problem> {
        self.engine.credential(now)
    }

    fn wake_at(&mut self, now: Now) -> Option<u64> {
        self.engine.wake_at(now)
    }

    fn busy(&mut self) -> bool {
        self.engine.busy()
    }

    fn status(&mut self, now: Now) -> Status {
        self.engine.status(now)
    }

    fn close(&mut self) -> Vec<String> {
        self.engine.close()
    }
}
