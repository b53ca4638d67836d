//! The background task of a connection: asks the component when something is due, and publishes what it gives.
//!
//! The component decides *what* to do: when to renew, how long to back off. This task asks at the right moments, never
//! hides a valid credential because of a failure, and never serves one past its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::clock::{Clocks, millis, system_time};
use crate::flight::{Flight, Outcome, Work, Writer};
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

pub(crate) struct Renewal {
    keeper: Keeper,
    schedule: Schedule,
}

/// What is due when, and who is told.
struct Schedule {
    writer: Writer<Snapshot, Status>,
    clocks: Arc<dyn Clocks>,
    /// When to ask the component next. `None`: not before something happens.
    due: Option<Moment>,
    /// When the component was asked last.
    asked: Moment,
}

/// A moment on both clocks. It has come when either says so.
#[derive(Clone, Copy)]
struct Moment {
    wall: Duration,
    monotonic: Duration,
}

impl Renewal {
    pub(crate) fn new(
        keeper: Keeper,
        flight: Arc<Flight<Snapshot, Status>>,
        clocks: Arc<dyn Clocks>,
    ) -> Self {
        let writer = Writer::new(flight);
        let at_once = Some(Moment { wall: Duration::ZERO, monotonic: Duration::ZERO });
        let asked = Moment { wall: clocks.wall(), monotonic: clocks.monotonic() };
        Self { keeper, schedule: Schedule { writer, clocks, due: at_once, asked } }
    }
}

impl Work<Snapshot, Status> for Renewal {
    type Closed = Result<(), Error>;

    fn writer(&self) -> &Writer<Snapshot, Status> {
        &self.schedule.writer
    }

    fn pause(&mut self) -> Duration {
        self.schedule.pause()
    }

    /// Set aside, as closing is: what that takes is large, and a connection at rest does not have it.
    async fn attempt(&mut self, rejected: Option<u64>) {
        Box::pin(self.ask(rejected)).await;
    }

    async fn close(&mut self) -> Result<(), Error> {
        let result = Box::pin(self.keeper.close()).await;
        self.schedule.writer.close(|status| {
            status.phase = Phase::Closed;
            status.next_attempt_at = None;
            status.expires_at = None;
        });
        result
    }
}

impl Renewal {
    /// Asks the component once, and publishes the outcome.
    async fn ask(&mut self, rejected: Option<u64>) {
        let Self { keeper, schedule } = self;
        let started = Instant::now();
        // From before the question: the credential's life is counted from here, the time on the way included.
        let asked = (schedule.clocks.wall(), schedule.clocks.monotonic());
        let held = schedule.held().is_some();
        schedule.writer.begin(rejected, |status| {
            status.phase = if held { Phase::Renewing } else { Phase::Acquiring };
        });
        let report = {
            let mut asking = pin!(keeper.ask(rejected));
            loop {
                let look = schedule.remaining().unwrap_or(LOOK).min(LOOK);
                tokio::select! {
                    report = &mut asking => break report,
                    // What is held may end while its successor is on the way.
                    () = tokio::time::sleep(look) => { schedule.retire_expired(); }
                }
            }
        };
        schedule.publish(report, asked, started.elapsed());
    }
}

impl Schedule {
    /// Until something is due, or until the clocks are to be looked at again. Takes an expired credential away.
    fn pause(&self) -> Duration {
        let until_due = self.due.map(|due| self.until(due));
        // The component renews a credential whose clocks have parted; it has to be asked to notice.
        if until_due.is_some_and(|pause| pause.is_zero()) || self.parted() {
            return Duration::ZERO;
        }
        if self.retire_expired() {
            self.writer.note(|status| {
                status.phase = Phase::Failed;
                status.expires_at = None;
            });
        }
        until_due.unwrap_or(LOOK).min(self.remaining().unwrap_or(LOOK)).min(LOOK)
    }

    /// Generation of the credential held, expired or not.
    fn held(&self) -> Option<u64> {
        self.writer.flight.cell.generation()
    }

    /// How long the credential held lasts. `None`: there is none, or it does not end.
    fn remaining(&self) -> Option<Duration> {
        self.writer.flight.cell.load().remaining(&*self.clocks)
    }

    /// Takes a credential away that has ended on either clock. True if there was one.
    fn retire_expired(&self) -> bool {
        let expired = self.remaining().is_some_and(|remaining| remaining.is_zero());
        if expired {
            self.writer.flight.cell.retire();
            tracing::warn!("the credential ended before it was renewed");
        }
        expired
    }

    fn publish(&mut self, report: Report, asked: (Duration, Duration), elapsed: Duration) {
        self.asked = Moment { wall: asked.0, monotonic: asked.1 };
        self.due = report.next.map(|next| self.moment(next));
        let before = self.writer.flight.progress().status.clone();
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
        let expires_at = self.show(report.credential, asked, elapsed).unwrap_or(before.expires_at);

        let held = self.held();
        // Soon after an exchange the component delays a forced one a little: then it is still to come.
        let forced_to_come = held.is_some_and(|held| held <= self.writer.told())
            && !attempted
            && self.due.is_some_and(|due| self.until(due) <= 2 * MIN_PAUSE);
        let status = Status {
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
            next_attempt_at: self.due.and_then(|due| system_time(millis(due.wall))),
            expires_at: expires_at.filter(|_| held.is_some()),
            last_error: report.last_error,
            warnings: report.warnings.unwrap_or(before.warnings),
        };
        self.writer.land(!forced_to_come, status);
    }

    /// Readers see a new credential, or none where the old one is good for nothing. The end of the new one, if there is
    /// one.
    fn show(
        &mut self,
        credential: Result<Credential, Error>,
        asked: (Duration, Duration),
        elapsed: Duration,
    ) -> Option<Option<SystemTime>> {
        let Ok(credential) = credential else {
            // What an earlier instance gave is still good, unless the API said otherwise.
            self.writer.show(Outcome::Nothing);
            return None;
        };
        let (generation, end) = (credential.generation(), credential.expires_at());
        if !self.writer.show(Outcome::Credential(Snapshot::new(credential, asked))) {
            return None;
        }
        tracing::info!(generation, elapsed_ms = millis(elapsed), "credential renewed");
        Some(end)
    }

    /// How long until the earlier of the two clocks says that a moment has come.
    fn until(&self, moment: Moment) -> Duration {
        let wall = moment.wall.saturating_sub(self.clocks.wall());
        wall.min(moment.monotonic.saturating_sub(self.clocks.monotonic()))
    }

    /// Whether one clock was stepped since the component was asked.
    fn parted(&self) -> bool {
        let passed = self.clocks.monotonic().saturating_sub(self.asked.monotonic);
        let expected = self.asked.wall.saturating_add(passed);
        self.clocks.wall().abs_diff(expected) > DIVERGENCE + passed / 1_000
    }

    fn moment(&self, next: Next) -> Moment {
        let (wall, monotonic) = (self.clocks.wall(), self.clocks.monotonic());
        let pause = match next {
            Next::At(unix_ms) => Duration::from_millis(unix_ms).saturating_sub(wall),
            Next::After(pause) => pause,
        }
        .max(MIN_PAUSE);
        Moment { wall: wall.saturating_add(pause), monotonic: monotonic.saturating_add(pause) }
    }
}
