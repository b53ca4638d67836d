//! botocore 1.44, `botocore/credentials.py`, `RefreshableCredentials`.

use super::{Token, left, moment_with_left};
use crate::fleet::policy::{Answer, Call, Policy};
use crate::plot::{MINUTE, Moment};

/// `_DEFAULT_ADVISORY_REFRESH_TIMEOUT`, `_DEFAULT_MANDATORY_REFRESH_TIMEOUT`.
const ADVISORY: u64 = 15 * MINUTE;
const MANDATORY: u64 = 10 * MINUTE;

/// `_refresh`: with less than fifteen minutes left the first caller exchanges and waits, others go on with what there is;
/// a failure is logged (`_protected_refresh`). With less than ten minutes everybody waits, and a failure is raised.
/// The next caller tries again: nothing paces it.
#[derive(Default)]
pub struct Cache {
    token: Option<Token>,
    /// Whether the exchange under way is mandatory.
    refreshing: Option<bool>,
}

impl Policy for Cache {
    fn call(&mut self, now: Moment) -> Call {
        let left = left(self.token, now);
        let mandatory = left < MANDATORY;
        match self.refreshing {
            _ if left >= ADVISORY => Call::SERVED,
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

    fn refused(&mut self, _now: Moment) -> Answer {
        match self.refreshing.take() {
            Some(false) => Answer::Served,
            _ => Answer::Failed,
        }
    }

    fn calm_until(&self) -> Moment {
        moment_with_left(self.token, ADVISORY)
    }

    fn fresh(&self, now: Moment) -> bool {
        left(self.token, now) >= ADVISORY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes_of_failures_pass_and_the_ten_before_the_end_do_not() {
        let mut cache = Cache::default();
        assert_eq!(cache.call(0), Call::ASKS);
        cache.granted(0);
        assert_eq!(cache.call(45 * MINUTE), Call::SERVED);
        assert_eq!(cache.call(45 * MINUTE + 1), Call::ASKS);
        assert_eq!(cache.call(45 * MINUTE + 1), Call::SERVED);
        assert_eq!(cache.refused(45 * MINUTE + 1), Answer::Served);
        assert_eq!(cache.call(50 * MINUTE), Call::ASKS);
        assert_eq!(cache.refused(50 * MINUTE), Answer::Served);
        assert_eq!(cache.call(50 * MINUTE + 1), Call::ASKS);
        assert_eq!(cache.call(50 * MINUTE + 1), Call::WAITS);
        assert_eq!(cache.refused(50 * MINUTE + 1), Answer::Failed);
    }
}
