//! `Retry-After` in both its forms (RFC 9110, section 10.2.3).

use crate::http_date;
use crate::io::{Now, Response};

/// Longer than a year says no more than a year, and fits into the numbers of every host: JavaScript's end at 2^53.
const LONGEST_MS: u64 = 365 * 86_400_000;

/// Milliseconds to wait, as the response asks, a year at most. None when it does not ask, or not in a form that can be read.
#[must_use]
pub fn read(response: &Response, now: Now) -> Option<u64> {
    asked(response, now).map(|ms| ms.min(LONGEST_MS))
}

fn asked(response: &Response, now: Now) -> Option<u64> {
    let text = response.header("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for a number mean a very long time.
        return Some(text.parse::<u64>().map_or(u64::MAX, |seconds| seconds.saturating_mul(1_000)));
    }
    let until = http_date::unix_ms(text)?;
    // Against the sender's own clock where it shows one: this machine's may be wrong.
    let from = response.header("date").and_then(http_date::unix_ms).unwrap_or(now.wall_ms);
    Some(until.saturating_sub(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)]) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response { status: 429, headers, body: Vec::new().into() };
        // 1994-11-06 08:49:00 GMT
        read(&response, Now { wall_ms: 784_111_740_000, monotonic_ms: 7 })
    }

    #[test]
    fn seconds_and_dates() {
        assert_eq!(wait(&[("Retry-After", "120")]), Some(120_000));
        assert_eq!(wait(&[("retry-after", " 0 ")]), Some(0));
        assert_eq!(wait(&[("retry-after", "99999999999999999999999")]), Some(31_536_000_000));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(37_000));
        assert_eq!(wait(&[("retry-after", "Sunday, 06-Nov-94 08:49:37 GMT")]), Some(37_000));
        assert_eq!(wait(&[("retry-after", "Sun Nov  6 08:49:37 1994")]), Some(37_000));
        let past = ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT");
        assert_eq!(wait(&[past]), Some(0));
        assert_eq!(wait(&[past, ("date", "Sun, 06 Nov 1994 07:59:50 GMT")]), Some(10_000));
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        for bad in ["", "-1", "1.5", "soon", "Sun, 99 Nov 1994 08:49:37 GMT", "0x10"] {
            assert_eq!(wait(&[("retry-after", bad)]), None, "{bad}");
        }
        assert_eq!(wait(&[]), None);
    }
}
