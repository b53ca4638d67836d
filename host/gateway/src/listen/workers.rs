//! The threads that serve connections, one per core.
//!
//! Each has a runtime of its own, and a connection stays with its thread, as do the connections to upstreams that its requests
//! use: nothing is handed from thread to thread for a request, and none waits for another's lock.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Threads at work. They end when it is dropped, and what they serve ends with them.
#[derive(Debug)]
pub(crate) struct Workers {
    runtimes: Vec<Handle>,
    next: AtomicUsize,
    _ends: DropGuard,
}

impl Workers {
    /// # Errors
    /// When the system has no room for a further thread.
    pub(crate) fn start() -> io::Result<Self> {
        let end = CancellationToken::new();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let runtimes = (0..cores).map(|_| worker(end.clone())).collect::<io::Result<_>>()?;
        Ok(Self { runtimes, next: AtomicUsize::new(0), _ends: end.drop_guard() })
    }

    /// Where the next connection is served: each in its turn.
    pub(super) fn next(&self) -> Handle {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.runtimes.len().max(1);
        // There is at least one; without any, where the caller runs would do.
        self.runtimes.get(next).cloned().unwrap_or_else(Handle::current)
    }
}

fn worker(end: CancellationToken) -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("keyless-serve".to_owned())
        .spawn(move || runtime.block_on(end.cancelled_owned()))?;
    Ok(handle)
}
