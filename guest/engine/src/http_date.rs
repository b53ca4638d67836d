//! The three forms of a date in HTTP (RFC 9110, section 5.6.7).

use crate::calendar;

/// Milliseconds since 1970. None for what is no date, or one before.
#[must_use]
pub(crate) fn unix_ms(text: &str) -> Option<u64> {
    // `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
    let mut parts = text.split([' ', '-']).filter(|part| !part.is_empty());
    let mut next = || parts.next();
    let weekday = next()?;
    let (year, month, day, time) = if weekday.ends_with(',') {
        let (day, month, year, time) = (next()?, next()?, next()?, next()?);
        (next()? == "GMT").then_some((year, month, day, time))?
    } else {
        let (month, day, time, year) = (next()?, next()?, next()?, next()?);
        (year, month, day, time)
    };
    if next().is_some() {
        return None;
    }
    let year = match (number(year)?, year.len()) {
        (year, 4) => year,
        // The standard's window moves with the present; this one does for the lifetime of this code.
        (year, 2) => year + if year < 70 { 2_000 } else { 1_900 },
        _ => return None,
    };
    let month = MONTHS.iter().zip(1..).find_map(|(name, number)| (*name == month).then_some(number))?;
    let days = calendar::days(year, month, number(day)?)?;
    let mut seconds = days * 86_400;
    let mut units = time.split(':');
    // A leap second is the next one.
    for (most, factor) in [(23, 3_600), (59, 60), (60, 1)] {
        seconds += number(units.next()?).filter(|unit| *unit <= most)? * factor;
    }
    if units.next().is_some() {
        return None;
    }
    Some(seconds * 1_000)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn number(text: &str) -> Option<u64> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::unix_ms;

    fn other_opinion(text: &str) -> Option<u64> {
        let moment = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        u64::try_from(moment.as_millis()).ok()
    }

    #[test]
    fn dates_are_read_as_httpdate_reads_them() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "Tue, 29 Feb 2000 23:59:59 GMT",
            "Sun, 29 Feb 2032 12:00:00 GMT",
            "Sat, 01 Mar 2036 00:00:00 GMT",
            "Mon, 31 Dec 2035 23:59:59 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994",
            "Sun, 06 Nov 994 08:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT",
            "soon",
            "",
        ] {
            assert_eq!(unix_ms(text), other_opinion(text), "{text}");
        }
    }
}
