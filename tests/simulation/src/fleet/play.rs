//! Many instances on one clock: their starts, their callers, the endpoint and its outage.
//!
//! An instance meets no other, so those of a fleet can be played alone, and do the same as among the rest.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::policy::{Answer, Contender, Policy};
use crate::plot::{Moment, SECOND};
use crate::random::Random;

/// An instance is called every five seconds on average, at moments that know nothing of each other.
pub const BETWEEN_CALLS: u64 = 5 * SECOND;

/// From sending a request to its answer.
const LATENCY: u64 = 100;

/// What is played. Times are milliseconds from the start.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub instances: u64,
    /// The instances start evenly over this time.
    pub start: u64,
    pub lasts: u64,
    pub trouble: Trouble,
}

/// What comes to all of them.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    None,
    /// The endpoint answers nothing but 503.
    Outage {
        from: Moment,
        lasts: u64,
    },
    /// The same, and for each instance it begins when that makes its first exchange `after` some moment: the worst
    /// moment that there is for it.
    OutageAtTheWorstMoment {
        after: Moment,
        lasts: u64,
    },
    /// The API refuses every credential that was issued before, and says so to the next caller.
    Revocation {
        at: Moment,
    },
}

/// What happened.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Exchanges in each second, without every instance's first: the cold start is the same with every policy.
    pub seconds: Vec<u64>,
    /// Exchanges of each instance during the outage.
    pub in_outage: Vec<u64>,
    /// How long after its outage began the callers of each instance first got an error.
    pub failed_after: Vec<Option<u64>>,
    /// Calls that got an error, among all instances.
    pub failed_calls: u64,
    /// When 99 of 100 instances were fresh again, in milliseconds after the outage; to the second.
    pub fresh_after: Option<u64>,
}

/// Plays all instances.
#[must_use]
pub fn play(contender: &Contender, setting: Setting) -> Log {
    let everyone: Vec<u64> = (0..setting.instances).collect();
    play_some(contender, setting, &everyone)
}

/// Plays those of the fleet that have these numbers.
#[must_use]
pub fn play_some(contender: &Contender, setting: Setting, numbers: &[u64]) -> Log {
    let mut fleet = Fleet::new(contender, setting, numbers);
    while let Some(Reverse((at, index, what))) = fleet.agenda.pop() {
        if at >= setting.lasts {
            break;
        }
        fleet.look(at);
        fleet.happen(at, index, what);
    }
    fleet.log
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Start,
    Call,
    Wake,
    Rejected,
    Answer,
}

struct Fleet {
    setting: Setting,
    instances: Vec<Instance>,
    agenda: BinaryHeap<Reverse<(Moment, usize, What)>>,
    /// When the outage that comes to all is over, and when to count who is fresh.
    over: Moment,
    look_at: Moment,
    log: Log,
}

struct Instance {
    policy: Box<dyn Policy>,
    random: Random,
    under_way: bool,
    /// Callers who wait for the exchange under way.
    waiting: u64,
    /// It had a credential once.
    started: bool,
    /// What is on the agenda. Anything else there is out of date.
    call_at: Moment,
    wake_at: Moment,
    /// What `call_at` was drawn from.
    calm_until: Moment,
    /// When the endpoint is out of order for it.
    outage: Range<Moment>,
}

impl Instance {
    fn new(policy: Box<dyn Policy>, random: Random, outage: Range<Moment>) -> Self {
        Self {
            policy,
            random,
            under_way: false,
            waiting: 0,
            started: false,
            call_at: Moment::MAX,
            wake_at: Moment::MAX,
            calm_until: 0,
            outage,
        }
    }
}

impl Fleet {
    fn new(contender: &Contender, setting: Setting, numbers: &[u64]) -> Self {
        let Setting { instances, start, lasts, trouble } = setting;
        let outage = match trouble {
            Trouble::Outage { from, lasts } => from..from + lasts,
            _ => Moment::MAX..Moment::MAX,
        };
        let over = outage.end;
        let mut agenda = BinaryHeap::new();
        let all = numbers.iter().enumerate().map(|(index, number)| {
            let mut random = Random::new(*number);
            agenda.push(Reverse((number * start / instances, index, What::Start)));
            if let Trouble::Revocation { at } = trouble {
                agenda.push(Reverse((at + random.wait(BETWEEN_CALLS), index, What::Rejected)));
            }
            Instance::new((contender.new)(*number), random, outage.clone())
        });
        let instances: Vec<_> = all.collect();
        let log = Log {
            seconds: vec![0; usize::try_from(lasts / SECOND).unwrap() + 1],
            in_outage: vec![0; numbers.len()],
            failed_after: vec![None; numbers.len()],
            ..Log::default()
        };
        Self { setting, instances, agenda, over, look_at: over, log }
    }

    fn happen(&mut self, at: Moment, index: usize, what: What) {
        let instance = &mut self.instances[index];
        let asks = match what {
            What::Start if instance.policy.wake_at().is_some() => instance.policy.wake(at),
            What::Start => self.call(at, index),
            What::Call if at == instance.call_at => {
                instance.call_at = Moment::MAX;
                self.call(at, index)
            }
            What::Wake if at == instance.wake_at && !instance.under_way => {
                instance.wake_at = Moment::MAX;
                instance.policy.wake(at)
            }
            What::Call | What::Wake => return,
            What::Rejected => instance.policy.rejected(at) && !instance.under_way,
            What::Answer => {
                self.answer(at, index);
                false
            }
        };
        if asks {
            self.ask(at, index);
        }
        self.plan(at, index);
    }

    /// True: an exchange begins.
    fn call(&mut self, at: Moment, index: usize) -> bool {
        let instance = &mut self.instances[index];
        let call = instance.policy.call(at);
        match call.answer {
            Answer::Served => {}
            Answer::Failed => self.fail(at, index, 1),
            Answer::Waits => instance.waiting += 1,
        }
        call.asks
    }

    fn ask(&mut self, at: Moment, index: usize) {
        let instance = &mut self.instances[index];
        assert!(!instance.under_way, "two exchanges at once");
        instance.under_way = true;
        self.agenda.push(Reverse((at + LATENCY, index, What::Answer)));
        if let Trouble::OutageAtTheWorstMoment { after, lasts } = self.setting.trouble
            && at >= after
            && instance.outage.start == Moment::MAX
        {
            instance.outage = at..at + lasts;
        }
        if instance.started {
            self.log.seconds[usize::try_from(at / SECOND).unwrap()] += 1;
        }
        if instance.outage.contains(&at) {
            self.log.in_outage[index] += 1;
        }
    }

    fn answer(&mut self, at: Moment, index: usize) {
        let instance = &mut self.instances[index];
        instance.under_way = false;
        let waiting = std::mem::take(&mut instance.waiting);
        if instance.outage.contains(&at) {
            if instance.policy.refused(at) == Answer::Failed {
                self.fail(at, index, waiting);
            }
        } else {
            instance.started = true;
            instance.policy.granted(at);
        }
    }

    fn fail(&mut self, at: Moment, index: usize, calls: u64) {
        let instance = &self.instances[index];
        if calls > 0 && instance.started {
            self.log.failed_calls += calls;
            self.log.failed_after[index].get_or_insert(at.saturating_sub(instance.outage.start));
        }
    }

    /// The next wake and the next call. Calls come without memory, so the time to the next one may be drawn anew
    /// whenever something has changed, and those that would change nothing need not be played.
    fn plan(&mut self, at: Moment, index: usize) {
        let instance = &mut self.instances[index];
        let wake_at = if instance.under_way { None } else { instance.policy.wake_at() };
        if let Some(wake_at) = wake_at.map(|wake_at| wake_at.max(at))
            && wake_at != instance.wake_at
        {
            instance.wake_at = wake_at;
            self.agenda.push(Reverse((wake_at, index, What::Wake)));
        }
        let calm_until = instance.policy.calm_until();
        if instance.call_at == Moment::MAX || calm_until != instance.calm_until {
            instance.calm_until = calm_until;
            instance.call_at = at.max(calm_until) + instance.random.wait(BETWEEN_CALLS);
            self.agenda.push(Reverse((instance.call_at, index, What::Call)));
        }
    }

    /// Counts who is fresh, every second after the outage until enough are.
    fn look(&mut self, at: Moment) {
        while at > self.look_at {
            let fresh = self.instances.iter().filter(|instance| instance.policy.fresh(self.look_at)).count();
            if fresh * 100 >= self.instances.len() * 99 {
                self.log.fresh_after = Some(self.look_at - self.over);
                self.look_at = Moment::MAX;
            } else {
                self.look_at += SECOND;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::policy::ALL;
    use crate::plot::{HOUR, MINUTE};

    const SETTING: Setting = Setting { instances: 20, start: HOUR, lasts: 6 * HOUR, trouble: Trouble::None };
    const OUTAGE: Trouble = Trouble::Outage { from: 3 * HOUR, lasts: 2 * HOUR };

    #[test]
    fn nobody_fails_without_trouble_and_everybody_in_two_hours_of_it() {
        for contender in &ALL {
            assert_eq!(play(contender, SETTING).failed_calls, 0, "{}", contender.name);
            let log = play(contender, Setting { trouble: OUTAGE, ..SETTING });
            assert!(log.failed_after.iter().all(Option::is_some), "{}", contender.name);
            assert!(log.in_outage.iter().all(|exchanges| *exchanges > 0), "{}", contender.name);
            assert!(log.fresh_after.is_some_and(|ms| ms <= 5 * MINUTE), "{}", contender.name);
        }
    }

    #[test]
    fn an_instance_does_the_same_alone_and_in_a_fleet() {
        for contender in &ALL {
            let setting = Setting { trouble: OUTAGE, ..SETTING };
            let (all, some) = (play(contender, setting), play_some(contender, setting, &[3, 17]));
            assert_eq!(some.in_outage, [all.in_outage[3], all.in_outage[17]], "{}", contender.name);
            assert_eq!(some.failed_after, [all.failed_after[3], all.failed_after[17]], "{}", contender.name);
        }
    }

    #[test]
    fn the_worst_moment_is_the_first_exchange_that_comes() {
        let trouble = Trouble::OutageAtTheWorstMoment { after: 2 * HOUR, lasts: 2 * HOUR };
        for contender in &ALL {
            let log = play(contender, Setting { trouble, ..SETTING });
            let first = log.failed_after.iter().flatten().min().unwrap();
            assert!(*first <= HOUR - contender.cycle + 6 * MINUTE, "{}: {first}", contender.name);
        }
    }

    #[test]
    fn a_revocation_makes_everybody_ask_at_once() {
        let trouble = Trouble::Revocation { at: 3 * HOUR };
        let log = play(&ALL[0], Setting { trouble, ..SETTING });
        let asked: u64 = log.seconds[3 * 3_600..3 * 3_600 + 60].iter().sum();
        assert!(asked >= 20, "{asked}");
        assert_eq!(log.failed_calls, 0);
    }
}
