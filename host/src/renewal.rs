//! The background task of a connection: asks the component when something is due, and publishes what it gives.
//!
//! The component decides *what* to do: when to renew, how long to back off. This task asks at the right moments, never
//! hides a valid credential because of a failure, and never serves one past its end.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, watch};

use crate::clock::{millis, system_time};
use crate::connection::{CloseRequest, Shared};
use crate::keeper::{Keeper, Next, Report};
use crate::snapshot::Snapshot;
use crate::{Credential, Error, Phase, Status};

/// The longest sleep without a look at the clocks: after a suspend, timers are late by as long as it lasted.
const LOOK: Duration = Duration::from_secs(30);
/// The shortest pause between two attempts, whatever the component says.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// Clocks that disagree by more have been stepped, or the machine was suspended. Beside it, one part in a thousand of the
/// time that passed is allowed: NTP slews a clock by half of that.
const DIVERGENCE: Duration = Duration::from_secs(2);

/// What waiters and watchers see.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) status: Status,
    /// An attempt is under way, or the first one is about to start.
    pub(crate) busy: bool,
    /// The highest rejected generation that an attempt has dealt with.
    pub(crate) rejection_handled: u64,
    pub(crate) closed: bool,
}

pub(crate) struct Renewal {
    keeper: Keeper,
    schedule: Schedule,
}

/// What is due when, and who is told.
struct Schedule {
    shared: Arc<Shared>,
    progress: watch::Sender<Progress>,
    /// When to ask the component next. `None`: not before something happens.
    due: Option<Moment>,
    /// The highest rejected generation that the component was told of.
    told: u64,
    /// When the component was asked last.
    asked: Moment,
}

/// A moment on both clocks. It has come when either says so.
#[derive(Clone, Copy)]
struct Moment {
    wall: Duration,
    monotonic: Duration,
}

enum Woken {
    Due,
    Rejected(u64),
    Close(CloseRequest),
}

impl Renewal {
    pub(crate) fn new(keeper: Keeper, shared: Arc<Shared>) -> (Self, watch::Receiver<Progress>) {
        let status = Status { phase: Phase::Acquiring, ..Status::default() };
        let (progress, receiver) =
            watch::channel(Progress { status, busy: true, rejection_handled: 0, closed: false });
        let at_once = Some(Moment { wall: Duration::ZERO, monotonic: Duration::ZERO });
        let asked = Moment { wall: shared.clocks.wall(), monotonic: shared.clocks.monotonic() };
        (Self { keeper, schedule: Schedule { shared, progress, due: at_once, told: 0, asked } }, receiver)
    }

    /// Runs until the connection is closed. Whoever drops the last handle aborts it.
    pub(crate) async fn run(mut self, mut close: mpsc::Receiver<CloseRequest>) {
        loop {
            match self.schedule.wait(&mut close).await {
                Woken::Due => self.attempt(None).await,
                Woken::Rejected(generation) => self.attempt(Some(generation)).await,
                Woken::Close(reply) => {
                    let result = self.close().await;
                    // Whoever asked may have gone.
                    let _ = reply.send(result);
                    return;
                }
            }
        }
    }

    /// Asks the component once, and publishes the outcome.
    async fn attempt(&mut self, rejected: Option<u64>) {
        let started = Instant::now();
        // From before the question: the credential's life is counted from here, the time on the way included.
        let Schedule { shared, progress, .. } = &self.schedule;
        let asked = (shared.clocks.wall(), shared.clocks.monotonic());
        let held = shared.cell.generation().is_some();
        progress.send_modify(|progress| {
            progress.busy = true;
            progress.status.phase = if held { Phase::Renewing } else { Phase::Acquiring };
        });
        let report = {
            let mut asking = pin!(self.keeper.ask(rejected));
            loop {
                let look = shared.remaining().unwrap_or(LOOK).min(LOOK);
                tokio::select! {
                    report = &mut asking => break report,
                    // What is held may end while its successor is on the way.
                    () = tokio::time::sleep(look) => { shared.retire_expired(); }
                }
            }
        };
        self.schedule.publish(report, rejected, asked, started.elapsed());
    }

    async fn close(&mut self) -> Result<(), Error> {
        let result = self.keeper.close().await;
        let Schedule { shared, progress, .. } = &self.schedule;
        shared.cell.retire();
        progress.send_modify(|progress| {
            progress.closed = true;
            progress.busy = false;
            progress.status.phase = Phase::Closed;
            progress.status.next_attempt_at = None;
            progress.status.expires_at = None;
        });
        result
    }
}

impl Schedule {
    /// Waits for the next thing to do, and takes an expired credential away meanwhile.
    async fn wait(&self, close: &mut mpsc::Receiver<CloseRequest>) -> Woken {
        loop {
            let rejected = self.shared.rejected.load(Ordering::Acquire);
            if rejected > self.told {
                return Woken::Rejected(rejected);
            }
            let until_due = self.due.map(|due| self.until(due));
            // The component renews a credential whose clocks have parted; it has to be asked to notice.
            if until_due.is_some_and(|pause| pause.is_zero()) || self.parted() {
                return Woken::Due;
            }
            if self.shared.retire_expired() {
                self.progress.send_modify(|progress| {
                    progress.status.phase = Phase::Failed;
                    progress.status.expires_at = None;
                });
            }
            let sleep = until_due.unwrap_or(LOOK).min(self.shared.remaining().unwrap_or(LOOK)).min(LOOK);
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.shared.wake.notified() => {}
                Some(request) = close.recv() => return Woken::Close(request),
            }
        }
    }

    fn publish(
        &mut self,
        report: Report,
        rejected: Option<u64>,
        asked: (Duration, Duration),
        elapsed: Duration,
    ) {
        // A rejection that came in meanwhile has its turn later.
        self.told = rejected.unwrap_or(self.told);
        self.asked = Moment { wall: asked.0, monotonic: asked.1 };
        self.due = report.next.map(|next| self.moment(next));
        let before = self.progress.borrow().status.clone();
        let attempted =
            (before.renewals, before.failures) != (report.totals.renewals, report.totals.failures);
        if let Some(error) = report.last_error.as_ref().filter(|_| attempted) {
            tracing::warn!(
                kind = error.kind.as_str(),
                code = %error.code,
                retry_after_ms = error.retry_after.map(millis),
                elapsed_ms = millis(elapsed),
                "renewal failed"
            );
        }
        let expires_at = self.replace(report.credential, asked, elapsed).unwrap_or(before.expires_at);

        let held = self.shared.cell.generation();
        // Soon after an exchange the component delays a forced one a little: then it is still to come.
        let forced_to_come = held.is_some_and(|held| held <= self.told)
            && !attempted
            && self.due.is_some_and(|due| self.until(due) <= 2 * MIN_PAUSE);
        let told = self.told;
        let next_attempt_at = self.due.and_then(|due| system_time(millis(due.wall)));
        self.progress.send_modify(|progress| {
            progress.busy = false;
            if !forced_to_come {
                progress.rejection_handled = told;
            }
            progress.status = Status {
                phase: match (held, &report.last_error) {
                    (Some(_), None) => Phase::Fresh,
                    (Some(_), Some(_)) => Phase::Waiting,
                    (None, _) => Phase::Failed,
                },
                generation: report.totals.generation,
                renewals: report.totals.renewals,
                failures: report.totals.failures,
                failures_in_a_row: report.totals.failures_in_a_row,
                replacements: report.totals.replacements,
                next_attempt_at,
                expires_at: expires_at.filter(|_| held.is_some()),
                last_error: report.last_error,
                warnings: report.warnings.unwrap_or(before.warnings),
            };
        });
    }

    /// Publishes a new credential, or takes one away that is good for nothing. The end of the new one, if there is one.
    fn replace(
        &self,
        credential: Result<Credential, Error>,
        asked: (Duration, Duration),
        elapsed: Duration,
    ) -> Option<Option<SystemTime>> {
        let cell = &self.shared.cell;
        match credential {
            Ok(credential) if cell.generation() != Some(credential.generation()) => {
                let generation = credential.generation();
                tracing::info!(generation, elapsed_ms = millis(elapsed), "credential renewed");
                let end = credential.expires_at();
                cell.publish(Snapshot::new(credential, asked));
                Some(end)
            }
            Ok(_) => None,
            Err(_) => {
                // The component has none. What an earlier instance gave is still good, unless the API said otherwise.
                if cell.generation().is_some_and(|held| held <= self.told) {
                    cell.retire();
                }
                None
            }
        }
    }

    /// How long until the earlier of the two clocks says that a moment has come.
    fn until(&self, moment: Moment) -> Duration {
        let wall = moment.wall.saturating_sub(self.shared.clocks.wall());
        wall.min(moment.monotonic.saturating_sub(self.shared.clocks.monotonic()))
    }

    /// Whether one clock was stepped since the component was asked.
    fn parted(&self) -> bool {
        let passed = self.shared.clocks.monotonic().saturating_sub(self.asked.monotonic);
        let expected = self.asked.wall.saturating_add(passed);
        self.shared.clocks.wall().abs_diff(expected) > DIVERGENCE + passed / 1_000
    }

    fn moment(&self, next: Next) -> Moment {
        let (wall, monotonic) = (self.shared.clocks.wall(), self.shared.clocks.monotonic());
        let pause = match next {
            Next::At(unix_ms) => Duration::from_millis(unix_ms).saturating_sub(wall),
            Next::After(pause) => pause,
        }
        .max(MIN_PAUSE);
        Moment { wall: wall.saturating_add(pause), monotonic: monotonic.saturating_add(pause) }
    }
}
