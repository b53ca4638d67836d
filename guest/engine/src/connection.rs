//! The parsed, validated document: everything in it can be used as it is.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::string::ToString as _;

use crate::api::Api;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::key::Key;
use crate::minting::{self, Minting};
use crate::plan::{Origin, Plan};
use crate::source::Source;

/// What a document says, whatever its dialect.
pub struct Connection {
    /// What people call it, where the document says.
    pub nickname: Option<String>,
    /// What the credential opens.
    pub api: Api,
    /// Where the credential comes from.
    pub auth: Auth,
    /// How long before its end a credential is renewed, in milliseconds, where the document says.
    pub refresh_buffer_ms: Option<u64>,
    /// Whether an identity token for a control plane is refused instead of warned about.
    pub strict: bool,
}

/// Where the credential comes from.
pub enum Auth {
    /// A key that somebody made and has to rotate.
    ApiKey(Key),
    /// The platform's identity, traded for a short-lived token.
    WorkloadIdentity {
        /// Where the identity token comes from.
        source: Box<dyn Source>,
        /// Where it is traded.
        exchange: Box<dyn Exchange>,
    },
    /// A key that the connection makes, follows with another and deletes.
    Minted(Box<Minting>),
}

/// A value and where it came from.
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl Auth {
    /// The two halves, the exchange told what kind of token it will get.
    pub fn workload_identity(
        source: Box<dyn Source>,
        mut exchange: Box<dyn Exchange>,
    ) -> Result<Self, Error> {
        exchange.assume(source.token_type())?;
        Ok(Self::WorkloadIdentity { source, exchange })
    }
}

impl Connection {
    /// How its keys are made, where it makes them.
    pub(crate) fn minting(&self) -> Option<&Minting> {
        match &self.auth {
            Auth::Minted(minting) => Some(minting),
            Auth::ApiKey(_) | Auth::WorkloadIdentity { .. } => None,
        }
    }

    /// Adds what the connection is and needs.
    pub fn describe(&self, plan: &mut Plan) {
        plan.set_if("nickname", self.nickname.as_deref());
        match &self.auth {
            Auth::ApiKey(key) => {
                plan.set("auth_type", "api_key", Origin::Document);
                key.describe("api_key", plan);
            }
            Auth::WorkloadIdentity { source, exchange } => {
                plan.set("auth_type", "workload_identity", Origin::Document);
                plan.set("source.type", source.name(), Origin::Document);
                source.describe(plan);
                plan.set("exchange.type", exchange.name(), Origin::Document);
                exchange.describe(plan);
                match self.refresh_buffer_ms {
                    Some(ms) => plan.set("refresh_buffer_seconds", seconds(ms), Origin::Document),
                    None => plan.set("refresh_buffer_seconds", "half the lifetime or more", Origin::Default),
                }
            }
            Auth::Minted(minting) => {
                plan.set("auth_type", "minted_key", Origin::Document);
                plan.set("exchange.type", minting::NAME, Origin::Document);
                minting.describe(plan);
            }
        }
        self.api.describe(plan);
    }
}

fn seconds(ms: u64) -> String {
    if ms.is_multiple_of(1_000) {
        (ms / 1_000).to_string()
    } else {
        format!("{}.{:03}", ms / 1_000, ms % 1_000)
    }
}
