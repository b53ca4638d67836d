//! The Gregorian calendar, without a time zone. Years are counted from March inside, so that a leap day ends one.

/// 400 years.
const ERA: u64 = 146_097;

/// Days between 1 March of the year 0 and 1 January 1970.
const EPOCH: u64 = 719_468;

/// Year, month and day of a day since 1970.
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day_of_era) = (days / ERA, days % ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // March to January have 153 days every five months.
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Days since 1970. None before, or when the month has no such day. `year` has at most four digits.
pub(crate) fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let march_year = year.checked_sub(u64::from(month <= 2))?;
    let (era, year_of_era) = (march_year / 400, march_year % 400);
    let shifted = if month <= 2 { month + 9 } else { month - 3 };
    let day_of_year = (153 * shifted + 2) / 5 + day.checked_sub(1)?;
    let days = era * ERA + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = days.checked_sub(EPOCH)?;
    (date(days) == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree_on_every_day() {
        let mut before = (1969, 12, 31);
        for day in 0..800_000 {
            let (year, month, day_of_month) = date(day);
            assert_eq!(days(year, month, day_of_month), Some(day));
            assert!((year, month, day_of_month) > before);
            before = (year, month, day_of_month);
        }
        for (year, month, day) in [
            (1969, 12, 31),
            (2023, 2, 29),
            (2100, 2, 29),
            (2024, 4, 31),
            (2024, 1, 0),
            (2024, 13, 1),
            (0, 1, 1),
        ] {
            assert_eq!(days(year, month, day), None, "{year}-{month}-{day}");
        }
        assert_eq!(days(2024, 2, 29), Some(19_782));
    }
}
