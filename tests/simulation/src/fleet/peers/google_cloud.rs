//! google-cloud-auth (Rust), `src/auth/src/token_cache.rs`.

use super::{Token, left, moment_with_left};
use crate::fleet::policy::{Answer, Call, LIFETIME, Policy};
use crate::plot::{Moment, SECOND};

/// `NORMAL_REFRESH_SLACK`, `SHORT_REFRESH_SLACK`.
const SLACK: u64 = 240 * SECOND;
const RETRY: u64 = 10 * SECOND;

/// `refresh_task`: a task that sleeps until four minutes before the end, and ten seconds after each failure that may
/// pass. A valid token stays (since googleapis/google-cloud-rust#5825); without one a caller gets the failure.
#[derive(Default)]
pub struct Cache {
    token: Option<Token>,
    sleeps_until: Moment,
    refreshing: bool,
}

impl Policy for Cache {
    fn call(&mut self, now: Moment) -> Call {
        match (left(self.token, now), self.refreshing) {
            (1.., _) => Call::SERVED,
            (0, true) => Call::WAITS,
            (0, false) => Call::FAILED,
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        Some(self.sleeps_until)
    }

    fn wake(&mut self, now: Moment) -> bool {
        self.refreshing = now >= self.sleeps_until;
        self.refreshing
    }

    fn granted(&mut self, now: Moment) {
        self.token = Some(Token::new(now));
        self.sleeps_until = now + LIFETIME - SLACK;
        self.refreshing = false;
    }

    fn refused(&mut self, now: Moment) -> Answer {
        self.sleeps_until = now + RETRY;
        self.refreshing = false;
        Answer::Failed
    }

    fn calm_until(&self) -> Moment {
        moment_with_left(self.token, 0)
    }

    fn fresh(&self, now: Moment) -> bool {
        left(self.token, now) > SLACK
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_minutes_before_the_end_then_every_ten_seconds() {
        let mut cache = Cache::default();
        assert!(cache.wake(0));
        cache.granted(0);
        assert_eq!(cache.wake_at(), Some(3_360 * SECOND));
        assert!(!cache.wake(3_360 * SECOND - 1) && cache.wake(3_360 * SECOND));
        cache.refused(3_360 * SECOND);
        assert_eq!(cache.wake_at(), Some(3_370 * SECOND));
        assert_eq!(cache.call(3_600 * SECOND - 1), Call::SERVED);
        assert_eq!(cache.call(3_600 * SECOND), Call::FAILED);
    }
}
