//! What this life knows of the accounts that it made, and when which of them is done with.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::Minting;
use super::accounts::{Listing, Marked};
use super::name;
use crate::carry::{Reader, Writer};
use crate::entropy::Entropy;
use crate::io::Now;

/// So long after a key was made the first look for what is to be deleted is taken: whoever waits for the key has it by then.
const AFTER_MINTING_MS: u64 = 1_000;

/// Pauses between looks that fail: from a minute to an hour, whoever asks for more.
const FIRST_PAUSE_MS: u64 = 60_000;
const LONGEST_PAUSE_MS: u64 = 3_600_000;

/// Whoever uses a key stops by its lapse; a minute more, for clocks that are not quite right.
const LAPSE_MARGIN_MS: u64 = 60_000;

/// More names without an answer are not kept: those accounts lapse.
const MOST_LOST: usize = 64;

/// What is to be known about the accounts that a connection made.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Who this is, in the names of its accounts.
    holder: Option<String>,
    /// Whose key is in use.
    current: Option<String>,
    /// Whose keys were in use and may still be with somebody, and since when they are not the current one.
    before: Vec<Superseded>,
    /// Of no use to anybody: their keys never arrived.
    useless: Vec<String>,
    /// Names that were asked for. Nobody knows whether there are such accounts; and if there are, nobody has their keys.
    lost: Vec<String>,
    /// The last list showed something to be deleted.
    seen: bool,
    /// The monotonic moment before which no look is taken.
    not_before: u64,
    failures: u32,
}

struct Superseded {
    id: String,
    since: Now,
}

impl Superseded {
    /// By the clock that says less: nobody's key is deleted early because a clock was set. What that makes late, its name
    /// makes good.
    fn left_ms(&self, now: Now, grace_ms: u64) -> u64 {
        let wall = now.wall_ms.saturating_sub(self.since.wall_ms);
        let monotonic = now.monotonic_ms.saturating_sub(self.since.monotonic_ms);
        grace_ms.saturating_sub(wall.min(monotonic))
    }
}

/// What is to become of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its key is in use here.
    Current,
    /// Its key may be in use somewhere.
    InGrace,
    /// Nobody uses it: it has lapsed, its grace is over, or its key never arrived.
    Done,
}

impl Ledger {
    /// Who this is, in the names of its accounts: who the document says, else this life.
    pub(super) fn holder(&mut self, minting: &Minting, entropy: &mut Entropy) -> String {
        if let Some(holder) = &self.holder {
            return holder.clone();
        }
        let holder = match &minting.instance {
            Some(instance) => name::holder_of(&["instance", minting.prefix(), &instance.value]),
            None => name::holder_of(&["life", &format!("{}", entropy.up_to(u64::MAX))]),
        };
        self.holder = Some(holder.clone());
        holder
    }

    /// An account by that name is about to be asked for.
    pub(super) fn asks_for(&mut self, name: &str) {
        if self.lost.len() == MOST_LOST {
            self.lost.remove(0);
        }
        self.lost.push(name.to_owned());
    }

    /// The one before asked for these, and gave up its attempt for another's: nobody else looks for them.
    pub(crate) fn remember(&mut self, before: &Self) {
        for name in &before.lost {
            if !self.is_lost(name) {
                self.asks_for(name);
            }
        }
    }

    /// It is known what became of it.
    pub(super) fn settled(&mut self, name: &str) {
        self.lost.retain(|lost| lost != name);
    }

    /// It is there, and its key is not.
    pub(super) fn is_useless(&mut self, id: String) {
        self.useless.push(id);
        self.seen = true;
    }

    /// Ids of accounts whose keys never arrived.
    pub(super) fn useless(&self) -> &[String] {
        &self.useless
    }

    /// A name that was asked for without an answer.
    pub(super) fn is_lost(&self, name: &str) -> bool {
        self.lost.iter().any(|lost| lost == name)
    }

    /// The key of that account is in use from now on. `listing`: what there was before.
    pub(super) fn succeed(&mut self, minting: &Minting, now: Now, id: String, listing: &Listing) {
        // The first key of a life follows those of the lives before, where those are known to be over.
        if self.current.is_none() && minting.instance.is_some() {
            for marked in &listing.marked {
                if Some(marked.name.holder()) == self.holder.as_deref() && !self.knows(&marked.id) {
                    self.before.push(Superseded { id: marked.id.clone(), since: now });
                }
            }
        }
        if let Some(before) = self.current.replace(id) {
            self.before.push(Superseded { id: before, since: now });
        }
        self.failures = 0;
        self.not_before = now.monotonic_ms.saturating_add(AFTER_MINTING_MS);
        let done = |marked: &Marked| self.fate(marked, now, listing.their_now_ms, minting) == Fate::Done;
        self.seen = !self.useless.is_empty() || listing.marked.iter().any(done);
    }

    /// What is to become of an account with our mark. `their_now_ms`: what the Admin API says the time is; without it nothing
    /// has lapsed.
    pub(super) fn fate(
        &self,
        marked: &Marked,
        now: Now,
        their_now_ms: Option<u64>,
        minting: &Minting,
    ) -> Fate {
        if self.current.as_ref() == Some(&marked.id) {
            return Fate::Current;
        }
        let lapsed = their_now_ms.is_some_and(|now| {
            now >= marked.name.lapse_ms().saturating_add(LAPSE_MARGIN_MS)
                && marked.created_at_ms <= marked.name.lapse_ms()
        });
        let over =
            |before: &Superseded| before.id == marked.id && before.left_ms(now, minting.grace_ms.value) == 0;
        if lapsed
            || self.is_lost(marked.name.as_str())
            || self.useless.contains(&marked.id)
            || self.before.iter().any(over)
        {
            Fate::Done
        } else {
            Fate::InGrace
        }
    }

    /// Accounts that are done with, whether or not a list shows them.
    pub(super) fn done_by_id(&self, now: Now, minting: &Minting) -> Vec<String> {
        let mut done = Vec::new();
        for before in &self.before {
            if before.left_ms(now, minting.grace_ms.value) == 0 {
                done.push(before.id.clone());
            }
        }
        done.extend_from_slice(&self.useless);
        done
    }

    /// All that this life made, by id.
    pub(super) fn all(&self) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(self.current.clone());
        for before in &self.before {
            all.push(before.id.clone());
        }
        all.extend_from_slice(&self.useless);
        all
    }

    /// Whether there may be accounts of this connection's beside [`Self::all`].
    pub(super) fn may_have_more(&self, minting: &Minting) -> bool {
        !self.lost.is_empty() || minting.instance.is_some()
    }

    /// Whether that may be one of them. Who has no name of its own is told by its accounts' names alone: what tells holders
    /// apart is short, and another process that happens to look the same is alive.
    pub(super) fn may_have_left(&self, marked: &Marked, minting: &Minting) -> bool {
        let of_ours = || minting.instance.is_some() && Some(marked.name.holder()) == self.holder.as_deref();
        self.is_lost(marked.name.as_str()) || of_ours()
    }

    /// Whether anything was ever asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().is_empty() && self.lost.is_empty()
    }

    /// It has been deleted.
    pub(super) fn deleted(&mut self, id: &str) {
        self.before.retain(|before| before.id != id);
        self.useless.retain(|useless| useless != id);
        if self.current.as_deref() == Some(id) {
            self.current = None;
        }
    }

    /// A look was taken, and all was deleted that was to be.
    pub(crate) fn tidied(&mut self) {
        self.failures = 0;
        self.seen = !self.useless.is_empty();
    }

    /// Something could not be deleted.
    pub(crate) fn put_off(&mut self, now: Now, retry_after_ms: Option<u64>) {
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        let asked = retry_after_ms.unwrap_or(0).min(LONGEST_PAUSE_MS);
        self.not_before = now.monotonic_ms.saturating_add(asked.max(pause));
        self.seen = true;
    }

    /// The monotonic moment of the next look. None: nothing is to be deleted.
    pub(crate) fn next_look(&self, now: Now, minting: &Minting) -> Option<u64> {
        let graces = self.before.iter().map(|before| before.left_ms(now, minting.grace_ms.value));
        let wanted = if self.seen { Some(0) } else { graces.min() };
        wanted.map(|left| now.monotonic_ms.saturating_add(left).max(self.not_before))
    }

    fn knows(&self, id: &str) -> bool {
        self.current.as_deref() == Some(id)
            || self.before.iter().any(|before| before.id == id)
            || self.useless.iter().any(|useless| useless == id)
    }

    /// For another machine that goes on from here.
    pub(crate) fn carry(&self, out: &mut Writer) {
        out.option(self.holder.as_deref(), Writer::text);
        out.option(self.current.as_deref(), Writer::text);
        out.number(self.before.len() as u64);
        for before in &self.before {
            out.text(&before.id);
            out.moment(before.since);
        }
        for texts in [&self.useless, &self.lost] {
            out.number(texts.len() as u64);
            texts.iter().for_each(|text| out.text(text));
        }
        out.flag(self.seen);
        out.number(self.not_before);
        out.number(u64::from(self.failures));
    }

    pub(crate) fn carried(carried: &mut Reader<'_>) -> Option<Self> {
        let holder = carried.option(Reader::text)?;
        let current = carried.option(Reader::text)?;
        let mut before = Vec::new();
        for _ in 0..carried.number()? {
            before.push(Superseded { id: carried.text()?, since: carried.moment()? });
        }
        let (mut useless, mut lost) = (Vec::new(), Vec::new());
        for texts in [&mut useless, &mut lost] {
            for _ in 0..carried.number()? {
                texts.push(carried.text()?);
            }
        }
        let (seen, not_before) = (carried.flag()?, carried.number()?);
        let failures = u32::try_from(carried.number()?).ok()?;
        Some(Self { holder, current, before, useless, lost, seen, not_before, failures })
    }
}
