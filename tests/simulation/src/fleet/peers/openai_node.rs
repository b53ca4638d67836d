//! openai (Node) 7.57, `src/auth/workload-identity-auth.ts`.

use super::{Token, left, moment_with_left};
use crate::fleet::policy::{Answer, Call, Policy};
use crate::plot::{Moment, SECOND};

/// `refreshBufferSeconds ?? 1200`.
const BUFFER: u64 = 1_200 * SECOND;

/// `getToken` within the buffer: the caller gets the cached token and an exchange starts behind its back, whose failure
/// is swallowed (`.catch(() => null)`). The next call starts another: nothing paces it. After the end the caller waits.
#[derive(Default)]
pub struct Cache {
    token: Option<Token>,
    refreshing: bool,
}

impl Policy for Cache {
    fn call(&mut self, now: Moment) -> Call {
        let refreshing = self.refreshing;
        let left = left(self.token, now);
        self.refreshing = refreshing || left <= BUFFER;
        match (left, refreshing) {
            (0, true) => Call::WAITS,
            (0, false) => Call::ASKS,
            (1..=BUFFER, false) => Call::ASKS_BEHIND,
            _ => Call::SERVED,
        }
    }

    fn granted(&mut self, now: Moment) {
        self.token = Some(Token::new(now));
        self.refreshing = false;
    }

    fn refused(&mut self, _now: Moment) -> Answer {
        self.refreshing = false;
        Answer::Failed
    }

    fn calm_until(&self) -> Moment {
        moment_with_left(self.token, BUFFER)
    }

    fn fresh(&self, now: Moment) -> bool {
        left(self.token, now) > BUFFER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_minutes_before_the_end_every_call_starts_an_exchange_behind_its_back() {
        let mut cache = Cache::default();
        assert_eq!(cache.call(0), Call::ASKS);
        cache.granted(0);
        assert_eq!(cache.call(2_400 * SECOND - 1), Call::SERVED);
        assert_eq!(cache.call(2_400 * SECOND), Call::ASKS_BEHIND);
        assert_eq!(cache.call(2_400 * SECOND), Call::SERVED);
        cache.refused(2_401 * SECOND);
        assert_eq!(cache.call(2_401 * SECOND), Call::ASKS_BEHIND);
        cache.refused(2_401 * SECOND);
        assert_eq!(cache.call(3_600 * SECOND), Call::ASKS);
        assert_eq!(cache.refused(3_600 * SECOND), Answer::Failed);
    }
}
