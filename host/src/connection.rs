//! The handle that programs hold: a snapshot to read, a way to wait for it, a way to say "rejected".

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::clock::Clocks;
use crate::flight::{self, Caller, Closer, Flight, Guard, Verdict, oneshot};
use crate::instance::Access;
use crate::keeper::Keeper;
use crate::renewal::Renewal;
use crate::runtime::Inner;
use crate::snapshot::Snapshot;
use crate::{CredentialRef, Error, ErrorKind, Grant, Phase, Status, Variables};

/// How long [`Connection::close`] lets a request under way come to its end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);

/// A document at work: one component instance, kept by one background task, which renews ahead of time.
///
/// Cheap to clone and to share between threads. Dropping the last clone stops the task; a request under way is cut off.
#[derive(Clone)]
pub struct Connection(Arc<Handle>);

struct Handle {
    flight: Arc<Flight<Snapshot, Status>>,
    clocks: Arc<dyn Clocks>,
    /// Taken by the first who closes. The answer is the component's.
    close: Mutex<Option<Closer<Result<(), Error>>>>,
    task: JoinHandle<()>,
}

impl Connection {
    pub(crate) async fn open(
        runtime: Arc<Inner>,
        document: &str,
        variables: Variables,
        grant: &Grant,
    ) -> Result<Self, Error> {
        let Ok(tokio) = tokio::runtime::Handle::try_current() else {
            return Err(Error::invalid(
                "runtime-missing",
                "open was called outside a tokio runtime, which the background task needs; await it on one",
            ));
        };
        let access = Access::new(&runtime, grant)?;
        let clocks = Arc::clone(&runtime.clocks);
        let flight = Arc::new(Flight::new(Status { phase: Phase::Acquiring, ..Status::default() }));
        let keeper = Keeper::open(runtime, access, document, variables, grant).await?;
        let renewal = Renewal::new(keeper, Arc::clone(&flight), Arc::clone(&clocks));
        let (close, asked_to_close) = oneshot::channel();
        let task = tokio.spawn(flight::run(renewal, asked_to_close).in_current_span());
        Ok(Self(Arc::new(Handle { flight, clocks, close: Mutex::new(Some(close)), task })))
    }

    /// The credential, if a usable one is held. Made to be called for every request: no lock, no allocation, no call into
    /// WebAssembly; one read of a coarse clock, and once in a tick of it one of the other.
    #[must_use]
    #[inline]
    pub fn credential(&self) -> Option<CredentialRef> {
        Snapshot::usable(self.0.flight.cell.load(), &*self.0.clocks)
    }

    /// The credential; waits for the first one, for one to follow an expired one, and for the renewal that
    /// [`reject`](Self::reject) forces. Returns at once while a usable one is held.
    ///
    /// Any number of callers wait for the same exchange, each until its own deadline; giving up early (dropping the
    /// future) disturbs nobody. An outage keeps a caller waiting, so that a short one heals unnoticed; any other failure
    /// needs somebody to act and is returned at once.
    ///
    /// # Errors
    /// The component's last error; `connection-deadline` when there was none within `within`; `connection-closed`.
    pub async fn ready(&self, within: Duration) -> Result<CredentialRef, Error> {
        self.wait(within, Error::is_transient).await
    }

    /// As [`ready`](Self::ready), but the first failure ends the waiting, an outage too: for those who want to know how
    /// things stand, such as a health check or `keyless doctor`.
    ///
    /// # Errors
    /// As for [`ready`](Self::ready).
    pub async fn attempt(&self, within: Duration) -> Result<CredentialRef, Error> {
        self.wait(within, |_| false).await
    }

    /// Waits on after failures that `heals` holds to pass by themselves.
    async fn wait(&self, within: Duration, heals: fn(&Error) -> bool) -> Result<CredentialRef, Error> {
        let Handle { flight, clocks, .. } = &*self.0;
        let patience = Patience { clocks: &**clocks, heals };
        // The common case needs no timer.
        let verdict = match flight.verdict(&patience) {
            Some(verdict) => Ok(verdict),
            None => tokio::time::timeout(within, flight.wait(&patience)).await,
        };
        match verdict {
            Ok(Verdict::Ready(credential)) => Ok(credential),
            Ok(Verdict::Failed(error)) => Err(error),
            Ok(Verdict::Closed) => Err(Error::closed()),
            Err(_) => Err(self.status().last_error.unwrap_or_else(|| {
                Error::unavailable(
                    "connection-deadline",
                    format!(
                        "no credential within {} ms, and no attempt has failed yet; allow more time, or see why the \
                         token endpoint is slow",
                        within.as_millis()
                    ),
                    Duration::from_secs(1),
                )
            })),
        }
    }

    /// Reports that the API answered 401 to the credential of this generation. Forces one renewal, at most every 30
    /// seconds; [`ready`](Self::ready) then waits for it. A generation that is no longer held is ignored.
    pub fn reject(&self, generation: u64) {
        self.0.flight.reject(generation);
    }

    /// The state when it last changed. Never waits.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.flight.progress().status.clone()
    }

    /// Follows the credentials of this connection, beginning with the one held now.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes { connection: self.clone(), seen: 0 }
    }

    /// Ends the connection for all its clones. Revokes what was minted, where the exchange can.
    ///
    /// # Errors
    /// The component's error when revoking fails; `connection-close-timeout` when a request under way did not end within
    /// 30 seconds and was cut off. The connection is closed in any case.
    pub async fn close(self) -> Result<(), Error> {
        let Handle { flight, close, task, .. } = &*self.0;
        let ask = close.lock().unwrap_or_else(PoisonError::into_inner).take();
        let closing = async {
            if let Some(ask) = ask {
                let (reply, answer) = oneshot::channel();
                // Either fails when the task has ended for another reason.
                return if ask.send(reply).is_ok() { answer.await.unwrap_or(Ok(())) } else { Ok(()) };
            }
            // Another clone closes the connection.
            flight.stopped().await;
            Ok(())
        };
        let closed = tokio::time::timeout(CLOSE_PATIENCE, closing).await;
        if let Ok(result) = closed {
            return result;
        }
        task.abort();
        flight.stopped().await;
        Err(Error::new(
            ErrorKind::Unavailable,
            "connection-close-timeout",
            format!(
                "a request under way did not end within {} s and was cut off; nothing was revoked",
                CLOSE_PATIENCE.as_secs()
            ),
        ))
    }
}

/// How a caller judges what it sees.
struct Patience<'a> {
    clocks: &'a dyn Clocks,
    /// Whether a failure passes by itself.
    heals: fn(&Error) -> bool,
}

impl Caller<Snapshot, Status> for Patience<'_> {
    type Credential = CredentialRef;
    type Error = Error;

    fn usable(&self, snapshot: Guard<Snapshot>) -> Option<CredentialRef> {
        Snapshot::usable(snapshot, self.clocks)
    }

    fn failure(&self, status: &Status) -> Option<Error> {
        status.last_error.clone().filter(|error| !(self.heals)(error))
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The credentials of a connection as they come. Holds the connection open.
pub struct Changes {
    connection: Connection,
    seen: u64,
}

impl Changes {
    /// The next credential: the one held now at the first call, later ones with a higher generation. Skips those that
    /// were replaced before anybody asked. `None` when the connection is closed. Loses no change when dropped early, so
    /// that it can be a branch of `select!`.
    pub async fn credential(&mut self) -> Option<CredentialRef> {
        let flight = &self.connection.0.flight;
        loop {
            let changed = flight.changed();
            let over = flight.progress().is_over();
            if let Some(credential) = self.connection.credential()
                && credential.generation() > self.seen
            {
                self.seen = credential.generation();
                return Some(credential);
            }
            if over {
                return None;
            }
            changed.await;
        }
    }
}
