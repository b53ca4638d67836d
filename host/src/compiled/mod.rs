//! Compiled code: taken from where it is kept, or made now.
//!
//! Code that is kept was made once and is mapped many times, so it is optimised. Where nothing is kept every start would pay
//! for that; there it is compiled in 0.4 of the time, into code that takes half as long again.

mod kept;
mod settings;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use wasmtime::Engine;
use wasmtime::component::Component;

pub(crate) use kept::Kept;

use settings::{Haste, settings};

use crate::cache::Cache;
use crate::limits::Limits;
use crate::{Error, ErrorKind, clock};

/// Turns components into code for one engine.
pub(crate) struct Compiler {
    engine: Engine,
    kept: Option<Kept>,
}

impl Compiler {
    /// # Errors
    /// `cache-directory`; `runtime-engine` when this machine cannot run compiled WebAssembly.
    pub(crate) fn new(cache: &Cache, limits: &Limits) -> Result<Self, Error> {
        let kept = cache.open()?;
        let haste = if kept.is_some() { Haste::Running } else { Haste::Compiling };
        let engine = Engine::new(&settings(limits.memory, haste)).map_err(|e| {
            Error::new(
                ErrorKind::Invalid,
                "runtime-engine",
                format!(
                    "this machine cannot run compiled WebAssembly: {e}; see which targets wasmtime supports"
                ),
            )
        })?;
        Ok(Self { engine, kept })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// `sha256` is that of `bytes`.
    ///
    /// # Errors
    /// What is wrong with a component that cannot be compiled.
    pub(crate) fn component(&self, bytes: &[u8], sha256: &str) -> wasmtime::Result<Component> {
        let Some(kept) = &self.kept else { return Component::from_binary(&self.engine, bytes) };
        let name = self.name(sha256);
        if let Some(component) = kept.load(&self.engine, &name) {
            return Ok(component);
        }
        let started = std::time::Instant::now();
        let component = Component::from_binary(&self.engine, bytes)?;
        // Whoever cannot keep it compiles again the next time.
        match component
            .serialize()
            .map_err(|error| error.to_string())
            .and_then(|code| kept.store(&name, &code))
        {
            Ok(()) => {
                tracing::debug!(name, elapsed_ms = clock::millis(started.elapsed()), "compiled code kept");
            }
            Err(reason) => tracing::debug!(name, reason, "compiled code is not kept"),
        }
        Ok(component)
    }

    /// Of the code of this component for this engine: with another release of wasmtime, other settings or other features of
    /// the processor it is another one.
    fn name(&self, sha256: &str) -> String {
        let mut hasher = DefaultHasher::new();
        self.engine.precompile_compatibility_hash().hash(&mut hasher);
        format!("{sha256}-{:016x}{}", hasher.finish(), kept::ENDING)
    }
}
