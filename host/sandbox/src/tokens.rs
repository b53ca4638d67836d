//! The access tokens that the token endpoint issued and the API accepts. Known by their SHA-256 alone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ring::error::Unspecified;
use zeroize::Zeroizing;

use crate::lock::lock;
use crate::random;
use crate::sha256::Sha256;

/// Every token that one vendor issued in this run, and its static key.
pub(crate) struct Tokens {
    prefix: &'static str,
    api_key: Zeroizing<String>,
    api_key_digest: Sha256,
    api_key_deleted: AtomicBool,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    last_generation: u64,
    by_digest: HashMap<Sha256, Token>,
}

struct Token {
    generation: u64,
    expires_at_ms: u64,
    revoked: bool,
}

/// A token that has just been issued.
pub(crate) struct NewToken {
    pub(crate) text: Zeroizing<String>,
    pub(crate) generation: u64,
}

/// What a bearer turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// The key made at start.
    ApiKey,
    /// A token in force.
    Token { generation: u64 },
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// Nobody here issued it.
    Unknown,
}

impl Tokens {
    /// The beginnings of the static key and of tokens.
    pub(crate) fn new(key_prefix: &str, prefix: &'static str) -> Result<Self, Unspecified> {
        let api_key = Zeroizing::new(format!("{key_prefix}{}", random::text(48)?));
        Ok(Self {
            prefix,
            api_key_digest: Sha256::of(api_key.as_bytes()),
            api_key,
            api_key_deleted: AtomicBool::new(false),
            issued: Mutex::default(),
        })
    }

    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The static key opens nothing any more. False if it did not before.
    pub(crate) fn delete_api_key(&self) -> bool {
        !self.api_key_deleted.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn api_key_is_deleted(&self) -> bool {
        self.api_key_deleted.load(Ordering::Relaxed)
    }

    /// Issues the next generation.
    pub(crate) fn issue(&self, length: usize, expires_at_ms: u64) -> Result<NewToken, Unspecified> {
        let random_length = length.saturating_sub(self.prefix.len()).max(43);
        let text =
            Zeroizing::new(format!("{}{}", self.prefix, *Zeroizing::new(random::text(random_length)?)));
        let mut issued = lock(&self.issued);
        issued.last_generation += 1;
        let generation = issued.last_generation;
        issued
            .by_digest
            .insert(Sha256::of(text.as_bytes()), Token { generation, expires_at_ms, revoked: false });
        Ok(NewToken { text, generation })
    }

    pub(crate) fn judge(&self, bearer: &str, now_ms: u64) -> Bearer {
        let digest = Sha256::of(bearer.as_bytes());
        if digest == self.api_key_digest {
            return if self.api_key_is_deleted() { Bearer::Unknown } else { Bearer::ApiKey };
        }
        match lock(&self.issued).by_digest.get(&digest) {
            None => Bearer::Unknown,
            Some(token) if token.revoked => Bearer::Revoked,
            Some(token) if token.expires_at_ms <= now_ms => Bearer::Expired,
            Some(token) => Bearer::Token { generation: token.generation },
        }
    }

    /// Takes back one generation, or all. Says how many tokens that ended.
    pub(crate) fn revoke(&self, generation: Option<u64>) -> usize {
        let mut ended = 0;
        for token in lock(&self.issued).by_digest.values_mut() {
            if generation.is_none_or(|wanted| wanted == token.generation) && !token.revoked {
                token.revoked = true;
                ended += 1;
            }
        }
        ended
    }

    /// The latest generation issued, 0 before the first.
    pub(crate) fn last_generation(&self) -> u64 {
        lock(&self.issued).last_generation
    }
}
