//! openai (Python) 3.54, `openai/auth/_workload.py`.

use super::{Token, left, moment_with_left};
use crate::fleet::policy::{Answer, Call, LIFETIME, Policy};
use crate::plot::{Moment, SECOND};

/// `DEFAULT_REFRESH_BUFFER_SECONDS` 1200, and at most half the lifetime (`_refresh_delay_seconds`).
const BUFFER: u64 = if 1_200 * SECOND < LIFETIME / 2 { 1_200 * SECOND } else { LIFETIME / 2 };

/// `get_token` within the buffer: the first caller exchanges and waits, and so do those who come meanwhile. A failure is
/// raised to the caller although the cached token lives on, and the next caller tries again: nothing paces it.
#[derive(Default)]
pub struct Cache {
    token: Option<Token>,
    refreshing: bool,
}

impl Policy for Cache {
    fn call(&mut self, now: Moment) -> Call {
        if left(self.token, now) > BUFFER {
            return Call::SERVED;
        }
        if self.refreshing {
            return Call::WAITS;
        }
        self.refreshing = true;
        Call::ASKS
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
    fn twenty_minutes_before_the_end_a_failure_is_the_callers() {
        let mut cache = Cache::default();
        assert_eq!(cache.call(0), Call::ASKS);
        cache.granted(0);
        assert_eq!(cache.call(2_400 * SECOND - 1), Call::SERVED);
        assert_eq!(cache.call(2_400 * SECOND), Call::ASKS);
        assert_eq!(cache.call(2_400 * SECOND), Call::WAITS);
        assert_eq!(cache.refused(2_400 * SECOND), Answer::Failed);
        assert_eq!(cache.call(2_400 * SECOND + 1), Call::ASKS);
    }
}
