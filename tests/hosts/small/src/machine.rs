//! The machine with its memory and its clocks.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Result, Store};

use crate::bindings::Loaded;
use crate::bindings::exports::keyless::credentials::machine::{Error, GuestSession, Now};

/// One session, for any number of callers, one at a time.
pub struct Machine {
    started: Instant,
    /// None once it is closed.
    inner: Mutex<Option<Inner>>,
}

struct Inner {
    store: Store<()>,
    exports: Loaded,
    session: ResourceAny,
}

impl Machine {
    /// Opens a document. Nothing is linked to the machine: it imports nothing.
    ///
    /// # Errors
    /// The inner one: the document is wrong. The outer one: the machine cannot be run.
    pub fn open(
        component: &Component,
        document: &str,
        variables: &[(String, String)],
    ) -> Result<Result<Self, Error>> {
        let mut store = Store::new(component.engine(), ());
        let exports = Loaded::instantiate(&mut store, component, &Linker::new(component.engine()))?;
        let sessions = exports.keyless_credentials_machine().session();
        let session = sessions.call_open(&mut store, document, variables)?;
        Ok(session.map(|session| Self {
            started: Instant::now(),
            inner: Mutex::new(Some(Inner { store, exports, session })),
        }))
    }

    /// Calls a function of the session, with both clocks as they are now.
    ///
    /// # Errors
    /// The machine trapped, or it is closed.
    pub fn ask<T>(
        &self,
        call: impl FnOnce(GuestSession<'_>, &mut Store<()>, ResourceAny, Now) -> Result<T>,
    ) -> Result<T> {
        let mut inner = lock(&self.inner);
        let Some(Inner { store, exports, session }) = &mut *inner else {
            return Err(wasmtime::Error::msg("the connection is closed"));
        };
        // Read under the lock, so that no call is told an earlier time than the one before.
        let now = Now {
            wall_ms: ms(UNIX_EPOCH.elapsed().unwrap_or_default()),
            monotonic_ms: ms(self.started.elapsed()),
        };
        call(exports.keyless_credentials_machine().session(), store, *session, now)
    }

    /// When the monotonic clock shows this.
    pub fn moment(&self, monotonic_ms: u64) -> Instant {
        self.started + Duration::from_millis(monotonic_ms)
    }

    /// Its memory goes.
    pub fn close(&self) {
        *lock(&self.inner) = None;
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Nothing is left half done under these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
