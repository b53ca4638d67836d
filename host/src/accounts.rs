//! The service accounts that connections with minted keys made, as the component tells of them.

use crate::bindings;

/// A service account that some connection made: its name carries the mark of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The API's name for it, such as `svc_acct_...`.
    pub id: String,
    /// The name that it was given.
    pub name: String,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds: from then on surely nobody uses it any more.
    pub lapses_at: u64,
    /// Whether anybody uses it.
    pub standing: Standing,
    /// Whether its name begins as this document says.
    pub alike: bool,
    /// Whether it was deleted just now.
    pub deleted: bool,
}

/// Whether a service account is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// By the connection that was asked.
    Current,
    /// Maybe, by somebody.
    InUse,
    /// By nobody.
    Done,
}

/// Which service accounts are to be deleted. Those without our mark never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prune {
    /// None.
    #[default]
    Nothing,
    /// Those that nobody uses any more.
    Done,
    /// Those that nobody uses any more, and all whose names begin as the document says: whoever uses one needs another.
    All,
}

impl From<Prune> for bindings::Prune {
    fn from(prune: Prune) -> Self {
        match prune {
            Prune::Nothing => Self::Nothing,
            Prune::Done => Self::Done,
            Prune::All => Self::All,
        }
    }
}

impl From<bindings::Account> for Account {
    fn from(account: bindings::Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            created_at: account.created_at,
            lapses_at: account.lapses_at,
            standing: match account.standing {
                bindings::AccountStanding::Current => Standing::Current,
                bindings::AccountStanding::InUse => Standing::InUse,
                bindings::AccountStanding::Done => Standing::Done,
            },
            alike: account.alike,
            deleted: account.deleted,
        }
    }
}
