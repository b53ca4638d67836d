//! Whether a 403 is to be believed.
//!
//! An API server that has just started knows no Roles for some seconds, and refuses everything with the same words as when a
//! right is missing. So who had a right before is patient.

use std::collections::HashMap;
use std::time::Duration;

use super::Refusal;
use crate::Kind;

/// How long a right that we had may be refused before that is believed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A verb, and the resource.
pub(super) type Right = (&'static str, &'static str);

/// The rights that we had, and since when they are refused.
#[derive(Default)]
pub(super) struct Rights(HashMap<Right, Option<Duration>>);

impl Rights {
    /// The API server let us.
    pub(super) fn had(&mut self, right: Right) {
        self.0.insert(right, None);
    }

    /// What a refusal means now.
    pub(super) fn judge(&mut self, right: Right, refusal: Refusal, now: Duration) -> Refusal {
        let mut fault = match refusal {
            Refusal::Other(fault) if fault.kind == Kind::Denied => fault,
            // What is not there, or held by others, is told to those alone who may ask.
            Refusal::Missing(_) | Refusal::Outdated(_) | Refusal::Held(_) => {
                self.had(right);
                return refusal;
            }
            other => return other,
        };
        if let Some(refused) = self.0.get_mut(&right)
            && now.saturating_sub(*refused.get_or_insert(now)) < PATIENCE
        {
            fault.kind = Kind::Unavailable;
        }
        Refusal::Other(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;

    #[test]
    fn a_right_that_we_had_is_missed_for_a_while_before_it_is_missing() {
        let right = ("get", "leases");
        let mut rights = Rights::default();
        let at = Duration::from_secs;
        let refused = || Refusal::Other(Fault::new(Kind::Denied, "kubernetes-forbidden", "", ""));
        let mut passes = |now| rights.judge(right, refused(), at(now)).into_fault().passes();
        assert!(!passes(1), "who never had it is told at once");
        rights.had(right);
        let mut passes = |now| rights.judge(right, refused(), at(now)).into_fault().passes();
        assert!(passes(2) && passes(21) && !passes(22));
        rights.had(right);
        assert!(rights.judge(right, refused(), at(23)).into_fault().passes(), "counted anew");
    }
}
