//! What goes wrong beside single requests, and what is done wrongly on purpose, to see that it is noticed.

use crate::life::Broken;
use crate::minting::faults::Fault;
use crate::minting::play::{LOOK, World};
use crate::minting::requests::Asked;
use crate::plot::{HOUR, MINUTE, SECOND};
use crate::random::Random;

/// What comes between a process and a request of its own: its end, for the most part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interruption {
    BeforeItLeaves,
    OnItsWay,
    AfterTheDeed,
    AfterTheAnswer,
    /// It is closed while the request is on its way.
    Closed,
    /// Its machine sleeps while the request is on its way, and finds the answer when it wakes.
    Asleep,
    /// Another worker of the process goes on from what was known before the attempt.
    TakenOver,
}

/// A fault of the machine, of the API or of the book, made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    /// What was superseded is deleted at once.
    Graceless,
    /// Deletions are answered and not done.
    DeletesNothing,
    /// The first account of the world is deleted instead of the one that is meant.
    DeletesAnother,
    /// A machine starts again where its process does not.
    Restarts,
    /// A machine goes on without the names that it asked for.
    ForgetsWhatWasLost,
    /// Lists show none of our accounts.
    HidesAccounts,
    /// Lists that are not whole look as if they were.
    HidesDoubt,
    /// A key is not handed out after a renewal failed.
    HidesKeys,
    /// A process ends well before it did anything for it.
    ClosesAtOnce,
}

impl World {
    /// Accounts of others, with names that look nearly like ours.
    pub(super) fn strangers(&mut self) {
        let names = [
            "backend",
            "ci-0123456789ab-keyless-20200101t000000z-000000000000",
            "ci-keyless",
            "a-keyless-20270115t080000z-9c3f0aa1b2c3",
            "other-x-keyless-20270115t080000z-",
        ];
        for name in names {
            self.admin.create(0, name, None, &mut self.random);
        }
    }

    pub(super) fn interruption(&mut self) -> Option<Interruption> {
        use Interruption::{
            AfterTheAnswer, AfterTheDeed, Asleep, BeforeItLeaves, Closed, OnItsWay, TakenOver,
        };
        let comes = !self.peace && self.random.one_in(self.setup.crash_one_in);
        let all = [BeforeItLeaves, OnItsWay, AfterTheDeed, AfterTheAnswer, Closed, Asleep, TakenOver];
        comes.then(|| self.random.pick(&all))
    }

    pub(super) fn fault(&mut self, asked: &Asked) -> Option<Fault> {
        let time = self.time;
        if self.peace {
            return None;
        }
        if let Some((_, fault)) = self.outage.filter(|(until, _)| time < *until) {
            return Some(fault);
        }
        if !self.random.one_in(self.setup.fault_one_in) {
            return None;
        }
        let fault = Fault::draw(&mut self.random);
        let makes_sense = match asked {
            Asked::Create { .. } => true,
            Asked::List { .. } => !matches!(fault, Fault::NoKey | Fault::Another),
            // A deletion that says that there is no such account is believed: by whom is it to be doubted?
            Asked::Delete { .. } => !matches!(fault, Fault::NoKey | Fault::Another | Fault::Status(404)),
        };
        makes_sense.then_some(fault)
    }

    pub(super) fn latency(&mut self) -> u64 {
        if self.random.one_in(20) {
            self.random.between(SECOND, 9 * SECOND)
        } else {
            self.random.between(2, 300)
        }
    }

    pub(super) fn trouble(&mut self) -> Result<(), Broken> {
        let seat = usize::try_from(self.random.between(0, self.seats.len() as u64 - 1)).unwrap();
        let refresh = self.setup.groups[self.seats[seat].group].refresh;
        let lasts = match self.random.between(0, 3) {
            0 => self.random.between(SECOND, MINUTE),
            1 => self.random.between(MINUTE, 20 * MINUTE),
            2 => self.random.between(HOUR, 6 * HOUR),
            _ => self.random.between(refresh / 4, 3 * refresh),
        };
        match self.random.between(0, 7) {
            0 | 1 => {
                let fault = Fault::outage(&mut self.random);
                let lasts = lasts.min(4 * refresh);
                self.tell(|| format!("for {lasts} ms the API is like that: {fault:?}"));
                self.outage = Some((self.time + lasts, fault));
                self.book.tally.outages += 1;
            }
            2 => self.sleep(seat, lasts.min(4 * refresh)),
            3 => {
                let by = i64::try_from(self.random.pick(&[lasts, lasts, 3 * 24 * HOUR])).unwrap();
                let back = if self.random.one_in(2) { by } else { -by };
                let off = if self.seats[seat].off == 0 { back } else { 0 };
                self.tell(|| format!("the clock of seat {seat} is off by {off} from now on"));
                self.seats[seat].off = off;
                self.look_at = Some(self.time + LOOK);
                self.book.tally.clocks_set += 1;
            }
            4 => {
                let key = self.seats[seat].shown(self.time);
                if let Some(at) = self.admin.accounts.iter().position(|one| Some(&one.key) == key.as_ref()) {
                    self.tell(|| format!("somebody deletes svc_acct_{at} by hand"));
                    self.admin.delete(self.time, at, &mut self.random);
                    self.book.tally.by_hand += 1;
                }
            }
            5 => self.reject(seat)?,
            6 => self.kill(seat, "out of nothing"),
            _ => {
                let near = self.admin.accounts.last().map_or("x", |one| one.name.as_str());
                let name = self.random.pick(&[near, "backend"]).replace("-keyless-", "-keyles-");
                self.admin.create(self.time, &name, None, &mut self.random);
            }
        }
        if self.sabotage == Sabotage::Restarts && self.seats[seat].machine.is_some() {
            let machine = self.seats[seat].open();
            self.seats[seat].machine = Some(machine);
        }
        Ok(())
    }

    /// A machine sleeps for so long, as if switched off.
    pub(super) fn sleep(&mut self, seat: usize, lasts: u64) {
        let (from, until) = (self.time, self.time + lasts);
        if self.seats[seat].sleep.is_none() {
            self.tell(|| format!("seat {seat} sleeps until {until}"));
            self.seats[seat].sleep = Some((from, until));
            self.book.tally.sleeps += 1;
            self.look_at = Some(self.look_at.map_or(until, |at| at.min(until)));
        }
    }

    /// Which account a request to delete one reaches.
    pub(super) fn deletion(&self, id: &str) -> Option<usize> {
        let at = match self.sabotage {
            Sabotage::DeletesAnother => Some(0),
            Sabotage::DeletesNothing => None,
            _ => self.admin.find(id),
        };
        at.filter(|at| self.admin.accounts[*at].alive())
    }

    /// Another worker goes on from what was known when nothing was under way.
    pub(super) fn take_over(&mut self, seat: usize) -> Result<(), Broken> {
        let here = &mut self.seats[seat];
        let Some(machine) = here.machine.as_mut().filter(|_| !self.book.lives[here.life].closing) else {
            return Ok(());
        };
        machine.forget_attempt();
        machine.adopt(&here.idle);
        self.tell(|| format!("another worker of seat {seat} takes over"));
        self.tick(seat)
    }

    pub(super) fn hides_doubt(&self, asked: &Asked) -> bool {
        self.sabotage == Sabotage::HidesDoubt && matches!(asked, Asked::List { .. })
    }

    pub(super) fn forget_what_was_lost(&mut self, seat: usize, lost: bool) {
        let here = &mut self.seats[seat];
        if lost && self.sabotage == Sabotage::ForgetsWhatWasLost && !here.idle.is_empty() {
            let mut machine = here.open();
            machine.adopt(&here.idle);
            here.machine = Some(machine);
        }
    }

    pub(super) fn without_grace(&mut self, life: usize, before: Option<usize>) -> Result<(), Broken> {
        let superseded = before.filter(|at| Some(*at) != self.book.lives[life].current);
        match superseded {
            Some(at) if self.sabotage == Sabotage::Graceless && self.admin.accounts[at].alive() => {
                self.book.deletes(self.time, life, at, &self.admin, &self.setup.groups)?;
                self.admin.delete(self.time, at, &mut Random::new(0));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
