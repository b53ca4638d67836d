//! Plays scenarios on hosts.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

use keyless_engine::document::STRICT;

use crate::check::Check;
use crate::hosts::{Host, Maker};
use crate::scenario::Scenario;
use crate::scenario::expect::{CredentialExpect, Step};
use crate::trace::{Outcome, Trace};
use crate::world::disk::Change;
use crate::world::{World, ms};
use crate::{canary, trace};

/// What became of a play.
pub struct Played {
    pub trace: Trace,
    /// What did not hold, for people.
    pub failures: Vec<String>,
}

/// Many scenarios, each on all of these hosts that can play it, on all processors. In the order of the scenarios.
pub fn all(hosts: &[Maker], scenarios: &[Scenario]) -> Vec<Played> {
    let next = AtomicUsize::new(0);
    let mut played: Vec<(usize, Played)> = thread::scope(|scope| {
        let work = || {
            let mut played = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(scenario) = scenarios.get(index) else { return played };
                played.push((index, one(hosts, scenario)));
            }
        };
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    played.sort_by_key(|(index, _)| *index);
    played.into_iter().map(|(_, played)| played).collect()
}

/// Traces of all hosts must be equal. The trace of the first, and all failures.
fn one(hosts: &[Maker], scenario: &Scenario) -> Played {
    let mut first: Option<Trace> = None;
    let mut failures = Vec::new();
    for Maker { name, make, .. } in hosts.iter().filter(|host| (host.plays)(scenario)) {
        // A host that breaks down fails its scenario, not all that come after it.
        let played = catch_unwind(AssertUnwindSafe(|| {
            let world = World::new(scenario)?;
            on(make(world.clone()), &world, scenario)
        }));
        let played = played.unwrap_or_else(|panic| Err(anyhow!("it broke down: {}", message(&*panic))));
        let played = played.unwrap_or_else(broken);
        let label = |failure: &String| format!("{} on {name}: {failure}", scenario.name);
        failures.extend(played.failures.iter().map(label));
        match &first {
            Some(trace) => failures.extend(differences(trace, &played.trace).iter().map(label)),
            None => first = Some(played.trace),
        }
    }
    Played { trace: first.unwrap_or_default(), failures }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn broken(error: anyhow::Error) -> Played {
    Played { trace: Trace::default(), failures: vec![format!("{error:#}")] }
}

/// The scenario on that host, whose world it is.
pub fn on(mut host: Box<dyn Host>, world: &World, scenario: &Scenario) -> Result<Played> {
    let mut play = Play {
        check: Check::new(world.start),
        trace: Trace::default(),
        host: host.as_mut(),
        world,
        scenario,
    };
    if play.open() {
        for (index, step) in scenario.expect.steps.iter().enumerate() {
            play.step(&format!("step {}", index + 1), step)?;
        }
        world.script().end();
        play.check.failures.extend(play.host.close());
    }
    let Play { mut check, mut trace, .. } = play;
    trace.requests = world.script().seen();
    check.failures.extend(world.script().finish());
    check.failures.extend(world.source().map(|mut source| source.finish()).unwrap_or_default());
    check.failures.extend(canary::escapes(&trace, &scenario.tokens.secrets()));
    Ok(Played { trace, failures: check.failures })
}

struct Play<'a> {
    host: &'a mut dyn Host,
    world: &'a World,
    scenario: &'a Scenario,
    check: Check,
    trace: Trace,
}

impl Play<'_> {
    /// Everything before the first step. True when there is a connection.
    fn open(&mut self) -> bool {
        let Scenario { document, environment, expect, .. } = self.scenario;
        let names = self.host.variables(document);
        // The document gets what it asks for and nothing else, beside the one variable that is the host's to set.
        let asked = names.as_deref().unwrap_or_default();
        let given: Vec<_> = asked
            .iter()
            .map(String::as_str)
            .chain([STRICT])
            .filter_map(|name| environment.get(name).map(|value| (name.to_owned(), value.clone())))
            .collect();
        let plan = self.host.plan(document, &given);
        self.world.script().plan(plan.iter().flat_map(|plan| plan.endpoints.clone()).collect());
        let files: Vec<_> = plan.iter().flat_map(|plan| plan.files.clone()).collect();
        let granted: Vec<_> =
            files.into_iter().filter(|file| !expect.withheld_files.contains(file)).collect();
        let open = self.host.open(document, &given, &granted);
        if !self.is_generated() {
            self.check.opened(&names, &plan, &open, expect);
        }
        let opened = open.is_ok();
        (self.trace.variables, self.trace.plan, self.trace.open) = (Some(names), Some(plan), Some(open));
        opened
    }

    fn step(&mut self, label: &str, step: &Step) -> Result<()> {
        let began = self.host.now().monotonic_ms;
        match step {
            Step::Advance(seconds) => self.host.pass(ms(*seconds)),
            Step::Suspend(seconds) => self.host.shift_wall(i64::try_from(ms(*seconds))?),
            Step::ShiftWall(seconds) => {
                let size = i64::try_from(ms(seconds.abs()))?;
                self.host.shift_wall(if *seconds < 0.0 { -size } else { size });
            }
            Step::Later(later) => {
                let change = self.change(&later.step)?;
                self.host.later(ms(later.after), change);
            }
            Step::Credential(expect) => {
                let result = self.host.credential();
                self.record(label, began, Outcome::Credential(result));
                self.check_credential(expect);
            }
            Step::Renew(expect) => {
                let result = self.host.renew();
                self.record(label, began, Outcome::Credential(result));
                self.check_credential(expect);
            }
            // Of a credential that nobody was given, no API can say anything.
            Step::Reject(generation) if self.is_generated() && !self.trace.has_given(*generation) => {}
            Step::Reject(generation) => {
                self.host.reject(*generation);
                self.record(label, began, Outcome::Rejected);
            }
            Step::Status(expect) => {
                let status = self.host.status();
                self.record(label, began, Outcome::Status(status));
                if !self.is_generated() {
                    self.check.status(self.trace.last(), expect);
                }
            }
            Step::Poll(poll) => {
                for round in 1..=poll.times {
                    let label = format!("{label}, round {round}");
                    self.step(&label, &Step::Advance(poll.every))?;
                    self.step(&label, &Step::Credential(poll.credential.clone()))?;
                }
            }
            Step::Write(_) | Step::Volume(_) | Step::Remove(_) | Step::Directory(_) => {
                self.world.disk.apply(&self.change(step)?)?;
            }
        }
        Ok(())
    }

    fn check_credential(&mut self, expect: &CredentialExpect) {
        if !self.is_generated() {
            self.check.credential(self.trace.last(), expect);
        }
    }

    /// Nobody knows what is to be expected.
    fn is_generated(&self) -> bool {
        self.scenario.weather.is_some()
    }

    fn record(&mut self, label: &str, began: u64, outcome: Outcome) {
        let now = self.host.now();
        self.trace.steps.push(trace::Step {
            label: label.to_owned(),
            now,
            took_ms: now.monotonic_ms - began,
            exchanges: self.world.script().arrived(),
            outcome,
        });
    }

    fn change(&self, step: &Step) -> Result<Change> {
        let tokens = &self.scenario.tokens;
        Ok(match step {
            Step::Write(write) => Change::Write {
                path: write.path.clone(),
                content: tokens.fill(&write.text.text())?.into_bytes(),
            },
            Step::Volume(volume) => {
                let filled = |(name, text): (&String, &String)| Ok((name.clone(), tokens.fill(text)?));
                Change::Volume {
                    path: volume.path.clone(),
                    files: volume.files.iter().map(filled).collect::<Result<_>>()?,
                }
            }
            Step::Remove(path) => Change::Remove { path: path.clone() },
            Step::Directory(path) => Change::Directory { path: path.clone() },
            _ => anyhow::bail!("only a change of files can happen later"),
        })
    }
}

/// What the two did differently, told without what credentials hold.
fn differences(first: &Trace, other: &Trace) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, equal: bool, detail: String| {
        if !equal {
            found.push(format!("{what} differs from the first host's: {detail}"));
        }
    };
    compare(
        "`variables`",
        first.variables == other.variables,
        format!("{:?}\n{:?}", other.variables, first.variables),
    );
    compare("`plan`", first.plan == other.plan, format!("{:?}\n{:?}", other.plan, first.plan));
    compare("`open`", first.open == other.open, format!("{:?}\n{:?}", other.open, first.open));
    compare("the number of steps", first.steps.len() == other.steps.len(), other.steps.len().to_string());
    let requests = first.requests.iter().zip(&other.requests).position(|(first, other)| first != other);
    let count = (first.requests.len(), other.requests.len());
    compare(
        "what was sent",
        first.requests == other.requests,
        format!("first at {requests:?}, of {count:?}"),
    );
    // What follows from the first difference says nothing new.
    if let Some((first, other)) = first.steps.iter().zip(&other.steps).find(|(first, other)| first != other) {
        compare(&first.label, false, format!("{other:?}\n{first:?}"));
    }
    found
}
