//! What decides: the engine itself, or a component that has it inside and asks for its effects.

use keyless_engine::Event;
use keyless_engine::io::{Effect, Now};

use super::Pairs;
use crate::trace::{Credential, Plan, Problem, Status};

/// `wit/machine.wit`, with at most one session.
pub trait Engine {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem>;

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem>;

    fn open(&mut self, document: &str, variables: &Pairs) -> Result<(), Problem>;

    fn step(&mut self, now: Now, event: Event) -> Vec<Effect>;

    fn credential(&mut self, now: Now) -> Result<Option<Credential>, Problem>;

    fn wake_at(&mut self, now: Now) -> Option<u64>;

    fn busy(&mut self) -> bool;

    fn status(&mut self, now: Now) -> Status;

    /// Ends the session. What was not given back, for people.
    fn close(&mut self) -> Vec<String>;
}
