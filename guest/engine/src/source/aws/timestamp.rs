//! ISO 8601's basic format in UTC, `20150830T123600Z`, as signatures want it.

/// Of a Unix time.
pub(super) fn basic(wall_ms: u64) -> String {
    let seconds = wall_ms / 1_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// The Gregorian date of a day since 1970. Years are counted from March, so that a leap day ends one.
fn date(days: u64) -> (u64, u64, u64) {
    // 400 years have 146097 days; 719468 days lie between 1 March of year 0 and 1 January 1970.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // March to January have 153 days every five months.
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
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
