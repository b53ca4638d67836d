//! What can run a connection. One trait, one file per host.

pub mod native;

use anyhow::Result;
use keyless_engine::io::Now;

use crate::trace::{Credential, Plan, Problem, Status};
use crate::world::World;
use crate::world::disk::Change;

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

/// A name, and how to make one.
pub type Maker = (&'static str, fn(World) -> Box<dyn Host>);

/// The engine alone.
pub const NATIVE: Maker = ("native", |world| Box::new(native::Native::new(world)));
