//! AWS's two spellings of a moment.

use time::{Date, Month, OffsetDateTime, Time};

/// `2026-11-21T14:05:09Z`, as in answers.
pub(super) fn written(unix_s: u64) -> String {
    let moment = i64::try_from(unix_s).ok().and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok());
    let moment = moment.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    )
}

/// Unix seconds of `20261121T140509Z`, as in `x-amz-date`.
pub(super) fn read(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(date, 8) || !digits(time, 6) {
        return None;
    }
    let two = |part: &str, from: usize| part.get(from..from + 2)?.parse::<u8>().ok();
    let year = date.get(..4)?.parse().ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(two(date, 4)?).ok()?, two(date, 6)?).ok()?;
    let time = Time::from_hms(two(time, 0)?, two(time, 2)?, two(time, 4)?).ok()?;
    u64::try_from(date.with_time(time).assume_utc().unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::{read, written};

    #[test]
    fn both_ways() {
        assert_eq!(read("20150830T123600Z"), Some(1_440_938_160));
        assert_eq!(written(1_440_938_160), "2015-08-30T12:36:00Z");
        for text in ["20150830T123600", "20151330T123600Z", "2015-08-30T12:36:00Z", "20150830T250000Z", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
