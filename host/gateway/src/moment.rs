//! Moments as programs read them.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// As `2026-01-31T12:00:00.25Z` (RFC 3339). `None` outside the years that it can show, 1970 to 9999.
pub(crate) fn rfc3339(at: SystemTime) -> Option<String> {
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    let nanos = i128::try_from(since.as_nanos()).ok()?;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_moment_is_shown_where_the_format_can() {
        let at = |millis| rfc3339(UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(at(1_769_860_800_250).as_deref(), Some("2026-01-31T12:00:00.25Z"));
        assert_eq!(at(253_402_300_800_000), None);
        assert_eq!(rfc3339(UNIX_EPOCH - Duration::from_secs(1)), None);
    }
}
