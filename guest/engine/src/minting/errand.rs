//! What is done beside making keys: deleting accounts that nobody uses, and telling which there are.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::accounts::{Accounts, Listing, Marked};
use super::ledger::Fate;
use super::{Ledger, Minting};
use crate::error::{Code, Error};
use crate::io::{Io, Now};

/// Pauses before each try to delete an account at the end, in milliseconds: there is no later.
const TRIES: [u64; 3] = [0, 500, 2_000];

/// What of the accounts with our mark is to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// None.
    Nothing,
    /// Those that nobody uses any more.
    Done,
    /// Those that nobody uses any more, and those of this prefix that may be in use: whoever uses one has to get another.
    All,
}

/// An account with our mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// OpenAI's name for it.
    pub id: String,
    /// Ours.
    pub name: String,
    /// Unix milliseconds.
    pub created_at_ms: u64,
    /// Unix milliseconds: when surely nobody uses it any more.
    pub lapses_at_ms: u64,
    /// Whether it is in use.
    pub standing: Standing,
    /// Whether its name begins as the document says.
    pub alike: bool,
    /// Whether it was deleted just now.
    pub deleted: bool,
}

/// Whether an account is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Here.
    Current,
    /// Maybe, by somebody.
    InUse,
    /// By nobody.
    Done,
}

/// What an errand brings.
pub(crate) type Outcome = Result<Vec<Account>, Error>;

/// Deletes what is done with.
pub(crate) async fn tidy(minting: &Minting, io: &Io, ledger: &RefCell<Ledger>) -> Outcome {
    let accounts = Accounts::open(minting, io).await?;
    let listing = accounts.list().await?;
    let fate = |marked: &Marked, now: Now| ledger.borrow().fate(marked, now, listing.their_now_ms, minting);
    // What is known by its id goes even if the list does not show it: lists lag behind.
    let mut done = ledger.borrow().done_by_id(io.now(), minting);
    for marked in listing.marked.iter().filter(|marked| fate(marked, io.now()) == Fate::Done) {
        if !done.contains(&marked.id) {
            done.push(marked.id.clone());
        }
    }
    let mut failed = None;
    for id in done {
        match accounts.delete(&id).await {
            Ok(()) => deleted(ledger, &id, &listing),
            // The others may go all the same; but whoever asks for fewer requests is not asked on.
            Err(error) if error.retry_after_ms().is_none() => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    failed.map_or(Ok(Vec::new()), Err)
}

/// Deletes all that this life made. Whatever fails: something is left.
pub(crate) async fn close(minting: &Minting, io: &Io, ledger: &RefCell<Ledger>) -> Outcome {
    delete_all(minting, io, ledger).await.map_err(|error| match error.code() {
        Code::AccountsLeft => error,
        _ => Error::new(
            Code::AccountsLeft,
            format_args!(
                "the service accounts that this connection made could not all be deleted at the end: {error}"
            ),
        ),
    })
}

/// First what is known, and then what a list shows beside it.
async fn delete_all(minting: &Minting, io: &Io, ledger: &RefCell<Ledger>) -> Outcome {
    let accounts = &Accounts::open(minting, io).await?;
    let mut left = Vec::new();
    let known = ledger.borrow().all();
    for id in &known {
        match insist(accounts, io, id).await {
            Ok(()) => ledger.borrow_mut().deleted(id),
            Err(error) => left.push(error),
        }
    }
    if ledger.borrow().may_have_more(minting) {
        let listing = accounts.list().await?;
        let ours = listing.marked.iter().filter(|marked| ledger.borrow().may_have_left(marked, minting));
        for id in ours.map(|marked| &marked.id).filter(|id| !known.contains(id)) {
            match insist(accounts, io, id).await {
                Ok(()) => deleted(ledger, id, &listing),
                Err(error) => left.push(error),
            }
        }
    }
    match left.last() {
        None => Ok(Vec::new()),
        Some(error) => Err(Error::new(
            Code::AccountsLeft,
            format_args!(
                "service accounts could not be deleted at the end: {} ({}); `keyless accounts prune` deletes them, and so does any Keyless that mints in this project once they lapse",
                left.len(),
                error.code().as_str()
            ),
        )),
    }
}

async fn insist(accounts: &Accounts<'_>, io: &Io, id: &str) -> Result<(), Error> {
    let mut last = Ok(());
    for pause in TRIES {
        io.wait(pause).await;
        last = accounts.delete(id).await;
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Tells which accounts there are, and deletes some.
pub(crate) async fn survey(prune: Prune, minting: &Minting, io: &Io, ledger: &RefCell<Ledger>) -> Outcome {
    let accounts = Accounts::open(minting, io).await?;
    let listing = accounts.list().await?;
    let mut all: Vec<Account> = Vec::with_capacity(listing.marked.len());
    for marked in &listing.marked {
        let fate = ledger.borrow().fate(marked, io.now(), listing.their_now_ms, minting);
        let alike = minting.is_of_this_kind(&marked.name);
        let delete = match (prune, fate) {
            (Prune::Nothing, _) | (Prune::Done, Fate::Current | Fate::InGrace) => false,
            (Prune::Done | Prune::All, Fate::Done) => true,
            (Prune::All, Fate::Current | Fate::InGrace) => alike,
        };
        if delete {
            accounts.delete(&marked.id).await?;
            deleted(ledger, &marked.id, &listing);
        }
        all.push(Account {
            id: marked.id.clone(),
            name: marked.name.as_str().to_owned(),
            created_at_ms: marked.created_at_ms,
            lapses_at_ms: marked.name.lapse_ms(),
            standing: match fate {
                Fate::Current => Standing::Current,
                Fate::InGrace => Standing::InUse,
                Fate::Done => Standing::Done,
            },
            alike,
            deleted: delete,
        });
    }
    Ok(all)
}

fn deleted(ledger: &RefCell<Ledger>, id: &str, listing: &Listing) {
    let mut ledger = ledger.borrow_mut();
    ledger.deleted(id);
    if let Some(marked) = listing.marked.iter().find(|marked| marked.id == id) {
        ledger.settled(marked.name.as_str());
    }
}
