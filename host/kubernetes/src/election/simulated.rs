//! The policy on simulated time: an API server that is slow, loses answers and carries out what nobody waits for any more;
//! candidates that stand still, die and come back. Every run has its seed.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::policy::{Policy, Step};
use super::record::{Record, Seen};
use super::{Identity, Timing};

const SEEDS: u64 = 3_000;
/// How long trouble lasts in a run, in leases; then all is well.
const TROUBLE: u32 = 20;
const CANDIDATES: usize = 3;

#[test]
fn there_is_never_more_than_one_leader_and_in_the_end_there_is_one() {
    let mut changes = 0;
    for seed in 0..SEEDS {
        let timing = Timing::of_lease(if seed % 2 == 0 { 15 } else { 4 });
        let mut world = World::new(seed, timing);
        let trouble = timing.lease * TROUBLE;
        while world.now < trouble {
            world.turn(true);
        }
        // All may stand still for three leases; then a lease of one that has died is waited for.
        let well = world.now + timing.lease * 5;
        while world.now < well {
            world.turn(false);
        }
        assert!(world.leader().is_some(), "seed {seed}: nobody leads");
        changes += world.server.record.transitions;
    }
    assert!(
        changes > u32::try_from(SEEDS).unwrap(),
        "leaders changed {changes} times only: the trouble is none"
    );
}

#[test]
fn who_dies_is_followed_within_the_lease_and_two_looks() {
    for seed in 0..200 {
        let timing = Timing::of_lease(15);
        let mut world = World::new(seed, timing);
        while world.leader().is_none() || world.now < timing.lease {
            world.turn(false);
        }
        let leader = world.leader().unwrap();
        world.candidates.remove(leader);
        let died = world.now;
        while world.leader().is_none() {
            world.turn(false);
            let passed = world.now - died;
            assert!(passed < timing.lease + 2 * timing.pause() + SLOW * 4, "seed {seed}: {passed:?}");
        }
    }
}

#[test]
fn what_is_given_back_is_taken_at_the_next_look() {
    let timing = Timing::of_lease(15);
    let mut world = World::new(7, timing);
    while world.leader().is_none() || world.now < timing.lease {
        world.turn(false);
    }
    let leader = world.leader().unwrap();
    let (record, version) = world.candidates[leader].policy.release(world.now, wall(world.now)).unwrap();
    assert!(world.server.replace(record, &version).is_some());
    world.candidates.remove(leader);
    let given = world.now;
    while world.leader().is_none() {
        world.turn(false);
    }
    // The one that waits may have looked just before, and nobody's lease lasts a second.
    assert!(world.now - given < 2 * timing.pause() + Duration::from_secs(1), "{:?}", world.now - given);
}

/// What the usual answer takes at most.
const SLOW: Duration = Duration::from_millis(50);

struct World {
    now: Duration,
    timing: Timing,
    random: Random,
    server: Server,
    candidates: Vec<Candidate>,
    born: u32,
    /// Updates on their way, and when the server gets to them.
    late: Vec<(Duration, Record, String)>,
}

struct Candidate {
    policy: Policy,
    /// When it goes on.
    wakes: Duration,
    asked: Option<Asked>,
}

/// A request that is waited for: what it will bring at the moment in `wakes`.
enum Asked {
    Look(Option<Seen>),
    Write { sent: Duration, answer: Answer },
}

enum Answer {
    Taken(Seen),
    Refused,
    /// None within patience.
    Unknown,
}

impl World {
    fn new(seed: u64, timing: Timing) -> Self {
        let server = Server { version: 1, record: Record::default() };
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut world = Self {
            now: Duration::ZERO,
            timing,
            random,
            server,
            candidates: Vec::new(),
            born: 0,
            late: Vec::new(),
        };
        (0..CANDIDATES).for_each(|_| world.birth());
        world
    }

    fn birth(&mut self) {
        self.born += 1;
        let policy = Policy::new(Identity(format!("pod-{}", self.born)), self.timing);
        let wakes = self.now + self.random.up_to(self.timing.pause());
        self.candidates.push(Candidate { policy, wakes, asked: None });
    }

    /// The next thing that happens, to whomever it happens.
    fn turn(&mut self, trouble: bool) {
        let next = (0..self.candidates.len()).min_by_key(|index| self.candidates[*index].wakes).unwrap();
        self.now = self.candidates[next].wakes;
        let (due, later) = std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= self.now);
        self.late = later;
        let due: Vec<(Duration, Record, String)> = due;
        for (_, record, version) in due {
            self.server.replace(record, &version);
        }
        if trouble && self.random.one_in(60) {
            self.candidates.remove(next);
            self.birth();
        } else {
            self.go_on(next, trouble);
        }
        let leaders = self.candidates.iter().filter(|candidate| candidate.policy.lead(self.now).is_some());
        assert!(leaders.count() <= 1, "two lead at {:?}", self.now);
    }

    fn leader(&self) -> Option<usize> {
        self.candidates.iter().position(|candidate| candidate.policy.lead(self.now).is_some())
    }

    fn go_on(&mut self, index: usize, trouble: bool) {
        let Self { now, timing, random, server, candidates, late, .. } = self;
        let Candidate { policy, wakes, asked } = &mut candidates[index];
        let mut rests = false;
        match asked.take() {
            Some(Asked::Look(Some(seen))) => policy.looked(*now, seen),
            Some(Asked::Look(None)) => policy.not_written(),
            Some(Asked::Write { sent, answer }) => match answer {
                Answer::Taken(seen) => {
                    policy.written(sent, *now, seen);
                    rests = policy.lead(*now).is_some();
                }
                Answer::Refused | Answer::Unknown => policy.not_written(),
            },
            None => {}
        }
        let patience = timing.patience();
        let delay = if trouble && random.one_in(4) { random.up_to(timing.lease) } else { random.up_to(SLOW) };
        let answered = *now + delay.min(patience);
        match policy.step(*now, wall(*now)) {
            _ if rests => *wakes = *now + timing.pause(),
            Step::Wait(pause) => {
                policy.not_written();
                *wakes = *now + pause + random.up_to(pause / 5);
            }
            Step::Look => {
                let seen = server.seen();
                *asked = Some(Asked::Look((delay <= patience).then_some(seen)));
                *wakes = answered;
            }
            Step::Write(record, version) => {
                let answer = if delay > patience {
                    // It may arrive, whenever that is.
                    late.push((*now + delay * 3, record, version));
                    Answer::Unknown
                } else {
                    match server.replace(record, &version) {
                        // The answer is lost.
                        _ if trouble && random.one_in(10) => Answer::Unknown,
                        Some(seen) => Answer::Taken(seen),
                        None => Answer::Refused,
                    }
                };
                *asked = Some(Asked::Write { sent: *now, answer });
                *wakes = answered;
            }
        }
        if trouble && random.one_in(40) {
            // It sleeps, with whatever it is waiting for.
            *wakes += random.up_to(timing.lease * 3);
        }
    }
}

/// An API server with one Lease.
struct Server {
    version: u64,
    record: Record,
}

impl Server {
    fn seen(&self) -> Seen {
        Seen { uid: "1".into(), version: self.version.to_string(), record: self.record.clone() }
    }

    fn replace(&mut self, record: Record, version: &str) -> Option<Seen> {
        if version != self.version.to_string() {
            return None;
        }
        self.version += 1;
        self.record = record;
        Some(self.seen())
    }
}

/// Nobody may go by it: it runs in jumps, and backwards.
fn wall(now: Duration) -> Timestamp {
    let micros = i64::try_from(now.as_micros()).unwrap();
    Timestamp::from_microsecond(1_000_000_000 - micros % 7_000_003).unwrap()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.next().is_multiple_of(count)
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.next() % u64::try_from(longest.as_micros()).unwrap().max(1))
    }
}
