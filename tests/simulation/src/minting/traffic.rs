//! Requests on their way to the Admin API and back, and those of whoever uses the keys.

use keyless_engine::Event;
use keyless_engine::io::{Response, SendFault};
use serde_json::{Value, json};

use crate::life::Broken;
use crate::minting::admin::Page;
use crate::minting::faults::Fault;
use crate::minting::names;
use crate::minting::play::World;
use crate::minting::process::Since;
use crate::minting::requests::Asked;
use crate::minting::troubles::{Interruption, Sabotage};
use crate::plot::{MINUTE, Moment, SECOND};

type Answer = Result<Response, SendFault>;

/// A request under way.
pub(super) struct Flight {
    pub(super) seat: usize,
    pub(super) life: usize,
    pub(super) id: u64,
    asked: Asked,
    fault: Option<Fault>,
    sent: Since,
    pub(super) arrives_at: Option<Moment>,
    pub(super) lands_at: Moment,
    /// Nobody waits for the answer any more.
    pub(super) lost: bool,
    cut: Option<Interruption>,
    answer: Option<Answer>,
    page: Option<(Page, u64)>,
    created: Option<usize>,
}

impl World {
    pub(super) fn send(&mut self, seat: usize, id: u64, asked: Asked) -> Result<(), Broken> {
        if self.seats[seat].machine.is_none() {
            return Ok(());
        }
        let (time, here) = (self.time, &self.seats[seat]);
        let (life, now, group) = (here.life, here.now(time), &self.setup.groups[here.group]);
        self.book.asks(now, life, &asked, &self.admin, group)?;
        if let Asked::Create { name } = &asked {
            if let Some(fault) = names::fault(name, group) {
                return Err(format!("{name:?} {fault}"));
            }
            let lapse = names::lapse_ms(name).unwrap_or(0);
            let end = self.admin.clock(time) + group.use_ms() + group.grace;
            if lapse > end + SECOND || lapse + 15 * SECOND < end {
                return Err(format!(
                    "{name:?} lapses at {lapse}, and the grace after its use ends at {end} by the API's clock"
                ));
            }
        }
        let cut = self.interruption();
        if let Some(cut) = cut {
            self.book.tally.cut(&asked, cut);
        }
        if cut == Some(Interruption::BeforeItLeaves) {
            self.kill(seat, "before a request left");
            return Ok(());
        }
        let fault = self.fault(&asked);
        let takes = self.latency();
        let (arrives_at, lands_at) = match fault {
            Some(Fault::Refused(SendFault::TimedOut)) => (None, time + 10 * SECOND),
            Some(Fault::Refused(_)) => (None, time + 1),
            Some(Fault::DoneAndSilent(late)) => (Some(time + 1 + late), time + 10 * SECOND),
            _ => (Some(time + takes / 2), time + takes),
        };
        let answer = match fault {
            Some(Fault::Refused(fault)) => Some(Err(fault)),
            Some(Fault::DoneAndSilent(_)) => Some(Err(SendFault::TimedOut)),
            _ => None,
        };
        self.tell(|| {
            format!("life {life} asks: {asked:?} {}", fault.map_or(String::new(), |one| format!("({one:?})")))
        });
        let sent = Since { time, now };
        let (page, created, lost) = (None, None, false);
        self.flights.push(Flight {
            seat,
            life,
            id,
            asked,
            fault,
            sent,
            arrives_at,
            lands_at,
            lost,
            cut,
            answer,
            page,
            created,
        });
        if cut == Some(Interruption::OnItsWay) {
            self.kill(seat, "with a request on its way");
        }
        match cut {
            Some(Interruption::Closed) => self.close(seat),
            Some(Interruption::TakenOver) => self.take_over(seat),
            Some(Interruption::Asleep) => {
                let refresh = self.setup.groups[self.seats[seat].group].refresh;
                let lasts = self.random.pick(&[MINUTE, refresh / 2, 2 * refresh]);
                self.sleep(seat, lasts);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The request is at the API, which does as it is asked.
    pub(super) fn arrive(&mut self, at: usize) -> Result<(), Broken> {
        let flight = &mut self.flights[at];
        flight.arrives_at = None;
        let (seat, life, asked, fault) = (flight.seat, flight.life, flight.asked.clone(), flight.fault);
        let undone = matches!(fault, Some(Fault::Status(_) | Fault::RetryAfter(_)));
        let (mut status, mut body) = (200, json!({}));
        if !undone {
            match &asked {
                Asked::List { after } => {
                    let hides = self.sabotage == Sabotage::HidesAccounts;
                    let page = self.admin.list(self.time, after.as_deref(), hides);
                    body = self.admin.page_body(&page);
                    let server_ms = self.admin.clock(self.time) / SECOND * SECOND;
                    self.flights[at].page = Some((page, server_ms));
                }
                Asked::Create { name } => {
                    let account = self.admin.create(self.time, name, Some(life), &mut self.random);
                    self.tell(|| format!("svc_acct_{account} is made"));
                    self.book.tally.created += 1;
                    self.flights[at].created = Some(account);
                    if self.flights[at].lands_at != Moment::MAX {
                        self.book.open.push(account);
                    }
                    body = self.admin.created_body(account);
                    match fault {
                        Some(Fault::NoKey) => body["api_key"] = Value::Null,
                        // Whose it is stands in the answer.
                        Some(Fault::Another) => {
                            let other = &self.admin.accounts[0];
                            body["id"] = other.id.clone().into();
                            body["name"] = other.name.clone().into();
                            body["api_key"] = Value::Null;
                        }
                        _ => {}
                    }
                }
                Asked::Delete { id } => match self.deletion(id) {
                    Some(account) => {
                        self.book.deletes(self.time, life, account, &self.admin, &self.setup.groups)?;
                        self.tell(|| format!("svc_acct_{account} is deleted"));
                        self.book.tally.deleted += 1;
                        self.admin.delete(self.time, account, &mut self.random);
                    }
                    None => status = if self.sabotage == Sabotage::DeletesNothing { 200 } else { 404 },
                },
            }
        }
        let fault = fault.filter(|_| !self.hides_doubt(&asked));
        let answer = self.admin.answer(self.time, status, &body, fault);
        let flight = &mut self.flights[at];
        flight.answer.get_or_insert(answer);
        let crashes = flight.cut == Some(Interruption::AfterTheDeed) && !flight.lost;
        if flight.lands_at == Moment::MAX {
            self.flights.swap_remove(at);
        }
        if crashes {
            self.kill(seat, "after the deed");
        }
        Ok(())
    }

    /// The answer is there.
    pub(super) fn land(&mut self, at: usize) -> Result<(), Broken> {
        let mut flight = self.flights.swap_remove(at);
        let lost = flight.lost;
        let answer = flight.answer.take();
        let (seat, life, id, asked, fault, sent) =
            (flight.seat, flight.life, flight.id, flight.asked.clone(), flight.fault, flight.sent);
        let (cut, page, created) = (flight.cut, flight.page.take(), flight.created);
        if flight.arrives_at.is_some() {
            // It is on its way still, and nobody waits for it any more.
            (flight.lost, flight.lands_at) = (true, Moment::MAX);
            self.flights.push(flight);
        }
        self.book.open.retain(|open| Some(*open) != created);
        let Some(answer) = answer.filter(|_| !lost && self.seats[seat].life == life) else { return Ok(()) };
        let whole = matches!(fault, None | Some(Fault::NoKey | Fault::Another));
        let listing = matches!(asked, Asked::List { .. });
        let done = answer.as_ref().is_ok_and(|answer| {
            matches!(answer.status, 200 | 404) && (whole || matches!(asked, Asked::Delete { .. }))
        });
        let page = if listing {
            page.or_else(|| Some((Page { shown: Vec::new(), more: false, hides: false }, 0)))
        } else {
            None
        };
        self.book.hears(self.time, life, done, page, &self.admin);
        if let Some(account) = created.filter(|_| fault.is_none()) {
            self.book.lives[life].arriving = Some((account, sent));
        }
        self.forget_what_was_lost(seat, created.is_some() && fault.is_some());
        self.step(seat, Event::Response(id, answer), cut == Some(Interruption::AfterTheAnswer))
    }

    /// Somebody uses the key, and says so if it is refused.
    pub(super) fn call(&mut self, seat: usize) -> Result<(), Broken> {
        let (time, group) = (self.time, self.seats[seat].group);
        self.seats[seat].call_at = time + self.setup.groups[group].refresh / 6;
        let life = self.seats[seat].life;
        if !self.book.lives[life].awaits_calls() {
            return Ok(());
        }
        self.book.tally.calls += 1;
        let Some(key) = self.seats[seat].shown(time) else { return Ok(()) };
        self.book.tally.served += 1;
        let dead = self.admin.accounts.iter().any(|account| account.key == key && !account.alive());
        if dead { self.reject(seat) } else { Ok(()) }
    }

    pub(super) fn reject(&mut self, seat: usize) -> Result<(), Broken> {
        let now = self.seats[seat].now(self.time);
        let life = self.seats[seat].life;
        let Some(machine) = &self.seats[seat].machine else { return Ok(()) };
        let generation = machine.status(now).generation;
        self.book.tally.rejections += 1;
        if let Some(held) = &mut self.book.lives[life].held {
            held.rejected = true;
        }
        self.tell(|| format!("the API refuses the key of life {life}"));
        self.step(seat, Event::Reject(generation), false)
    }
}
