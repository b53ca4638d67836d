//! `Retry-After`, and the `Date` beside it: two lines. Dates are read as httpdate reads them.

#![no_main]

use std::time::UNIX_EPOCH;

use keyless_engine::io::{Now, Response};
use keyless_engine::retry_after;
use libfuzzer_sys::fuzz_target;

/// What is longer is cut to a year.
const LONGEST_MS: u64 = 31_536_000_000;
const NOW: Now = Now { wall_ms: 784_111_740_000, monotonic_ms: 7 };

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    // Whoever receives a header has trimmed its value (RFC 9110, section 5.5).
    let (after, date) =
        text.split_once('\n').map_or((&*text, None), |(after, date)| (after, Some(date.trim())));
    let ours = wait(after, date);
    assert_eq!(ours, wait(&format!(" {after}\t"), date), "white space around it means nothing");
    let after = after.trim();
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = after.parse::<u128>().unwrap_or(u128::MAX);
        let expected = seconds.saturating_mul(1_000).min(u128::from(LONGEST_MS));
        assert_eq!(ours.map(u128::from), Some(expected), "seconds");
        return;
    }
    // What the other reads is read here, and as the same moment. Here a date may be less tidy.
    if let Some(until) = unix_ms(after) {
        let from = match date.map(|date| (unix_ms(date), wait("Sun, 06 Nov 1994 08:49:37 GMT", Some(date)))) {
            Some((Some(sent), _)) => sent,
            // Only this side can read it.
            Some((None, Some(left))) if left != 37_000 => return,
            _ => NOW.wall_ms,
        };
        assert_eq!(ours, Some(until.saturating_sub(from).min(LONGEST_MS)), "{after} from {date:?}");
    }
});

fn wait(after: &str, date: Option<&str>) -> Option<u64> {
    let mut headers = vec![("Retry-After".to_owned(), after.to_owned())];
    headers.extend(date.map(|date| ("date".to_owned(), date.to_owned())));
    retry_after::read(&Response { status: 429, headers, body: Vec::new().into() }, NOW)
}

/// The other opinion.
fn unix_ms(text: &str) -> Option<u64> {
    let moment = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(moment.as_millis()).ok()
}
