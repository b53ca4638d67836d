//! What an instance may use: memory, CPU, time, handles.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, StoreLimits, StoreLimitsBuilder};

use crate::Error;

/// How often guest code is interrupted to count its CPU time.
const TICK: Duration = Duration::from_millis(10);

/// The most that a component instance may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes. Default: 16 MiB.
    pub memory: usize,
    /// CPU time of one call; waiting for the network or a file does not count. Rounded up to 10 ms. Default: 1 s.
    pub cpu: Duration,
    /// Elapsed time of one call, waiting included. Default: 120 s, well above any exchange's own deadlines.
    pub call: Duration,
    /// Elapsed time in which the component of the source `custom` has to give a token. Default: 15 s, half of what an
    /// attempt may take.
    pub source: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 16 << 20,
            cpu: Duration::from_secs(1),
            call: Duration::from_secs(120),
            source: Duration::from_secs(15),
        }
    }
}

impl Limits {
    pub(crate) fn ticks(&self) -> u32 {
        u32::try_from(self.cpu.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u32::MAX).max(1)
    }

    pub(crate) fn store(&self) -> StoreLimits {
        StoreLimitsBuilder::new()
            .memory_size(self.memory)
            .memories(2)
            .tables(8)
            .table_elements(10_000)
            // A component is several core instances: the module itself, and shims for what it imports.
            .instances(8)
            .trap_on_grow_failure(true)
            .build()
    }
}

/// Bytes that the component may hand over in one call of a host function.
pub(crate) const HOSTCALL_BYTES: usize = 1 << 20;

/// Host resources (files, streams, requests, header lists) that one instance may hold at a time.
pub(crate) const RESOURCES: usize = 256;

/// Advances the engine's epoch every 10 ms, but only while guest code may be running: an idle process is left alone.
pub(crate) struct Ticker {
    engine: Engine,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    calls: usize,
    started: bool,
    stopped: bool,
}

impl Ticker {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, state: Arc::default() }
    }

    /// Ticks until the guard is dropped.
    pub(crate) fn tick(&self) -> Result<Ticking, Error> {
        let mut state = lock(&self.state.0);
        if !state.started {
            let (engine, shared) = (self.engine.clone(), Arc::clone(&self.state));
            thread::Builder::new()
                .name("keyless-ticker".into())
                .spawn(move || run(&engine, &shared))
                .map_err(|e| {
                    Error::unavailable(
                        "runtime-thread",
                        format!(
                            "no thread can be started to watch the component's CPU time: {e}; raise the limit"
                        ),
                        Duration::from_secs(10),
                    )
                })?;
            state.started = true;
        }
        state.calls += 1;
        self.state.1.notify_one();
        drop(state);
        Ok(Ticking(Arc::clone(&self.state)))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        lock(&self.state.0).stopped = true;
        self.state.1.notify_one();
    }
}

/// Keeps the epoch advancing.
pub(crate) struct Ticking(Arc<(Mutex<State>, Condvar)>);

impl Drop for Ticking {
    fn drop(&mut self) {
        lock(&self.0.0).calls -= 1;
    }
}

fn run(engine: &Engine, (state, changed): &(Mutex<State>, Condvar)) {
    loop {
        let mut now = lock(state);
        while now.calls == 0 && !now.stopped {
            now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        if now.stopped {
            return;
        }
        drop(now);
        // A pace, not a wait for anything: this thread is the clock.
        thread::sleep(TICK);
        engine.increment_epoch();
    }
}

/// Nothing is left half done under this lock, so a panic elsewhere does not spoil it.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
