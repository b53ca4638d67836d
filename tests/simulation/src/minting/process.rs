//! One life of one process, as the world sees it, and a place in which lives follow each other.

use keyless_engine::io::Now;
use keyless_engine::{Answered, Machine, Variables};

use crate::minting::requests::ADMIN_KEY;
use crate::plot::Moment;
use crate::world::EPOCH;

/// A moment in true time, and what the clocks of the machine showed.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    pub time: Moment,
    pub now: Now,
}

impl Since {
    /// By the clock that says less.
    #[must_use]
    pub fn elapsed(self, now: Now) -> u64 {
        let wall = now.wall_ms.saturating_sub(self.now.wall_ms);
        wall.min(now.monotonic_ms.saturating_sub(self.now.monotonic_ms))
    }

    /// By the clock that says more.
    #[must_use]
    pub fn elapsed_by_either(self, now: Now) -> u64 {
        let wall = now.wall_ms.saturating_sub(self.now.wall_ms);
        wall.max(now.monotonic_ms.saturating_sub(self.now.monotonic_ms))
    }
}

/// The accounts that a process was told of last.
#[derive(Default)]
pub struct Listed {
    pub seen: Vec<usize>,
    pub last: Option<String>,
    pub whole: bool,
    pub doubtful: bool,
    pub hides: bool,
    /// The API's clock when it was told.
    pub server_ms: u64,
}

/// From the first request of an attempt or a look to its end.
#[derive(Default)]
pub struct Run {
    pub creates: bool,
    pub failed: bool,
}

pub struct Held {
    pub account: usize,
    pub anchor: Since,
    /// The process was told that the API refuses it.
    pub rejected: bool,
}

/// One life.
#[derive(Default)]
pub struct Life {
    pub group: usize,
    pub instance: Option<&'static str>,
    pub over: Option<Moment>,
    pub closing: bool,
    pub first_mint: Option<Moment>,
    /// Whose key came last.
    pub current: Option<usize>,
    pub held: Option<Held>,
    /// Whose key is handed out, and until when at the latest.
    pub handing: Option<(usize, Moment)>,
    /// By how much both clocks are behind the truth since the key in use was asked for.
    pub behind: u64,
    /// The account whose key is in the answer that arrives just now, and when it was asked for.
    pub arriving: Option<(usize, Since)>,
    pub list: Listed,
    pub run: Option<Run>,
    /// When a request got another answer than it should have.
    pub failed_at: Option<Moment>,
    pub renewals: u64,
    pub failures: u64,
    pub(super) before: Vec<(usize, Since)>,
    pub(super) kin: Vec<(usize, Since)>,
}

impl Life {
    /// A new key is there.
    pub fn succeeds(&mut self, account: usize, anchor: Since, time: Moment, now: Now, kin: Vec<usize>) {
        let since = Since { time, now };
        self.kin.extend(kin.into_iter().map(|at| (at, since)));
        self.before.extend(self.current.replace(account).map(|at| (at, since)));
        self.first_mint.get_or_insert(time);
        self.held = Some(Held { account, anchor, rejected: false });
    }

    /// Since when that account is no longer the current one of this life.
    #[must_use]
    pub fn superseded(&self, account: usize) -> Option<Since> {
        self.before.iter().find(|(at, _)| *at == account).map(|(_, since)| *since)
    }

    /// Whether its key has arrived.
    #[must_use]
    pub fn knows(&self, account: usize) -> bool {
        self.current == Some(account) || self.superseded(account).is_some()
    }

    /// Since when this life knows that an earlier one of the same instance had that account.
    #[must_use]
    pub fn inherited(&self, account: usize) -> Option<Since> {
        self.kin.iter().find(|(at, _)| *at == account).map(|(_, since)| *since)
    }

    /// Whether anybody may ask it for the key.
    #[must_use]
    pub fn awaits_calls(&self) -> bool {
        self.over.is_none() && !self.closing
    }
}

/// A machine with its clocks, and the process that lives on it.
pub struct Seat {
    pub group: usize,
    pub instance: Option<&'static str>,
    pub document: String,
    pub machine: Option<Machine>,
    /// The last or present one here.
    pub life: usize,
    /// When the next life begins.
    pub starts_at: Moment,
    /// When the present one ends by itself.
    pub ends_at: Moment,
    /// When somebody uses the key next.
    pub call_at: Moment,
    /// What the wall clock is off by.
    pub off: i64,
    pub asleep: u64,
    /// From when to when it sleeps.
    pub sleep: Option<(Moment, Moment)>,
    /// What the monotonic clock began with.
    pub base: u64,
    /// What was carried while nothing was under way.
    pub idle: Vec<u8>,
}

impl Seat {
    /// What the machine's clocks show.
    #[must_use]
    pub fn now(&self, time: Moment) -> Now {
        let awake = self.sleep.map_or(time, |(from, _)| from);
        Now {
            wall_ms: (EPOCH + time).saturating_add_signed(self.off),
            monotonic_ms: self.base + awake - self.asleep,
        }
    }

    /// A machine that knows nothing of any before.
    #[must_use]
    pub fn open(&self) -> Machine {
        let variables = Variables::from_iter([("ADMIN".to_owned(), ADMIN_KEY.to_owned())]);
        Machine::open(&self.document, &variables).unwrap()
    }

    /// The key that it hands out.
    #[must_use]
    pub fn shown(&self, time: Moment) -> Option<String> {
        match self.machine.as_ref()?.credential(self.now(time)) {
            Answered::Ready(credential) => {
                let (_, value) = credential.headers.first()?;
                Some(value.expose().strip_prefix("Bearer ").unwrap_or_default().to_owned())
            }
            Answered::Pending | Answered::Failed(_) => None,
        }
    }
}
