//! Envoy's credential_injector, `source/extensions/http/injected_credentials/oauth2/token_provider.cc`.

use super::{Token, left, moment_with_left};
use crate::fleet::policy::{Answer, Call, LIFETIME, Policy};
use crate::plot::{Moment, SECOND};

/// `token_fetch_retry_interval`, its default.
const RETRY: u64 = 2 * SECOND;

/// A timer at half of the lifetime (`expires_in / 2`), another two seconds after each failure. A request never waits.
/// A token that has expired is not injected (since envoyproxy/envoy#44753).
#[derive(Default)]
pub struct Injector {
    token: Option<Token>,
    timer: Moment,
}

impl Policy for Injector {
    fn call(&mut self, now: Moment) -> Call {
        if left(self.token, now) > 0 { Call::SERVED } else { Call::FAILED }
    }

    fn wake_at(&self) -> Option<Moment> {
        Some(self.timer)
    }

    fn wake(&mut self, now: Moment) -> bool {
        now >= self.timer
    }

    fn granted(&mut self, now: Moment) {
        self.token = Some(Token::new(now));
        self.timer = now + LIFETIME / 2;
    }

    fn refused(&mut self, now: Moment) -> Answer {
        self.timer = now + RETRY;
        Answer::Failed
    }

    fn calm_until(&self) -> Moment {
        moment_with_left(self.token, 0)
    }

    fn fresh(&self, now: Moment) -> bool {
        left(self.token, now) > LIFETIME / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_lifetime_then_every_two_seconds() {
        let mut injector = Injector::default();
        assert!(injector.wake(0));
        injector.granted(0);
        assert_eq!(injector.wake_at(), Some(1_800 * SECOND));
        assert!(!injector.wake(1_800 * SECOND - 1) && injector.wake(1_800 * SECOND));
        injector.refused(1_800 * SECOND);
        assert_eq!(injector.wake_at(), Some(1_802 * SECOND));
        assert_eq!(injector.call(3_600 * SECOND - 1), Call::SERVED);
        assert_eq!(injector.call(3_600 * SECOND), Call::FAILED);
    }
}
