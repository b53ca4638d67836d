//! The world around a connection: files, the far end of the network, and the time at which a play starts.

pub mod disk;
pub mod flights;
pub mod script;
pub mod source;
pub mod timeline;
pub mod weather;

use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::Result;
use keyless_engine::io::Now;

use crate::scenario::Scenario;
use disk::Disk;
use script::Script;
use source::Source;

/// Shared by the play and the host. Each play has one of its own.
#[derive(Clone)]
pub struct World {
    pub disk: Arc<Disk>,
    script: Arc<Mutex<Script>>,
    source: Option<Arc<Mutex<Source>>>,
    pub start: Now,
}

impl World {
    pub fn new(scenario: &Scenario) -> Result<Self> {
        let disk = Disk::new(&scenario.files)?;
        let script = Script::new(scenario)?;
        let start = scenario.expect.start;
        let source = scenario.source.is_some().then(|| Source::new(scenario)).transpose()?;
        let source = source.map(|source| Arc::new(Mutex::new(source)));
        Ok(Self {
            disk: Arc::new(disk),
            script: Arc::new(Mutex::new(script)),
            source,
            start: Now { wall_ms: start.wall_ms, monotonic_ms: start.monotonic_ms },
        })
    }

    /// The far end of the network.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// The component of the source `custom`, if there is a way to ask one.
    pub fn source(&self) -> Option<MutexGuard<'_, Source>> {
        self.source.as_ref().map(|source| source.lock().unwrap())
    }
}

/// Seconds of a scenario in milliseconds.
pub fn ms(seconds: f64) -> u64 {
    assert!((0.0..1e12).contains(&seconds), "{seconds} s");
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was just checked")]
    let ms = (seconds * 1_000.0).round() as u64;
    ms
}
