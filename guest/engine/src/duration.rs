//! Durations as Kubernetes and its tools write them: Go's, `24h`, `1h30m`, `90s` (pkg.go.dev/time#ParseDuration).

use alloc::string::String;

use crate::split;

/// What Go knows, the longer names first where one begins like another.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1e-6),
    ("us", 1e-3),
    ("\u{b5}s", 1e-3),
    ("\u{3bc}s", 1e-3),
    ("ms", 1.0),
    ("s", 1e3),
    ("m", 6e4),
    ("h", 3.6e6),
];

/// Longer ones are a mistake: more than thirty years.
const LONGEST_MS: f64 = 1e12;

/// Milliseconds. None if it is no such duration, or a negative one.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0.0;
    while !rest.is_empty() || total == 0.0 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        // Go takes `1.` and `.5`; a dot alone is nothing.
        let number = decimal(number)?;
        let (name, ms) = UNITS.iter().find(|(name, _)| {
            after.strip_prefix(name).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        })?;
        total += number * ms;
        rest = after.get(name.len()..)?;
        if number == 0.0 && rest.is_empty() {
            break;
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked, and there is no sign in it"
    )]
    (total <= LONGEST_MS).then_some((total + 0.5) as u64)
}

/// Digits with at most one dot among them. By hand: the standard library's reading of every float there is would be a
/// twentieth of the component.
fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = split::once(text, ".").unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0
        || whole.len() + fraction.len() > 15
        || !digits(whole)
        || !digits(fraction)
    {
        return None;
    }
    let value = |value: f64, byte: u8| value * 10.0 + f64::from(byte - b'0');
    let scale = (0..fraction.len()).fold(1.0, |scale, _| scale * 10.0);
    Some(whole.bytes().chain(fraction.bytes()).fold(0.0, value) / scale)
}

/// As a person would write it: `24h`, `90m`, `45s`.
pub(crate) fn text(ms: u64) -> String {
    match ms {
        0 => "0s".into(),
        ms if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        ms if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        ms if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads_is_read() {
        for (text, ms) in [
            ("24h", 86_400_000),
            ("1h0m0s", 3_600_000),
            ("1h30m", 5_400_000),
            ("90s", 90_000),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("250ms", 250),
            ("1m250ms", 60_250),
            ("1500us", 2),
            ("0", 0),
            ("0s", 0),
            ("0h0m0s", 0),
            (" 5m ", 300_000),
        ] {
            assert_eq!(parse(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn what_it_does_not_read_is_no_duration() {
        for text in [
            "",
            "24",
            "h",
            "1d",
            "-1h",
            "1h-5m",
            "1 h",
            "1.2.3s",
            ".s",
            "1hm",
            "1mx",
            "soon",
            "1e9h",
            "99999999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for ms in [0, 1, 999, 1_000, 45_000, 60_000, 5_400_000, 86_400_000] {
            assert_eq!(parse(&text(ms)), Some(ms));
        }
        assert_eq!(text(86_400_000), "24h");
    }
}
