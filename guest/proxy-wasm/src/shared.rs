//! What the workers of one Envoy share about a connection, so that all of them together make one exchange.
//!
//! Each worker runs this module in a memory of its own; Envoy's shared data is what they have in common, by `vm_id`. There
//! are four keys to a connection:
//!
//! | key | holds | written by |
//! |---|---|---|
//! | `state` | what [`keyless_engine::Machine::carry`] wrote last | whoever ended an attempt |
//! | `version` | which `state` that is, so that looking for news costs eight bytes | the same, afterwards |
//! | `lead` | who makes the attempt under way, and until when that counts | by compare-and-swap |
//! | `told` | which credential Envoy's own injector was given, where it asks ([`crate::service`]) | whoever answered it |
//!
//! Whoever leads says so again while it works. One that was trapped stops doing so, and another takes over.

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::hex::hex;
use keyless_engine::io::Now;
use keyless_engine::secret::SecretBytes;
use sha2::{Digest as _, Sha256};

use crate::host;

/// A leader that has said nothing for so long is taken for dead. A worker's loop does not stand still for this long.
const LAPSE_MS: u64 = 3_000;

/// How often a leader says that it is alive.
pub(crate) const HEARTBEAT_MS: u64 = 500;

/// For creating: Envoy compares with nothing where there is no value yet, and with another number where somebody was
/// faster. 0 would overwrite.
const ABSENT: u32 = u32::MAX;

/// The keys of one connection, and how far this worker is.
pub(crate) struct Shared {
    name: String,
    state: String,
    version: String,
    lead: String,
    told: String,
    /// Of this instance of the module.
    owner: u64,
    /// The version known here.
    seen: u64,
}

impl Shared {
    /// `connection` is everything that makes two connections the same.
    pub(crate) fn new(connection: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in connection {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let mut name = hex(&digest.finalize());
        name.truncate(32);
        let key = |what| format!("keyless/{name}/{what}");
        Self {
            state: key("state"),
            version: key("version"),
            lead: key("lead"),
            told: key("told"),
            name,
            owner: host::random(),
            seen: 0,
        }
    }

    /// The same for the same connection.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What was written since the last look here.
    pub(crate) fn news(&mut self) -> Option<SecretBytes> {
        let (version, _) = host::shared(&self.version)?;
        if number(&version)? == self.seen {
            return None;
        }
        let (mut state, _) = host::shared(&self.state)?;
        // Its own, which may be later than the one that stood there a moment ago.
        let version = number(&state)?;
        if version == self.seen {
            return None;
        }
        self.seen = version;
        state.drain(..8);
        Some(state)
    }

    /// Tells everybody. Only for who leads.
    pub(crate) fn publish(&mut self, carried: &[u8]) {
        let version = self.seen + 1;
        let mut state = SecretBytes::from(Vec::with_capacity(8 + carried.len()));
        state.extend_from_slice(&version.to_le_bytes());
        state.extend_from_slice(carried);
        host::share(&self.state, &state, 0);
        host::share(&self.version, &version.to_le_bytes(), 0);
        self.seen = version;
    }

    /// The injector has been given the credential of that generation; 0: that there is none.
    pub(crate) fn tell(&self, generation: u64) {
        host::share(&self.told, &generation.to_le_bytes(), 0);
    }

    /// What it was given last. None: it has not asked.
    pub(crate) fn told(&self) -> Option<u64> {
        number(&host::shared(&self.told)?.0)
    }

    /// Leads from here on, unless another does.
    pub(crate) fn take_lead(&self, now: Now) -> bool {
        let (leader, cas) = self.leader();
        let free = leader.is_none_or(|(owner, until)| owner == self.owner || until <= now.monotonic_ms);
        free && host::share(&self.lead, &self.claim(now), cas)
    }

    /// Goes on leading. False: another has taken over, and what is under way here is its business no more.
    pub(crate) fn keep_lead(&self, now: Now) -> bool {
        let (leader, cas) = self.leader();
        leader.is_some_and(|(owner, _)| owner == self.owner) && host::share(&self.lead, &self.claim(now), cas)
    }

    /// Leads no more.
    pub(crate) fn leave_lead(&self) {
        let (leader, cas) = self.leader();
        if leader.is_some_and(|(owner, _)| owner == self.owner) {
            host::share(&self.lead, &[], cas);
        }
    }

    /// Who leads and until when, and the version for compare-and-swap.
    fn leader(&self) -> (Option<(u64, u64)>, u32) {
        let Some((claim, cas)) = host::shared(&self.lead) else { return (None, ABSENT) };
        let owner = number(&claim);
        let until = claim.get(8..).and_then(number);
        (owner.zip(until), cas)
    }

    fn claim(&self, now: Now) -> [u8; 16] {
        let mut claim = [0; 16];
        let until = now.monotonic_ms.saturating_add(LAPSE_MS);
        for (to, from) in
            claim.iter_mut().zip(self.owner.to_le_bytes().into_iter().chain(until.to_le_bytes()))
        {
            *to = from;
        }
        claim
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|number| u64::from_le_bytes(*number))
}
