//! What the names of accounts say, read by other code than the engine's.

use crate::minting::setup::Group;

/// The Unix time, in milliseconds, after which the maker of that account has no use for it. None: it has no such name.
#[must_use]
pub fn lapse_ms(name: &str) -> Option<u64> {
    let when = name.rsplit('-').nth(1)?.as_bytes();
    let number = |from: usize, to: usize| str::from_utf8(when.get(from..to)?).ok()?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    // Days since the epoch, with years that begin in March (Hinnant, "chrono-compatible low-level date algorithms").
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000)
}

/// What is wrong with the name of a new account.
#[must_use]
pub fn fault(name: &str, group: &Group) -> Option<&'static str> {
    let rest = match group.prefix {
        Some(prefix) => name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')),
        None => Some(name),
    };
    let Some(rest) = rest else { return Some("has not the prefix") };
    let parts: Vec<&str> = rest.split('-').collect();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match *parts.as_slice() {
        [random, mark, when, tags] => {
            if random.len() as u64 != group.size || !random.bytes().all(plain) {
                Some("has not the random part that the document asks for")
            } else if mark != "keyless" || when.len() != 16 || lapse_ms(name).is_none() {
                Some("has not our mark and a moment")
            } else if tags.len() != 16 || !tags.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                Some("does not end in two tags")
            } else {
                (name.len() > 100).then_some("is too long")
            }
        }
        _ => Some("has not four parts"),
    }
}
