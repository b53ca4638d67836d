//! The handle that programs hold: a snapshot to read, a way to wait for it, a way to say "rejected".

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::clock::Clocks;
use crate::instance::Access;
use crate::keeper::Keeper;
use crate::renewal::{Progress, Renewal};
use crate::runtime::Inner;
use crate::snapshot::Cell;
use crate::{CredentialRef, Error, ErrorKind, Grant, Status, Variables};

/// How long [`Connection::close`] lets a request under way come to its end.
const CLOSE_PATIENCE: Duration = Duration::from_secs(15);

/// A document at work: one component instance, kept by one background task, which renews ahead of time.
///
/// Cheap to clone and to share between threads. Dropping the last clone stops the task; a request under way is cut off.
#[derive(Clone)]
pub struct Connection(Arc<Handle>);

struct Handle {
    shared: Arc<Shared>,
    progress: watch::Receiver<Progress>,
    close: mpsc::Sender<CloseRequest>,
    task: JoinHandle<()>,
}

/// Asks the task to end; the answer is the component's.
pub(crate) type CloseRequest = oneshot::Sender<Result<(), Error>>;

/// What the task and the handles share.
pub(crate) struct Shared {
    pub(crate) cell: Cell,
    pub(crate) clocks: Arc<dyn Clocks>,
    /// The highest generation that an API answered 401 to.
    pub(crate) rejected: AtomicU64,
    /// Makes the task look again at what is due.
    pub(crate) wake: Notify,
}

impl Shared {
    /// How long the credential held lasts. `None`: there is none, or it does not end.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        self.cell.remaining(&*self.clocks)
    }

    /// Takes a credential away that has ended on either clock. True if there was one.
    pub(crate) fn retire_expired(&self) -> bool {
        let expired = self.remaining().is_some_and(|remaining| remaining.is_zero());
        if expired {
            self.cell.retire();
            tracing::warn!("the credential ended before it was renewed");
        }
        expired
    }
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
        let shared = Arc::new(Shared {
            cell: Cell::empty(),
            clocks: Arc::clone(&runtime.clocks),
            rejected: AtomicU64::new(0),
            wake: Notify::new(),
        });
        let keeper = Keeper::open(runtime, access, document, variables, grant).await?;
        let (renewal, progress) = Renewal::new(keeper, Arc::clone(&shared));
        let (close, close_requests) = mpsc::channel(1);
        let task = tokio.spawn(renewal.run(close_requests).in_current_span());
        Ok(Self(Arc::new(Handle { shared, progress, close, task })))
    }

    /// The credential, if a usable one is held. Made to be called for every request: no lock, no allocation, no call into
    /// WebAssembly, at most one read of each coarse clock.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialRef> {
        self.0.shared.cell.load(&*self.0.shared.clocks)
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
        // The common case needs neither a clone of the channel nor a timer.
        if let Some(verdict) = self.verdict(&self.0.progress.borrow(), heals) {
            return verdict;
        }
        let mut progress = self.0.progress.clone();
        let waiting = async {
            loop {
                // The guard must not live across the await.
                let verdict = self.verdict(&progress.borrow_and_update(), heals);
                if let Some(verdict) = verdict {
                    return verdict;
                }
                self.0.shared.wake.notify_one();
                if progress.changed().await.is_err() {
                    return Err(Error::closed());
                }
            }
        };
        match tokio::time::timeout(within, waiting).await {
            Ok(verdict) => verdict,
            Err(_) => Err(self.0.progress.borrow().status.last_error.clone().unwrap_or_else(|| {
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

    /// What a waiter is told now: `None` to wait on.
    fn verdict(
        &self,
        progress: &Progress,
        heals: fn(&Error) -> bool,
    ) -> Option<Result<CredentialRef, Error>> {
        if progress.closed {
            return Some(Err(Error::closed()));
        }
        let rejected = self.0.shared.rejected.load(Ordering::Acquire);
        let rejection_pending = rejected > progress.rejection_handled;
        match self.credential() {
            Some(credential) if !rejection_pending || credential.generation() > rejected => {
                Some(Ok(credential))
            }
            _ if rejection_pending || progress.busy => None,
            _ => match &progress.status.last_error {
                Some(error) if !heals(error) => Some(Err(error.clone())),
                _ => None,
            },
        }
    }

    /// Reports that the API answered 401 to the credential of this generation. Forces one renewal, at most every 30
    /// seconds; [`ready`](Self::ready) then waits for it. A generation that is no longer held is ignored.
    pub fn reject(&self, generation: u64) {
        let shared = &self.0.shared;
        if shared.cell.generation() == Some(generation)
            && shared.rejected.fetch_max(generation, Ordering::AcqRel) < generation
        {
            shared.wake.notify_one();
        }
    }

    /// The state when it last changed. Never waits.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.progress.borrow().status.clone()
    }

    /// Follows the credentials of this connection, beginning with the one held now.
    #[must_use]
    pub fn changes(&self) -> Changes {
        Changes { connection: self.clone(), progress: self.0.progress.clone(), seen: 0 }
    }

    /// Ends the connection for all its clones. Revokes what was minted, where the exchange can.
    ///
    /// # Errors
    /// The component's error when revoking fails; `connection-close-timeout` when a request under way did not end within
    /// 15 seconds and was cut off. The connection is closed in any case.
    pub async fn close(self) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        if self.0.close.send(reply).await.is_err() {
            return Ok(());
        }
        match tokio::time::timeout(CLOSE_PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            // The task has ended for another reason: another clone closed the connection first.
            Ok(Err(_)) => Ok(()),
            Err(_) => {
                self.0.task.abort();
                self.0.shared.cell.retire();
                Err(Error::new(
                    ErrorKind::Unavailable,
                    "connection-close-timeout",
                    "a request under way did not end within 15 s and was cut off; nothing was revoked",
                ))
            }
        }
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
    progress: watch::Receiver<Progress>,
    seen: u64,
}

impl Changes {
    /// The next credential: the one held now at the first call, later ones with a higher generation. Skips those that
    /// were replaced before anybody asked. `None` when the connection is closed. Loses no change when dropped early, so
    /// that it can be a branch of `select!`.
    pub async fn credential(&mut self) -> Option<CredentialRef> {
        loop {
            if self.progress.borrow_and_update().closed {
                return None;
            }
            if let Some(credential) = self.connection.credential()
                && credential.generation() > self.seen
            {
                self.seen = credential.generation();
                return Some(credential);
            }
            self.progress.changed().await.ok()?;
        }
    }
}
