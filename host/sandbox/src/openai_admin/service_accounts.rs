//! The service accounts of the project, all that ever were, and the keys that open the API.

use std::sync::Mutex;

use ring::error::Unspecified;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use super::Lag;
use super::account::{Account, ServiceAccountRecord};
use super::key::Key;
use super::page::Item;
use super::request::{NewAccount, NewKey};
use crate::lock::lock;
use crate::sha256::Sha256;

/// All service accounts that were ever made, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceAccountsRecord {
    /// The project that they are in.
    pub project_id: String,
    /// How many there are now.
    pub alive: usize,
    /// How many there were at one time, at most.
    pub most_alive: usize,
    /// In the order in which they were made.
    pub accounts: Vec<ServiceAccountRecord>,
}

/// What a bearer turned out to be.
pub(crate) enum KeyUse {
    /// A key in force.
    Opens { account_id: String },
    /// Nobody's key, or one that has been deleted or has expired.
    Refused,
}

/// The accounts.
pub(crate) struct ServiceAccounts {
    book: Mutex<Book>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Book {
    accounts: Vec<Account>,
    most_alive: usize,
}

impl Book {
    fn alive(&self) -> usize {
        self.accounts.iter().filter(|account| account.is_alive()).count()
    }

    fn living(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.id == id && account.is_alive())
    }
}

impl ServiceAccounts {
    pub(crate) fn new() -> Self {
        Self { book: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Makes an account, and its first key unless it is wanted without. The answer to whoever asked for it.
    pub(super) fn create(&self, wanted: NewAccount, now_ms: u64, lag: Lag) -> Result<Value, Unspecified> {
        let role = if wanted.key.is_some() { "member" } else { "none" };
        let mut account = Account::new(wanted.name, role, now_ms, lag)?;
        let shown = match wanted.key {
            Some(key) => add_key(&mut account, key, now_ms)?,
            None => Value::Null,
        };
        let mut made = account.json();
        if let Some(made) = made.as_object_mut() {
            made.insert("api_key".to_owned(), shown);
        }
        {
            let mut book = lock(&self.book);
            book.accounts.push(account);
            book.most_alive = book.most_alive.max(book.alive());
        }
        self.changed.send_replace(());
        Ok(made)
    }

    /// None: there is no such account.
    pub(super) fn retrieve(&self, id: &str) -> Option<Value> {
        lock(&self.book).living(id).map(|account| account.json())
    }

    /// Whether there was such an account.
    pub(super) fn delete(&self, id: &str, now_ms: u64, lag: Lag) -> bool {
        let found = lock(&self.book).living(id).map(|account| account.delete(now_ms, lag)).is_some();
        self.changed.send_replace(());
        found
    }

    /// As the list was at that moment.
    pub(super) fn listed_at(&self, ms: u64) -> Vec<Item> {
        lock(&self.book)
            .accounts
            .iter()
            .map(|account| Item {
                id: account.id.clone(),
                shown: account.is_listed_at(ms).then(|| account.json()),
            })
            .collect()
    }

    /// Another key for an account. None: there is no such account.
    pub(super) fn create_key(
        &self,
        id: &str,
        wanted: NewKey,
        now_ms: u64,
    ) -> Option<Result<Value, Unspecified>> {
        lock(&self.book).living(id).map(|account| add_key(account, wanted, now_ms))
    }

    /// The keys of all accounts.
    pub(super) fn keys(&self) -> Vec<Item> {
        let book = lock(&self.book);
        let of_account = |account: &Account| {
            let (owner, alive) = (account.json(), account.is_alive());
            let item = |key: &Key| Item {
                id: key.id.clone(),
                shown: (alive && !key.deleted).then(|| key.json(&owner)),
            };
            account.keys.iter().map(item).collect::<Vec<_>>()
        };
        book.accounts.iter().flat_map(of_account).collect()
    }

    /// Whether there was such a key.
    pub(super) fn delete_key(&self, id: &str) -> bool {
        let found = {
            let mut book = lock(&self.book);
            let living = book.accounts.iter_mut().filter(|account| account.is_alive());
            let key = living.flat_map(|account| &mut account.keys).find(|key| key.id == id && !key.deleted);
            key.map(|key| key.deleted = true).is_some()
        };
        self.changed.send_replace(());
        found
    }

    /// Notes a call of the API with this bearer.
    pub(crate) fn use_key(&self, bearer: &str, now_ms: u64) -> KeyUse {
        let used = lock(&self.book).use_key(&Sha256::of(bearer.as_bytes()), now_ms / 1_000);
        self.changed.send_replace(());
        used
    }

    /// Whether the bearer is a key in force. Not a use of it.
    pub(super) fn knows(&self, bearer: &str, now_ms: u64) -> bool {
        let digest = Sha256::of(bearer.as_bytes());
        let in_force = |key: &Key| key.digest == digest && !key.deleted && !key.has_expired(now_ms / 1_000);
        let book = lock(&self.book);
        book.accounts.iter().any(|account| account.is_alive() && account.keys.iter().any(in_force))
    }

    /// What became of all of them.
    pub(crate) fn record(&self) -> ServiceAccountsRecord {
        let book = lock(&self.book);
        ServiceAccountsRecord {
            project_id: super::PROJECT_ID.to_owned(),
            alive: book.alive(),
            most_alive: book.most_alive,
            accounts: book.accounts.iter().map(Account::record).collect(),
        }
    }

    /// Until the record is as wanted.
    pub(crate) async fn wait_for(&self, wanted: impl Fn(&ServiceAccountsRecord) -> bool) {
        let mut changed = self.changed.subscribe();
        while !wanted(&self.record()) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Book {
    fn use_key(&mut self, digest: &Sha256, now_s: u64) -> KeyUse {
        for account in &mut self.accounts {
            let alive = account.is_alive();
            let Some(key) = account.keys.iter_mut().find(|key| key.digest == *digest) else { continue };
            if !alive || key.deleted {
                account.uses_after_deletion += 1;
                return KeyUse::Refused;
            }
            if key.has_expired(now_s) {
                return KeyUse::Refused;
            }
            key.last_used_at_s = Some(now_s);
            account.uses += 1;
            return KeyUse::Opens { account_id: account.id.clone() };
        }
        KeyUse::Refused
    }
}

/// The answer with its text.
fn add_key(account: &mut Account, wanted: NewKey, now_ms: u64) -> Result<Value, Unspecified> {
    let (key, text) = Key::new(wanted.name, now_ms / 1_000, wanted.expires_in_s)?;
    let shown = key.shown_once(&text);
    account.keys.push(key);
    Ok(shown)
}
