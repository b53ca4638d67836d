//! A service account with its keys.

use ring::error::Unspecified;
use serde::Serialize;
use serde_json::{Value, json};

use super::Lag;
use super::key::Key;
use crate::random;

/// What became of a service account, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceAccountRecord {
    /// `svc_acct_...`
    pub id: String,
    /// As its maker named it.
    pub name: String,
    /// Unix milliseconds on the sandbox's clock.
    pub created_at_ms: u64,
    /// Unix milliseconds on the sandbox's clock; none while it is alive.
    pub deleted_at_ms: Option<u64>,
    /// Keys that have not been deleted, neither alone nor with the account.
    pub keys: usize,
    /// Calls of the API that one of its keys opened.
    pub uses: u64,
    /// Calls of the API that were tried with one of its keys after the key or the account had been deleted.
    pub uses_after_deletion: u64,
}

/// What the project keeps of it. Goes on being kept after its deletion.
pub(super) struct Account {
    pub(super) id: String,
    pub(super) keys: Vec<Key>,
    pub(super) uses: u64,
    pub(super) uses_after_deletion: u64,
    name: String,
    role: &'static str,
    created_at_ms: u64,
    listed_from_ms: u64,
    deleted: Option<Deleted>,
}

struct Deleted {
    at_ms: u64,
    listed_until_ms: u64,
}

impl Account {
    pub(super) fn new(name: String, role: &'static str, now_ms: u64, lag: Lag) -> Result<Self, Unspecified> {
        Ok(Self {
            id: format!("svc_acct_{}", random::hex(24)?),
            keys: Vec::new(),
            uses: 0,
            uses_after_deletion: 0,
            name,
            role,
            created_at_ms: now_ms,
            listed_from_ms: now_ms.saturating_add(lag.ms),
            deleted: None,
        })
    }

    pub(super) fn delete(&mut self, now_ms: u64, lag: Lag) {
        self.deleted = Some(Deleted { at_ms: now_ms, listed_until_ms: now_ms.saturating_add(lag.ms) });
    }

    pub(super) fn is_alive(&self) -> bool {
        self.deleted.is_none()
    }

    /// Whether a list that was made then has it.
    pub(super) fn is_listed_at(&self, ms: u64) -> bool {
        self.listed_from_ms <= ms && self.deleted.as_ref().is_none_or(|deleted| ms < deleted.listed_until_ms)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "object": "organization.project.service_account",
            "id": self.id,
            "name": self.name,
            "role": self.role,
            "created_at": self.created_at_ms / 1_000,
        })
    }

    pub(super) fn record(&self) -> ServiceAccountRecord {
        let in_force = |key: &&Key| self.is_alive() && !key.deleted;
        ServiceAccountRecord {
            id: self.id.clone(),
            name: self.name.clone(),
            created_at_ms: self.created_at_ms,
            deleted_at_ms: self.deleted.as_ref().map(|deleted| deleted.at_ms),
            keys: self.keys.iter().filter(in_force).count(),
            uses: self.uses,
            uses_after_deletion: self.uses_after_deletion,
        }
    }
}
