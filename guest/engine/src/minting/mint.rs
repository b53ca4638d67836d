//! One new key.

use alloc::vec::Vec;
use core::cell::RefCell;

use super::accounts::{Accounts, NotCreated};
use super::name::Name;
use super::{Ledger, Minting};
use crate::entropy::Entropy;
use crate::error::{Code, Error};
use crate::exchange::Issued;
use crate::io::Io;
use crate::lease;

/// Looks at what there is, deletes what an earlier attempt may have left, and creates an account. `seed`: a number that is
/// particular to this machine and this moment.
///
/// Nothing is created without a list that is whole: whatever goes wrong, and however often, the number of accounts is known
/// before there is another.
pub(crate) async fn mint(
    minting: &Minting,
    io: &Io,
    ledger: &RefCell<Ledger>,
    seed: u64,
) -> Result<Issued, Error> {
    let began = io.now();
    let accounts = Accounts::open(minting, io).await?;
    let listing = accounts.list().await?;
    let mut entropy = Entropy::default();
    entropy.stir(&seed.to_le_bytes());
    listing.particular.iter().for_each(|text| entropy.stir(text.as_bytes()));

    // An answer that got lost left an account whose key nobody has. It goes before there is another.
    let useless = ledger.borrow().useless().to_vec();
    for id in useless {
        accounts.delete(&id).await?;
        ledger.borrow_mut().deleted(&id);
    }
    for marked in &listing.marked {
        if ledger.borrow().is_lost(marked.name.as_str()) {
            accounts.delete(&marked.id).await?;
            ledger.borrow_mut().settled(marked.name.as_str());
        }
    }
    let alike = listing.marked.iter().filter(|marked| minting.is_of_this_kind(&marked.name)).count();
    if alike as u64 >= minting.most {
        return Err(Error::new(
            Code::TooManyAccounts,
            format_args!(
                "there are {alike} service accounts that Keyless made by these names, and `max_service_accounts` is {}: either as many processes mint, or one starts over and over. `keyless accounts list` shows them, `keyless accounts prune` deletes those that are done with",
                minting.most
            ),
        ));
    }

    // An answer that lay there while the machine slept says what the time was. By it, an account would lapse while it is in use.
    if lease::diverged(began, io.now()) {
        return Err(Error::new(
            Code::AttemptTimeout,
            "the machine was suspended, or its clock was set, while the Admin API was asked which accounts there are; it is asked again",
        ));
    }
    let holder = ledger.borrow_mut().holder(minting, &mut entropy);
    let now_ms = io.their_wall_ms().unwrap_or_else(|| io.now().wall_ms);
    let lapse_ms = now_ms.saturating_add(minting.use_ms() + minting.grace_ms.value);
    let name = Name::draw(&minting.project, minting.prefix(), minting.size, lapse_ms, &holder, &mut entropy);
    // Written down before it is asked for: whatever becomes of this attempt, the next one looks for that name.
    ledger.borrow_mut().asks_for(name.as_str());
    let created = match accounts.create(name.as_str()).await {
        Ok(created) => created,
        Err(NotCreated::Unknown(error)) => return Err(error),
        Err(NotCreated::Refused(error)) => {
            ledger.borrow_mut().settled(name.as_str());
            return Err(error);
        }
        Err(NotCreated::Useless(id, error)) => {
            let mut ledger = ledger.borrow_mut();
            ledger.settled(name.as_str());
            ledger.is_useless(id);
            return Err(error);
        }
    };
    let mut ledger = ledger.borrow_mut();
    ledger.settled(name.as_str());
    ledger.succeed(minting, io.now(), created.id, &listing);
    Ok(Issued {
        access_token: created.key,
        lifetime_ms: minting.use_ms(),
        anchor: created.anchor,
        beside: Vec::new(),
    })
}
