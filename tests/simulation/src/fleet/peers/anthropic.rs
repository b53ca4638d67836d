//! anthropic (Python) 2.12, `anthropic/lib/credentials/_cache.py`, `TokenCache`.

use super::{Token, left, moment_with_left};
use crate::fleet::policy::{Answer, Call, Policy};
use crate::plot::{Moment, SECOND};

/// `ADVISORY_REFRESH_SECONDS`, `MANDATORY_REFRESH_SECONDS`, `ADVISORY_REFRESH_BACKOFF_SECONDS`.
const ADVISORY: u64 = 120 * SECOND;
const MANDATORY: u64 = 30 * SECOND;
const BACKOFF: u64 = 5 * SECOND;

/// `_next_step`: with two minutes left or less the first caller exchanges and waits, others go on with what there is; a
/// failure is logged, and nobody tries again for five seconds. With thirty seconds left or less everybody waits, a
/// failure is raised, and the next caller tries again at once.
#[derive(Default)]
pub struct Cache {
    token: Option<Token>,
    /// Whether the exchange under way is mandatory.
    refreshing: Option<bool>,
    resting_until: Moment,
}

impl Policy for Cache {
    fn call(&mut self, now: Moment) -> Call {
        let left = left(self.token, now);
        let mandatory = left <= MANDATORY;
        match self.refreshing {
            _ if left > ADVISORY => Call::SERVED,
            None if !mandatory && now < self.resting_until => Call::SERVED,
            None => {
                self.refreshing = Some(mandatory);
                Call::ASKS
            }
            Some(_) if mandatory => Call::WAITS,
            Some(_) => Call::SERVED,
        }
    }

    fn granted(&mut self, now: Moment) {
        self.token = Some(Token::new(now));
        self.refreshing = None;
    }

    fn refused(&mut self, now: Moment) -> Answer {
        match self.refreshing.take() {
            Some(false) => {
                self.resting_until = now + BACKOFF;
                Answer::Served
            }
            _ => Answer::Failed,
        }
    }

    fn calm_until(&self) -> Moment {
        let mandatory = moment_with_left(self.token, MANDATORY);
        moment_with_left(self.token, ADVISORY).max(self.resting_until.min(mandatory))
    }

    fn fresh(&self, now: Moment) -> bool {
        left(self.token, now) > ADVISORY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_rests_for_five_seconds_until_thirty_before_the_end() {
        let mut cache = Cache::default();
        assert_eq!(cache.call(0), Call::ASKS);
        cache.granted(0);
        let at = 3_480 * SECOND;
        assert_eq!(cache.call(at - 1), Call::SERVED);
        assert_eq!(cache.call(at), Call::ASKS);
        assert_eq!(cache.refused(at), Answer::Served);
        assert_eq!(cache.calm_until(), at + 5 * SECOND);
        assert_eq!(cache.call(at + 5 * SECOND - 1), Call::SERVED);
        assert_eq!(cache.call(at + 5 * SECOND), Call::ASKS);
        assert_eq!(cache.refused(3_569 * SECOND), Answer::Served);
        assert_eq!(cache.calm_until(), 3_570 * SECOND);
        assert_eq!(cache.call(3_570 * SECOND), Call::ASKS);
        assert_eq!(cache.refused(3_570 * SECOND), Answer::Failed);
    }
}
