//! One of many leads, by a Lease of coordination.k8s.io/v1, as Kubernetes' own components elect theirs.
//!
//! [`policy`] decides and does nothing; [`elector`] asks the API server and tells time. What holds:
//!
//! - Of two processes at most one leads at any moment, if their clocks run equally fast: a leader stops at two thirds of the
//!   lease's duration after it *sent* its last renewal; another takes over when it has *seen* no renewal for all of it.
//! - Nobody's wall clock counts. The times in the Lease are for people to read.
//! - The API server decides who was first: every update names the version that it replaces.

mod elector;
mod policy;
mod record;
#[cfg(test)]
mod simulated;

pub(crate) use elector::{Elector, Leadership};
pub(crate) use policy::Lead;
pub use record::Identity;

use std::time::Duration;

/// How long a lease lasts, and what follows from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The others wait for so long, after the last renewal that they saw.
    pub(crate) lease: Duration,
}

impl Timing {
    /// A lease of so many whole seconds; Kubernetes' own components take 15. At least 1.
    #[must_use]
    pub fn of_lease(seconds: u16) -> Self {
        Self { lease: Duration::from_secs(u64::from(seconds.max(1))) }
    }

    /// After so long without a renewal a leader stops.
    pub(crate) fn deadline(self) -> Duration {
        self.lease * 2 / 3
    }

    /// Between two renewals, and between two looks.
    pub(crate) fn pause(self) -> Duration {
        self.lease * 2 / 15
    }

    /// How long a request about the Lease may take: two fit into the time in which a leader has to renew.
    pub(crate) fn patience(self) -> Duration {
        self.lease / 3
    }
}
