//! What minting promises, checked from the outside: by the truth about the accounts, and by what processes hand out.
//! Nothing here knows how the ledger does it.

use std::collections::BTreeMap;

use keyless_engine::io::Now;

use crate::life::Broken;
use crate::minting::admin::{Admin, Page};
use crate::minting::process::Life;
use crate::minting::requests::Asked;
use crate::minting::rotations::Tally;
use crate::minting::setup::Group;
use crate::plot::{MINUTE, Moment, SECOND};

/// A look at what is to be deleted may wait so long for an attempt that goes first.
const PATIENCE: u64 = 2 * MINUTE;

/// By so much both clocks of a machine may be behind at the end of a key's use. Who slept while the clock was set back may
/// hand out a key that everybody else believes to be done with; nothing on that machine could tell it.
const CLOCKS_AGREE: u64 = 40 * SECOND;

/// What a process shows of itself.
pub struct Outside {
    /// The key that it hands out.
    pub key: Option<String>,
    pub renewals: u64,
    pub failures: u64,
    pub busy: bool,
}

/// All that was seen so far.
#[derive(Default)]
pub struct Book {
    pub lives: Vec<Life>,
    pub tally: Tally,
    /// When whose key was handed out last.
    handed: BTreeMap<usize, Moment>,
    /// Accounts whose making may still be heard of.
    pub open: Vec<usize>,
}

impl Book {
    /// A process is about to ask.
    pub fn asks(
        &mut self,
        now: Now,
        life: usize,
        asked: &Asked,
        admin: &Admin,
        group: &Group,
    ) -> Result<(), Broken> {
        let one = &mut self.lives[life];
        let run = one.run.get_or_insert_default();
        match asked {
            Asked::List { after: None } => one.list = Default::default(),
            Asked::List { after } => {
                if one.list.doubtful {
                    return Err(format!("{asked:?} on the word of a doubtful list"));
                }
                if one.list.whole || *after != one.list.last {
                    return Err("a page is asked for that does not follow the one before".to_owned());
                }
            }
            Asked::Delete { .. } if one.closing => {}
            Asked::Delete { .. } | Asked::Create { .. } => {
                run.creates |= matches!(asked, Asked::Create { .. });
                if !one.list.whole || one.list.doubtful {
                    return Err(format!("{asked:?} on the word of a doubtful list"));
                }
            }
        }
        if matches!(asked, Asked::Create { .. }) {
            self.creates(now, life, admin, group)?;
        }
        Ok(())
    }

    /// Before there is another account it is known how many there are.
    fn creates(&mut self, now: Now, life: usize, admin: &Admin, group: &Group) -> Result<(), Broken> {
        let one = &self.lives[life];
        if one.closing {
            return Err("an account is created at the end".to_owned());
        }
        let alike = |at: &&usize| {
            admin.accounts[**at].maker.is_some_and(|maker| self.lives[maker].group == one.group)
        };
        let alike = one.list.seen.iter().filter(alike).count();
        if alike as u64 >= group.most {
            return Err(format!(
                "{alike} accounts are there, the limit is {}, and another is made",
                group.most
            ));
        }
        let beside = one.list.seen.iter().filter(|at| {
            let account = &admin.accounts[**at];
            let excused = one.superseded(**at).is_some_and(|since| {
                let overdue = since.elapsed(now).saturating_sub(group.grace);
                overdue < PATIENCE || one.failed_at.is_some_and(|failed| failed >= since.time)
            });
            account.maker == Some(life) && account.alive() && one.current != Some(**at) && !excused
        });
        let beside: Vec<_> = beside.map(|at| &admin.accounts[*at].id).collect();
        if !beside.is_empty() {
            return Err(format!("a third account is made beside the current one and {beside:?}"));
        }
        let in_use = |at: usize| admin.accounts[at].maker == Some(life) && admin.accounts[at].alive();
        let all = (0..admin.accounts.len()).filter(|at| in_use(*at) && one.superseded(*at).is_none()).count();
        self.tally.most_at_once = self.tally.most_at_once.max(all as u64 + 1);
        Ok(())
    }

    /// A page arrives, or something in its place.
    pub fn hears(&mut self, time: Moment, life: usize, good: bool, page: Option<(Page, u64)>, admin: &Admin) {
        let one = &mut self.lives[life];
        if !good {
            one.failed_at = Some(time);
            if let Some(run) = &mut one.run {
                run.failed = true;
            }
        }
        match page {
            Some((page, server_ms)) if good => {
                one.list.last = page.shown.last().map(|at| admin.accounts[*at].id.clone());
                one.list.seen.extend(page.shown);
                one.list.hides |= page.hides;
                one.list.whole = !page.more;
                one.list.server_ms = server_ms;
            }
            Some(_) => one.list.doubtful = true,
            None => {}
        }
    }

    /// An account is about to be deleted, whoever wanted it.
    pub fn deletes(
        &mut self,
        time: Moment,
        life: usize,
        at: usize,
        admin: &Admin,
        groups: &[Group],
    ) -> Result<(), Broken> {
        let (one, account) = (&self.lives[life], &admin.accounts[at]);
        let Some(maker) = account.maker else {
            return Err(format!("{} is deleted, which is somebody else's: {:?}", account.id, account.name));
        };
        let (id, grace) = (&account.id, groups[one.group].grace);
        let kin = one.instance.is_some()
            && one.instance == self.lives[maker].instance
            && one.group == self.lives[maker].group;
        if one.closing && (maker == life || kin) {
            return Ok(());
        }
        let handing = |other: &Life| {
            other.awaits_calls() && other.handing.is_some_and(|(key, until)| key == at && time < until)
        };
        if let Some(other) = self.lives.iter().position(handing) {
            if self.lives[other].behind > CLOCKS_AGREE {
                self.tally.both_clocks_lied += 1;
                return Ok(());
            }
            return Err(format!("{id} is deleted by life {life}, and life {other} hands out its key"));
        }
        let handed = self.handed.get(&at).copied();
        if account.lapsed(admin.clock(time)) {
            return match handed {
                Some(last) if time < last + groups[self.lives[maker].group].grace => {
                    Err(format!("{id} lapsed before its grace is over"))
                }
                _ => Ok(()),
            };
        }
        if self.open.contains(&at) && self.lives[maker].over.is_none() {
            return Err(format!("{id} is deleted, and its key may still arrive"));
        }
        if maker == life {
            return match handed {
                Some(last) if time < last + grace => {
                    Err(format!("{id} is deleted {} ms before its grace is over", last + grace - time))
                }
                Some(_) if one.superseded(at).is_none() => {
                    Err(format!("{id} is deleted, and is the current one"))
                }
                _ => Ok(()),
            };
        }
        match one.first_mint {
            _ if !kin => Err(format!("{id} is deleted by another than its maker, and has not lapsed")),
            Some(first) if time >= first + grace => Ok(()),
            _ => Err(format!("{id} of an earlier life is deleted before its grace is over")),
        }
    }

    /// A process has done something, and this is what it shows.
    pub fn shows(
        &mut self,
        (time, now): (Moment, Now),
        life: usize,
        outside: &Outside,
        admin: &Admin,
        group: &Group,
    ) -> Result<(), Broken> {
        let &Outside { renewals, failures, busy, .. } = outside;
        let before = (self.lives[life].renewals, self.lives[life].failures);
        (self.lives[life].renewals, self.lives[life].failures) = (renewals, failures);
        if renewals > before.0 {
            self.minted(time, now, life, admin)?;
        }
        self.hands_out(time, now, life, outside.key.as_deref(), admin, group)?;
        let one = &mut self.lives[life];
        if busy {
            return Ok(());
        }
        match one.run.take() {
            Some(run) if !run.failed && !run.creates && !one.closing && one.list.whole => {
                if before == (renewals, failures) {
                    self.tidied(time, now, life, admin, group)
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    fn minted(&mut self, time: Moment, now: Now, life: usize, admin: &Admin) -> Result<(), Broken> {
        self.tally.rotations += 1;
        let Some((account, anchor)) = self.lives[life].arriving.take() else {
            return Err("there is a new key, and nobody gave one".to_owned());
        };
        let kin: Vec<usize> = {
            let one = &self.lives[life];
            let of_it = |at: &usize| {
                let maker = admin.accounts[*at].maker.map(|maker| &self.lives[maker]);
                maker.is_some_and(|maker| maker.group == one.group && maker.instance == one.instance)
            };
            let inherits = one.instance.is_some() && one.current.is_none();
            one.list.seen.iter().copied().filter(|at| inherits && of_it(at)).collect()
        };
        self.lives[life].succeeds(account, anchor, time, now, kin);
        let one = &self.lives[life];
        let lost = one.list.seen.iter().find(|at| {
            let made = &admin.accounts[**at];
            made.maker == Some(life) && made.alive() && !one.knows(**at)
        });
        match lost {
            Some(at) => {
                Err(format!("{} is left after a renewal: nobody has its key", admin.accounts[*at].id))
            }
            None => Ok(()),
        }
    }

    /// What is handed out is what was given last, and it is, as long as it is of use.
    fn hands_out(
        &mut self,
        time: Moment,
        now: Now,
        life: usize,
        shown: Option<&str>,
        admin: &Admin,
        group: &Group,
    ) -> Result<(), Broken> {
        let one = &mut self.lives[life];
        let Some(held) = &one.held else {
            return if shown.is_some() { Err("a key from nowhere".to_owned()) } else { Ok(()) };
        };
        let age = held.anchor.elapsed_by_either(now);
        one.behind = (time - held.anchor.time).saturating_sub(age);
        let margin = (5 * SECOND).min(group.use_ms() / 10);
        if let Some(shown) = shown {
            if shown != admin.accounts[held.account].key {
                return Err(format!("{shown} is handed out, and not the latest key"));
            }
            one.handing = Some((held.account, time + (group.use_ms() - margin).saturating_sub(age)));
            self.handed.insert(held.account, time);
            return Ok(());
        }
        if age < group.use_ms() - margin && !held.rejected && !one.closing {
            return Err(format!("{} is valid, and is not handed out", admin.accounts[held.account].id));
        }
        if let Some((account, until)) = one.handing.take() {
            // It was until the process itself said it ends, or was told that it is refused.
            self.handed.insert(account, time.min(until));
        }
        Ok(())
    }

    /// A look was taken and went well: what is left has a reason.
    fn tidied(
        &mut self,
        time: Moment,
        now: Now,
        life: usize,
        admin: &Admin,
        group: &Group,
    ) -> Result<(), Broken> {
        let one = &self.lives[life];
        self.tally.looks += 1;
        self.tally.looks_behind += u64::from(one.list.hides);
        for at in &one.list.seen {
            let account = &admin.accounts[*at];
            let Some(maker) = account.maker.filter(|_| account.alive()) else { continue };
            if one.current == Some(*at) {
                continue;
            }
            let lapsed = one.list.server_ms > account.lapse_ms() + MINUTE + SECOND;
            let since = one.superseded(*at).or_else(|| one.inherited(*at));
            let over = match since {
                Some(since) => since.elapsed(now) >= group.grace + PATIENCE,
                None => maker == life,
            };
            if lapsed || over {
                return Err(format!(
                    "{} is left after a look at {time} (lapsed: {lapsed}, made by life {maker})",
                    account.id
                ));
            }
        }
        Ok(())
    }

    /// A process ended well, so nothing of it is left. What nobody could know of is counted: an account whose making was not
    /// answered, and that no list showed yet.
    pub fn closed(&mut self, life: usize, admin: &Admin) -> Result<(), Broken> {
        let one = &self.lives[life];
        for (at, account) in admin.accounts.iter().enumerate() {
            if account.maker != Some(life) || !account.alive() {
                continue;
            }
            if one.knows(at) || one.list.seen.contains(&at) {
                return Err(format!("life {life} ended well, and {} is left", account.id));
            }
            self.tally.unseen_at_the_end += 1;
        }
        self.tally.closed += 1;
        Ok(())
    }

    /// At the end of the world only the last process has accounts.
    pub fn last(&self, life: usize, admin: &Admin) -> Result<(), Broken> {
        let left =
            admin.accounts.iter().find(|one| one.alive() && one.maker.is_some_and(|maker| maker != life));
        match left {
            Some(one) => Err(format!("{} is left at the end of the world: {}", one.id, one.name)),
            None => Ok(()),
        }
    }
}
