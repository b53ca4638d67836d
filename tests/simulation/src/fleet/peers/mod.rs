//! The policies of the clients that everybody uses, as their source code has them.
//!
//! All that is left out is to their favour: retries of the HTTP client below the cache, which would be more calls, and
//! that a caller who waited for another's failed exchange may start its own.

pub mod anthropic;
pub mod botocore;
pub mod envoy;
pub mod google_cloud;
pub mod openai_node;
pub mod openai_python;

use super::policy::LIFETIME;
use crate::plot::Moment;

/// What a cache holds. It counts from the moment of the answer, as all of them do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    ends: Moment,
}

impl Token {
    fn new(now: Moment) -> Self {
        Self { ends: now + LIFETIME }
    }

    /// In milliseconds.
    fn left(self, now: Moment) -> u64 {
        self.ends.saturating_sub(now)
    }
}

/// Of what is held, if anything is.
fn left(token: Option<Token>, now: Moment) -> u64 {
    token.map_or(0, |token| token.left(now))
}

/// The moment at which no more than `ms` are left of it: until then a cache that is driven by its callers does nothing.
fn moment_with_left(token: Option<Token>, ms: u64) -> Moment {
    token.map_or(0, |token| token.ends.saturating_sub(ms))
}
