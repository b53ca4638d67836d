//! Many worlds, one per seed, on all processors.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::life::Broken;
use crate::minting::play::play;
use crate::minting::requests::Asked;
use crate::minting::troubles::{Interruption, Sabotage};

/// So many worlds are played before it is seen whether that is enough, so that a number of rotations is always the same worlds.
const AT_ONCE: u64 = 64;

/// So much of a story is told.
const LINES: usize = 120;

/// In the order in which they come.
pub const INTERRUPTIONS: [(Interruption, &str); 7] = [
    (Interruption::BeforeItLeaves, "before it leaves"),
    (Interruption::OnItsWay, "on its way"),
    (Interruption::AfterTheDeed, "after the deed"),
    (Interruption::AfterTheAnswer, "after the answer"),
    (Interruption::Closed, "closed meanwhile"),
    (Interruption::Asleep, "asleep meanwhile"),
    (Interruption::TakenOver, "taken over"),
];

/// What worlds were like.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub worlds: u64,
    pub lives: u64,
    /// Keys that arrived.
    pub rotations: u64,
    pub created: u64,
    pub deleted: u64,
    pub surveys: u64,
    pub looks: u64,
    /// Looks at lists that did not show everything yet.
    pub looks_behind: u64,
    /// Which requests what came between.
    pub interrupted: BTreeMap<(&'static str, Interruption), u64>,
    pub closed: u64,
    pub closed_badly: u64,
    /// Accounts that a process which ended well could not know of.
    pub unseen_at_the_end: u64,
    /// Keys handed out by machines whose clocks were both behind, after they lapsed.
    pub both_clocks_lied: u64,
    /// Accounts of one life that were not superseded, at most.
    pub most_at_once: u64,
    pub outages: u64,
    pub sleeps: u64,
    pub clocks_set: u64,
    pub by_hand: u64,
    pub rejections: u64,
    pub calls: u64,
    pub served: u64,
}

impl Tally {
    pub fn cut(&mut self, asked: &Asked, cut: Interruption) {
        let what = match asked {
            Asked::List { after: None } => "list",
            Asked::List { .. } => "next page",
            Asked::Create { .. } => "create",
            Asked::Delete { .. } => "delete",
        };
        *self.interrupted.entry((what, cut)).or_default() += 1;
    }

    /// These worlds and those.
    pub fn add(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.lives += other.lives;
        self.rotations += other.rotations;
        self.created += other.created;
        self.deleted += other.deleted;
        self.surveys += other.surveys;
        self.looks += other.looks;
        self.looks_behind += other.looks_behind;
        for (what, count) in other.interrupted {
            *self.interrupted.entry(what).or_default() += count;
        }
        self.closed += other.closed;
        self.closed_badly += other.closed_badly;
        self.unseen_at_the_end += other.unseen_at_the_end;
        self.both_clocks_lied += other.both_clocks_lied;
        self.most_at_once = self.most_at_once.max(other.most_at_once);
        self.outages += other.outages;
        self.sleeps += other.sleeps;
        self.clocks_set += other.clocks_set;
        self.by_hand += other.by_hand;
        self.rejections += other.rejections;
        self.calls += other.calls;
        self.served += other.served;
    }
}

/// Worlds from the seed `first` on, until so many keys arrived.
///
/// # Errors
/// The first promise that is broken, with the seed and the end of the story that led there.
pub fn rotate(first: u64, rotations: u64, sabotage: Sabotage) -> Result<Tally, Broken> {
    let (mut total, mut from) = (Tally::default(), first);
    while total.rotations < rotations {
        for (seed, result) in some(from, sabotage) {
            total.add(result.map_err(|_| explain(seed, sabotage))?);
        }
        from += AT_ONCE;
    }
    Ok(total)
}

/// One world.
///
/// # Errors
/// As [`rotate`].
pub fn world(seed: u64) -> Result<Tally, Broken> {
    play(seed, Sabotage::None, false).1.map_err(|_| explain(seed, Sabotage::None))
}

fn some(first: u64, sabotage: Sabotage) -> BTreeMap<u64, Result<Tally, Broken>> {
    let (next, results) = (AtomicU64::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= AT_ONCE {
                        break;
                    }
                    let (_, result) = play(first + number, sabotage, false);
                    results.lock().unwrap().insert(first + number, result);
                }
            });
        }
    });
    results.into_inner().unwrap()
}

fn explain(seed: u64, sabotage: Sabotage) -> Broken {
    let (story, result) = play(seed, sabotage, true);
    let mut words = story.first().cloned().unwrap_or_default();
    for line in story.iter().skip(1.max(story.len().saturating_sub(LINES))) {
        words.push('\n');
        words.push_str(line);
    }
    let broken = result.err().unwrap_or_default();
    format!(
        "{words}\n{broken}\nsee it again: cargo run --release -p keyless-simulation -- rotations --seed {seed}"
    )
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("worlds", self.worlds),
            ("processes that began", self.lives),
            ("rotations: keys that arrived", self.rotations),
            ("accounts created", self.created),
            ("accounts deleted by those who made them, or after their lapse", self.deleted),
            ("looks after which nothing was left without a reason", self.looks),
            ("of these, at lists that did not show everything yet", self.looks_behind),
            ("surveys that delete what is done with", self.surveys),
            ("calls", self.calls),
            ("of these, with a key", self.served),
            ("keys refused", self.rejections),
            ("accounts deleted by hand while in use", self.by_hand),
            ("outages of the Admin API", self.outages),
            ("machines that slept", self.sleeps),
            ("clocks that were set", self.clocks_set),
            ("processes that ended well", self.closed),
            ("processes that said at their end what is left", self.closed_badly),
            ("accounts left by those that ended well, which no list showed yet", self.unseen_at_the_end),
            ("accounts of one life beside those superseded, at most", self.most_at_once),
            ("keys deleted while a machine with two wrong clocks held on to them", self.both_clocks_lied),
        ];
        for (what, count) in rows {
            writeln!(f, "{count:>9}  {what}")?;
        }
        writeln!(f, "\n{:<18}{:>8}{:>11}{:>8}{:>8}", "interrupted", "list", "next page", "create", "delete")?;
        for (cut, words) in INTERRUPTIONS {
            let count = |what| self.interrupted.get(&(what, cut)).copied().unwrap_or(0);
            let (list, page) = (count("list"), count("next page"));
            writeln!(f, "{words:<18}{list:>8}{page:>11}{:>8}{:>8}", count("create"), count("delete"))?;
        }
        Ok(())
    }
}
