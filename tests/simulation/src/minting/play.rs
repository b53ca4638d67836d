//! A world from its beginning to its end.

use keyless_engine::Event;
use keyless_engine::io::Effect;
use keyless_engine::minting::{Account, Prune, Standing};
use keyless_engine::secret::SecretBytes;

use crate::life::Broken;
use crate::minting::admin::Admin;
use crate::minting::book::{Book, Outside};
use crate::minting::faults::Fault;
use crate::minting::process::{Life, Seat};
use crate::minting::requests::{self, ADMIN_KEY};
use crate::minting::rotations::Tally;
use crate::minting::setup::Setup;
use crate::minting::traffic::Flight;
use crate::minting::troubles::Sabotage;
use crate::plot::{MINUTE, Moment, SECOND};
use crate::random::Random;

/// A host looks at its clocks at least this often after somebody set one.
pub(super) const LOOK: u64 = 30 * SECOND;

pub(super) struct World {
    pub(super) setup: Setup,
    pub(super) random: Random,
    pub(super) time: Moment,
    pub(super) admin: Admin,
    pub(super) book: Book,
    pub(super) seats: Vec<Seat>,
    pub(super) flights: Vec<Flight>,
    pub(super) outage: Option<(Moment, Fault)>,
    pub(super) trouble_at: Moment,
    pub(super) look_at: Option<Moment>,
    pub(super) sabotage: Sabotage,
    /// The last process of all lives in peace.
    pub(super) peace: bool,
    story: Option<Vec<String>>,
}

/// Plays the world of a seed to its end. What happened, as far as it is told; what it was like, or the promise that was broken.
pub fn play(seed: u64, sabotage: Sabotage, tell: bool) -> (Vec<String>, Result<Tally, Broken>) {
    let mut random = Random::new(seed);
    let setup = Setup::draw(&mut random);
    let mut world = World::new(setup, random, sabotage, tell);
    let result = world.run();
    let time = world.time;
    let result = result.map_err(|broken| format!("at {time} ms: {broken}"));
    (world.story.unwrap_or_default(), result.map(|()| world.book.tally))
}

impl World {
    fn new(setup: Setup, mut random: Random, sabotage: Sabotage, tell: bool) -> Self {
        let mut story = Vec::new();
        story.extend(tell.then(|| format!("{setup:?}")));
        let mut seats = Vec::new();
        for place in &setup.places {
            seats.push(Seat {
                group: place.group,
                instance: place.instance,
                document: setup.groups[place.group].document(place.instance),
                machine: None,
                life: usize::MAX,
                starts_at: random.between(0, MINUTE),
                ends_at: Moment::MAX,
                call_at: Moment::MAX,
                off: 0,
                asleep: 0,
                sleep: None,
                base: random.between(1_000, 1_000_000_000),
                idle: Vec::new(),
            });
        }
        let admin = Admin { off: setup.server_off, lag: setup.lag, page: setup.page, ..Admin::default() };
        let trouble_at = random.wait(setup.calm);
        Self {
            setup,
            random,
            time: 0,
            admin,
            book: Book::default(),
            seats,
            flights: Vec::new(),
            outage: None,
            trouble_at,
            look_at: None,
            sabotage,
            peace: false,
            story: tell.then_some(story),
        }
    }

    fn run(&mut self) -> Result<(), Broken> {
        self.strangers();
        self.pass_to(self.setup.lasts)?;
        // Everybody ends; and what is still on its way arrives.
        self.peace = true;
        self.outage = None;
        for seat in 0..self.seats.len() {
            self.seats[seat].starts_at = Moment::MAX;
            self.wake(seat)?;
            if self.random.one_in(2) { self.close(seat)? } else { self.kill(seat, "the end of the world") }
        }
        self.pass_to(self.time + 2 * MINUTE)?;
        // Whoever uses its keys longest lives longest; and a renewal comes after the last lapse.
        let longest =
            (0..self.seats.len()).max_by_key(|at| self.setup.groups[self.seats[*at].group].use_ms());
        let last = longest.unwrap_or(0);
        self.kill(last, "what did not end by itself");
        self.seats[last].starts_at = self.time;
        let group = &mut self.setup.groups[self.seats[last].group];
        // What the others left is no reason not to begin.
        group.most = 1_000_000;
        let group = group.clone();
        self.seats[last].document = group.document(None);
        self.seats[last].instance = None;
        self.pass_to(self.time + 2 * group.refresh + 2 * group.grace + 3 * MINUTE)?;
        self.book.tally.worlds = 1;
        self.book.last(self.seats[last].life, &self.admin)
    }

    /// Through everything that comes by itself.
    fn pass_to(&mut self, moment: Moment) -> Result<(), Broken> {
        let (mut at_once, mut steps) = (0, 0_u64);
        while let Some(next) = self.next_moment().filter(|next| *next <= moment) {
            at_once = if next <= self.time { at_once + 1 } else { 0 };
            steps += 1;
            if at_once > 1_000 || steps > 2_000_000 {
                return Err("it spins".to_owned());
            }
            self.time = self.time.max(next);
            self.happen()?;
        }
        self.time = self.time.max(moment);
        Ok(())
    }

    fn next_moment(&self) -> Option<Moment> {
        let flights = self.flights.iter().map(|flight| {
            let lands_at = self.awake_at(flight.seat, flight.lands_at);
            flight.arrives_at.map_or(lands_at, |at| at.min(lands_at))
        });
        let seats = self.seats.iter().enumerate().filter_map(|(number, seat)| {
            let Some(machine) = &seat.machine else {
                let starts = (seat.starts_at != Moment::MAX).then_some(seat.starts_at);
                return starts.map(|at| self.awake_at(number, at));
            };
            let now = seat.now(self.time);
            let wake = machine.wake_at(now).map(|at| self.time + at.saturating_sub(now.monotonic_ms));
            let own = [wake, Some(seat.call_at)].into_iter().flatten().min();
            let own = own.map(|own| self.awake_at(number, own));
            own.into_iter().chain([seat.ends_at]).filter(|at| *at != Moment::MAX).min()
        });
        let trouble = (!self.peace).then_some(self.trouble_at);
        flights.chain(seats).chain(trouble).chain(self.look_at).min()
    }

    fn awake_at(&self, seat: usize, at: Moment) -> Moment {
        self.seats[seat].sleep.map_or(at, |(_, until)| at.max(until))
    }

    fn happen(&mut self) -> Result<(), Broken> {
        let time = self.time;
        for seat in 0..self.seats.len() {
            if self.seats[seat].sleep.is_some_and(|(_, until)| until <= time) {
                self.wake(seat)?;
            }
        }
        if !self.peace && self.trouble_at <= time {
            self.trouble_at = time + 1 + self.random.wait(self.setup.calm);
            self.trouble()?;
        }
        if self.look_at.is_some_and(|at| at <= time) {
            self.look_at = None;
            for seat in 0..self.seats.len() {
                self.tick(seat)?;
            }
        }
        if let Some(at) =
            self.flights.iter().position(|flight| flight.arrives_at.is_some_and(|at| at <= time))
        {
            return self.arrive(at);
        }
        let lands = |flight: &Flight| self.awake_at(flight.seat, flight.lands_at) <= time;
        if let Some(at) = self.flights.iter().position(lands) {
            return self.land(at);
        }
        for seat in 0..self.seats.len() {
            let (here, at) = (&self.seats[seat], self.awake_at(seat, time));
            if here.machine.is_none() {
                if here.starts_at <= time && at <= time {
                    self.start(seat)?;
                }
            } else if here.ends_at <= time {
                self.seats[seat].ends_at = Moment::MAX;
                if self.random.one_in(3) && at <= time {
                    self.close(seat)?;
                } else {
                    self.kill(seat, "its end");
                }
            } else if at <= time {
                if here.call_at <= time {
                    self.call(seat)?;
                }
                self.tick(seat)?;
            }
        }
        Ok(())
    }

    fn wake(&mut self, seat: usize) -> Result<(), Broken> {
        let Some((from, _)) = self.seats[seat].sleep.take() else { return Ok(()) };
        self.seats[seat].asleep += self.time - from;
        self.tick(seat)
    }

    fn start(&mut self, seat: usize) -> Result<(), Broken> {
        let (life, time) = (self.book.lives.len(), self.time);
        let ends_at = if self.peace { Moment::MAX } else { time + 1 + self.random.wait(self.setup.life) };
        let here = &mut self.seats[seat];
        here.machine = Some(here.open());
        (here.life, here.ends_at, here.call_at) = (life, ends_at, time);
        here.idle = here.machine.as_ref().map_or(Vec::new(), |machine| machine.carry().to_vec());
        let (group, instance) = (here.group, here.instance);
        if !self.peace && self.random.one_in(10) {
            // Not a process that uses keys, but somebody who looks after the accounts with the same document.
            let now = here.now(time);
            let survey = here.machine.as_mut().map(|machine| machine.survey(now, Prune::Done));
            survey.transpose().map_err(|error| error.to_string())?;
        }
        self.book.tally.lives += 1;
        self.book.lives.push(Life { group, instance, ..Life::default() });
        self.tell(|| format!("life {life} begins in seat {seat}"));
        self.tick(seat)
    }

    /// Nothing of the process is left but what is on its way.
    pub(super) fn kill(&mut self, seat: usize, why: &str) {
        if self.seats[seat].machine.take().is_none() {
            return;
        }
        let life = self.seats[seat].life;
        self.tell(|| format!("life {life} is over: {why}"));
        self.book.lives[life].over = Some(self.time);
        for flight in self.flights.iter_mut().filter(|flight| flight.life == life) {
            flight.lost = true;
        }
        let refresh = self.setup.groups[self.seats[seat].group].refresh;
        let pause = self.random.pick(&[0, 0, SECOND, 30 * SECOND, refresh / 2, 2 * refresh]);
        if self.seats[seat].starts_at != Moment::MAX {
            self.seats[seat].starts_at = self.time + pause;
        }
    }

    pub(super) fn close(&mut self, seat: usize) -> Result<(), Broken> {
        let (time, life) = (self.time, self.seats[seat].life);
        let now = self.seats[seat].now(time);
        let Some(machine) = self.seats[seat].machine.as_mut().filter(|machine| machine.closed().is_none())
        else {
            return Ok(());
        };
        machine.close(now);
        let one = &mut self.book.lives[life];
        (one.closing, one.list) = (true, Default::default());
        self.tell(|| format!("life {life} is closed"));
        self.tick(seat)
    }

    pub(super) fn tick(&mut self, seat: usize) -> Result<(), Broken> {
        self.step(seat, Event::Tick, false)
    }

    /// The process does what it can, or dies over it.
    pub(super) fn step(&mut self, seat: usize, event: Event, dies: bool) -> Result<(), Broken> {
        if self.seats[seat].sleep.is_some() {
            return Ok(());
        }
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let now = self.seats[seat].now(self.time);
            let Some(machine) = &mut self.seats[seat].machine else { return Ok(()) };
            let effects = machine.step(now, event);
            if dies {
                self.kill(seat, "right after an answer");
                return Ok(());
            }
            for effect in effects {
                match effect {
                    Effect::ReadFile { id, .. } => {
                        let key = SecretBytes::from(ADMIN_KEY.as_bytes().to_vec());
                        events.push(Event::File(id, Ok(key)));
                    }
                    Effect::Send { id, request } => {
                        let asked = requests::read(&request)?;
                        self.send(seat, id, asked)?;
                    }
                    Effect::Cancel { id } => {
                        let life = self.seats[seat].life;
                        self.book.lives[life].run = None;
                        for flight in self.flights.iter_mut().filter(|one| one.life == life && one.id == id) {
                            flight.lost = true;
                        }
                    }
                    Effect::AskSource { .. } => return Err("nobody is to be asked".to_owned()),
                }
            }
        }
        self.observe(seat)
    }

    fn observe(&mut self, seat: usize) -> Result<(), Broken> {
        let time = self.time;
        let key = self.seats[seat].shown(time);
        let here = &mut self.seats[seat];
        let (now, life) = (here.now(time), here.life);
        let Some(machine) = &here.machine else { return Ok(()) };
        let (counters, busy) = (machine.status(now).counters, machine.busy());
        if !busy {
            here.idle = machine.carry().to_vec();
        }
        let hidden = self.sabotage == Sabotage::HidesKeys && counters.failures_in_a_row > 0;
        let key = key.filter(|_| !hidden);
        let outside = Outside { key, renewals: counters.renewals, failures: counters.failures, busy };
        let surveyed = machine.surveyed();
        let at_once = self.sabotage == Sabotage::ClosesAtOnce && self.book.lives[life].closing;
        let closed = machine.closed().map(|closed| closed.is_ok()).or(at_once.then_some(true));
        let before = self.book.lives[life].current;
        let group = &self.setup.groups[here.group];
        self.book.shows((time, now), life, &outside, &self.admin, group)?;
        if let Some(well) = closed {
            if well {
                self.book.closed(life, &self.admin)?;
            } else {
                self.book.tally.closed_badly += 1;
            }
            self.kill(seat, "it was closed");
            return Ok(());
        }
        if let Some(accounts) = surveyed {
            let left = |one: &Account| (one.standing == Standing::Done) != one.deleted;
            if let Some(left) = accounts.ok().into_iter().flatten().find(left) {
                return Err(format!("what is done with goes, and nothing else: {left:?}"));
            }
            self.book.tally.surveys += 1;
            self.kill(seat, "it has looked after the accounts");
            return Ok(());
        }
        self.without_grace(life, before)
    }

    pub(super) fn tell(&mut self, words: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:>12} {}", self.time, words()));
        }
    }
}
