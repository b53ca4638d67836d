//! ISO 8601's basic format in UTC, `20150830T123600Z`, as signatures want it.

use alloc::string::String;

use crate::calendar;

/// Of a Unix time.
pub(super) fn basic(wall_ms: u64) -> String {
    let seconds = wall_ms / 1_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = calendar::date(days);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

#[test]
fn dates_are_the_calendar_s() {
    for (seconds, text) in [
        (0, "19700101T000000Z"),
        (951_782_400, "20000229T000000Z"),
        (1_440_938_160, "20150830T123600Z"),
        (1_709_251_199, "20240229T235959Z"),
        (1_709_251_200, "20240301T000000Z"),
        (1_798_761_599, "20261231T235959Z"),
        (1_800_000_000, "20270115T080000Z"),
        (4_107_542_400, "21000301T000000Z"),
    ] {
        assert_eq!(basic(seconds * 1_000 + 999), text);
    }
}
