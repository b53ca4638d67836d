//! The sandbox's own clock. It can be put ahead, so that a test sees a token expire without waiting for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// Wall time as the issuer, the token endpoint and the API see it.
#[derive(Default)]
pub(crate) struct Clock {
    ahead_ms: AtomicU64,
}

impl Clock {
    /// Milliseconds since the Unix epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(real).saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Whole seconds since the Unix epoch, as a JWT counts them.
    pub(crate) fn now_s(&self) -> u64 {
        self.now_ms() / 1_000
    }

    /// As a `Date` header has it (RFC 9110, section 6.6.1). Stands still at the end of the year
    /// 9999, the last that it can express.
    pub(crate) fn http_date(&self) -> Option<HeaderValue> {
        /// 9999-12-31T23:59:59Z
        const LAST_S: u64 = 253_402_300_799;
        let now = UNIX_EPOCH.checked_add(Duration::from_secs(self.now_s().min(LAST_S)))?;
        HeaderValue::try_from(httpdate::fmt_http_date(now)).ok()
    }

    /// Puts the clock ahead, on top of earlier calls.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(millis(by), Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
