//! A key of a service account.

use ring::error::Unspecified;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::random;
use crate::sha256::Sha256;

/// Known by its SHA-256 and by what the list shows of it.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) digest: Sha256,
    pub(super) deleted: bool,
    pub(super) last_used_at_s: Option<u64>,
    name: String,
    redacted: String,
    created_at_s: u64,
    expires_at_s: Option<u64>,
}

impl Key {
    /// The key and its text, which nobody gets to see again.
    pub(super) fn new(
        name: String,
        now_s: u64,
        expires_in_s: Option<u64>,
    ) -> Result<(Self, Zeroizing<String>), Unspecified> {
        let text = Zeroizing::new(format!("sk-svcacct-{}", *Zeroizing::new(random::text(120)?)));
        let key = Self {
            id: format!("key_{}", random::hex(24)?),
            digest: Sha256::of(text.as_bytes()),
            deleted: false,
            last_used_at_s: None,
            name,
            redacted: redacted(&text),
            created_at_s: now_s,
            expires_at_s: expires_in_s.map(|seconds| now_s.saturating_add(seconds)),
        };
        Ok((key, text))
    }

    pub(super) fn has_expired(&self, now_s: u64) -> bool {
        self.expires_at_s.is_some_and(|expires_at_s| expires_at_s <= now_s)
    }

    /// The one answer with the text in it.
    pub(super) fn shown_once(&self, text: &str) -> Value {
        json!({
            "object": "organization.project.service_account.api_key",
            "value": text,
            "name": self.name,
            "created_at": self.created_at_s,
            "expires_at": self.expires_at_s,
            "id": self.id,
        })
    }

    /// As lists have it. `owner` is the account.
    pub(super) fn json(&self, owner: &Value) -> Value {
        json!({
            "object": "organization.project.api_key",
            "redacted_value": self.redacted,
            "name": self.name,
            "created_at": self.created_at_s,
            "last_used_at": self.last_used_at_s,
            "id": self.id,
            "owner_project_access": "active",
            "owner": {"type": "service_account", "service_account": owner},
        })
    }
}

/// The beginning that tells the kind, and the last four characters.
pub(super) fn redacted(key: &str) -> String {
    let kind: String = key.chars().take(11).collect();
    let end = key.char_indices().rev().nth(3).and_then(|(at, _)| key.get(at..)).unwrap_or_default();
    format!("{kind}...{end}")
}
