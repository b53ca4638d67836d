//! What can run a connection. One trait, one file per host.

pub mod driven;
pub mod engine;
pub mod native;
pub mod recorded;
pub mod values;

use anyhow::Result;
use keyless_engine::io::Now;

use crate::scenario::Scenario;
use crate::trace::{Credential, Plan, Problem, Status};
use crate::world::World;
use crate::world::disk::Change;
use driven::Driven;
use native::Native;

pub type Pairs = [(String, String)];

/// A host with one connection, in simulated time. Time passes in [`Host::pass`], and inside a call that waits.
pub trait Host {
    fn variables(&mut self, document: &str) -> Result<Vec<String>, Problem>;

    fn plan(&mut self, document: &str, variables: &Pairs) -> Result<Plan, Problem>;

    /// `files`: those that are granted.
    fn open(&mut self, document: &str, variables: &Pairs, files: &[String]) -> Result<(), Problem>;

    fn credential(&mut self) -> Result<Credential, Problem>;

    fn renew(&mut self) -> Result<Credential, Problem>;

    fn reject(&mut self, generation: u64);

    fn status(&mut self) -> Status;

    /// Ends the connection. What was not given back by then, for people.
    fn close(&mut self) -> Vec<String>;

    fn now(&self) -> Now;

    /// Time passes on both clocks, outside any call.
    fn pass(&mut self, ms: u64);

    /// The wall clock jumps.
    fn shift_wall(&mut self, ms: i64);

    /// Something happens to the files, that much later, whatever else happens then.
    fn later(&mut self, ms: u64, change: Change);
}

/// How to make a host.
#[derive(Clone, Copy)]
pub struct Maker {
    pub name: &'static str,
    pub make: fn(World) -> Box<dyn Host>,
    /// Whether it can play that scenario at all. Where it cannot, a test of its own shows what it does instead.
    pub plays: fn(&Scenario) -> bool,
}

/// The engine alone.
pub const NATIVE: Maker = Maker { name: "native", make: |world| Box::new(native(world)), plays: |_| true };

/// The engine alone, driven in that world.
pub fn native(world: World) -> Driven<Native> {
    Driven::new(world, Native::default())
}
