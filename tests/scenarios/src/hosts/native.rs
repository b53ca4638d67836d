//! The engine alone.

use keyless_engine::io::{Effect, Now};
use keyless_engine::{Answered, Event, Machine};

use super::engine::Engine;
use super::{Pairs, values};
use crate::trace::{Credential, Plan, Problem, Status};

#[derive(Default)]
pub struct Native(Option<Machine>);

impl Native {
    fn machine(&self) -> &Machine {
        self.0.as_ref().expect("an open connection")
    }
}

impl Engine for Native {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem> {
        keyless_engine::variables(document).map_err(|error| values::problem(&error))
    }

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem> {
        let plan = keyless_engine::plan(document, &values::variables(variables));
        plan.map(values::plan).map_err(|error| values::problem(&error))
    }

    fn open(&mut self, document: &str, variables: &Pairs) -> Result<(), Problem> {
        let machine = Machine::open(document, &values::variables(variables));
        self.0 = Some(machine.map_err(|error| values::problem(&error))?);
        Ok(())
    }

    fn step(&mut self, now: Now, event: Event) -> Vec<Effect> {
        self.0.as_mut().expect("an open connection").step(now, event)
    }

    fn credential(&mut self, now: Now) -> Result<Option<Credential>, Problem> {
        match self.machine().credential(now) {
            Answered::Ready(credential) => Ok(Some(values::credential(&credential))),
            Answered::Failed(error) => Err(values::problem(&error)),
            Answered::Pending => Ok(None),
        }
    }

    fn wake_at(&mut self, now: Now) -> Option<u64> {
        self.machine().wake_at(now)
    }

    fn busy(&mut self) -> bool {
        self.machine().busy()
    }

    fn status(&mut self, now: Now) -> Status {
        values::status(self.machine(), now)
    }

    fn close(&mut self) -> Vec<String> {
        self.0 = None;
        Vec::new()
    }
}
