//! What a machine does beside keeping a credential, where it makes keys itself: deleting accounts that are done with, by
//! itself and at its end, and telling which there are.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::Machine;
use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::io::{Io, Now};
use crate::minting::{self, Account, Ledger, Minting, Outcome, Prune};
use crate::plan::Warning;

/// An errand that takes longer is given up. What it did not get to is done later, but for the last one.
const TIMEOUT_MS: u64 = 60_000;

/// The code of the warning that accounts could not be deleted.
const NOT_TIDIED: &str = "accounts-not-deleted";

/// The errand under way, and what became of those that were asked for.
#[derive(Default)]
pub(super) struct Errands {
    under_way: Option<UnderWay>,
    closed: Option<Result<(), Error>>,
    surveyed: Cell<Option<Outcome>>,
    /// Until the survey is taken, whoever asked for it wants no key.
    survey_awaited: Cell<bool>,
}

/// What there is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// Delete what is done with.
    Tidy,
    /// Delete all that this connection made.
    Close,
    /// Tell which accounts there are, and delete some.
    Survey,
}

struct UnderWay {
    errand: Errand,
    began: Now,
    work: Work,
}

type Work = Pin<Box<dyn Future<Output = Outcome>>>;

/// What an errand is run with.
struct Means {
    connection: Rc<Connection>,
    io: Io,
    ledger: Rc<RefCell<Ledger>>,
}

impl Means {
    async fn tidy(self) -> Outcome {
        let Some(minting) = self.connection.minting() else { return Ok(Vec::new()) };
        minting::tidy(minting, &self.io, &self.ledger).await
    }

    async fn close(self) -> Outcome {
        let Some(minting) = self.connection.minting() else { return Ok(Vec::new()) };
        minting::close(minting, &self.io, &self.ledger).await
    }

    async fn survey(self, prune: Prune) -> Outcome {
        let Some(minting) = self.connection.minting() else { return Ok(Vec::new()) };
        minting::survey(prune, minting, &self.io, &self.ledger).await
    }
}

impl Errands {
    pub(super) fn busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether there is to be no attempt: somebody waits for an errand, or the connection has ended.
    pub(super) fn hold_everything(&self) -> bool {
        self.closed.is_some()
            || self.survey_awaited.get()
            || self.under_way.as_ref().is_some_and(|under_way| under_way.errand != Errand::Tidy)
    }

    /// The monotonic moment at which the one under way is given up.
    pub(super) fn end(&self) -> Option<u64> {
        self.under_way.as_ref().map(|under_way| under_way.began.monotonic_ms.saturating_add(TIMEOUT_MS))
    }

    /// Gives up what nobody asked for.
    pub(super) fn forget(&mut self) {
        self.under_way.take_if(|under_way| under_way.errand == Errand::Tidy);
    }
}

impl Machine {
    /// Ends the connection: gives up what is under way and deletes what it made. [`Self::step`] goes on with it until
    /// [`Self::closed`] tells.
    pub fn close(&mut self, now: Now) {
        self.attempt = None;
        self.lease.forget_attempt();
        self.errands.under_way = None;
        if self.mints() && !self.ledger.borrow().is_empty() {
            self.begin_errand(now, Errand::Close, |means| Box::pin(means.close()));
        } else {
            self.errands.closed = Some(Ok(()));
        }
    }

    /// Whether the connection has ended; an error when something is left that it made.
    #[must_use]
    pub fn closed(&self) -> Option<Result<(), &Error>> {
        self.errands.closed.as_ref().map(|closed| closed.as_ref().copied())
    }

    /// Asks for the accounts with our mark, and for some of them to be deleted. [`Self::step`] goes on with it until
    /// [`Self::surveyed`] tells; meanwhile no key is made.
    ///
    /// # Errors
    /// The connection makes no keys.
    pub fn survey(&mut self, now: Now, prune: Prune) -> Result<(), Error> {
        if !self.mints() {
            return Err(Error::new(
                Code::FieldValue,
                "this connection makes no service accounts: `exchange.type` is not `openai-service-account`",
            ));
        }
        self.errands.survey_awaited.set(true);
        self.begin_errand(now, Errand::Survey, |means| Box::pin(means.survey(prune)));
        Ok(())
    }

    /// What the survey brought, once.
    pub fn surveyed(&self) -> Option<Result<Vec<Account>, Error>> {
        let surveyed = self.errands.surveyed.take();
        if surveyed.is_some() {
            self.errands.survey_awaited.set(false);
        }
        surveyed
    }

    pub(super) fn mints(&self) -> bool {
        self.minting().is_some()
    }

    fn minting(&self) -> Option<&Minting> {
        self.connection.minting()
    }

    /// The monotonic moment at which accounts are to be deleted.
    pub(super) fn next_tidying(&self, now: Now) -> Option<u64> {
        self.ledger.borrow().next_look(now, self.minting()?)
    }

    pub(super) fn tidying_due(&self, now: Now) -> bool {
        let due = || self.next_tidying(now).is_some_and(|at| at <= now.monotonic_ms);
        self.attempt.is_none() && !self.errands.busy() && !self.errands.hold_everything() && due()
    }

    pub(super) fn begin_tidying(&mut self, now: Now) {
        self.begin_errand(now, Errand::Tidy, |means| Box::pin(means.tidy()));
    }

    /// `work` is handed over and not looked up: an adapter that never asks for an errand does not have its code either, which is
    /// a hundredth of the filter.
    fn begin_errand(&mut self, now: Now, errand: Errand, work: impl FnOnce(Means) -> Work) {
        let (connection, io, ledger) =
            (Rc::clone(&self.connection), self.io.clone(), Rc::clone(&self.ledger));
        let work = work(Means { connection, io, ledger });
        self.errands.under_way = Some(UnderWay { errand, began: now, work });
    }

    pub(super) fn go_on_with_errand(&mut self, now: Now) {
        let Some(UnderWay { errand, began, work }) = &mut self.errands.under_way else { return };
        let errand = *errand;
        let outcome = match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending if now.monotonic_ms.saturating_sub(began.monotonic_ms) >= TIMEOUT_MS => {
                Err(Error::new(
                    Code::AttemptTimeout,
                    "the Admin API did not answer all that it was asked within a minute; check how it is reached",
                ))
            }
            Poll::Pending => return,
        };
        self.errands.under_way = None;
        match errand {
            Errand::Tidy => self.tidied(now, outcome),
            Errand::Close => self.errands.closed = Some(outcome.map(drop)),
            Errand::Survey => self.errands.surveyed.set(Some(outcome)),
        }
    }

    fn tidied(&mut self, now: Now, outcome: Outcome) {
        self.warnings.retain(|warning| warning.code != NOT_TIDIED);
        match outcome {
            Ok(_) => self.ledger.borrow_mut().tidied(),
            Err(error) => {
                self.ledger.borrow_mut().put_off(now, error.retry_after_ms());
                let message =
                    format!("service accounts that are done with could not be deleted yet: {error}");
                self.warnings.push(Warning::new(NOT_TIDIED, message));
            }
        }
    }
}
