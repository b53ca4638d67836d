//! The access keys that are in force: one without an end, and those that were handed out for a while.

use std::sync::Mutex;

use ring::error::Unspecified;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::timestamp;
use crate::lock::lock;
use crate::random;

/// A pair of keys, with the session that they belong to. Unlike a token, the secret half has to be kept: signatures are
/// checked with it.
#[derive(Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<String>,
    pub(super) session: Option<Session>,
}

/// What makes keys temporary.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) token: Zeroizing<String>,
    pub(super) expires_at_s: u64,
}

impl AccessKey {
    fn new(prefix: &str, session: Option<Session>) -> Result<Self, Unspecified> {
        let id = format!("{prefix}{}", random::hex(16)?.to_ascii_uppercase());
        Ok(Self { id, secret: Zeroizing::new(random::text(40)?), session })
    }

    /// As metadata services hand them out.
    pub(super) fn json(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("AccessKeyId".to_owned(), json!(self.id));
        fields.insert("SecretAccessKey".to_owned(), json!(self.secret.as_str()));
        if let Some(session) = &self.session {
            fields.insert("Token".to_owned(), json!(session.token.as_str()));
            fields.insert("Expiration".to_owned(), json!(timestamp::written(session.expires_at_s)));
        }
        fields
    }
}

/// All of them.
pub(crate) struct AccessKeys {
    /// For the environment of a workload outside AWS.
    pub(crate) lasting: AccessKey,
    temporary: Mutex<Vec<AccessKey>>,
}

impl AccessKeys {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Ok(Self { lasting: AccessKey::new("AKIA", None)?, temporary: Mutex::default() })
    }

    /// New keys for a session.
    pub(super) fn issue(&self, expires_at_s: u64) -> Result<AccessKey, Unspecified> {
        let session = Session { token: Zeroizing::new(random::text(356)?), expires_at_s };
        let key = AccessKey::new("ASIA", Some(session))?;
        lock(&self.temporary).push(key.clone());
        Ok(key)
    }

    pub(super) fn find(&self, id: &str) -> Option<AccessKey> {
        if self.lasting.id == id {
            return Some(self.lasting.clone());
        }
        lock(&self.temporary).iter().find(|key| key.id == id).cloned()
    }
}
