//! The names of minted accounts. All that is needed to clean up after anybody stands in them, so that nothing has to be
//! remembered anywhere:
//!
//! ```text
//! ci-7f3k2m9q4x1z-keyless-20261202t103015z-9c3f0a77a1b2c3d4
//! ──────┬────────         ───────┬──────── ───┬─────┬──────
//!  prefix, random      when everybody has     │     └ a hash of all the rest: this is ours
//!                      surely done with it    └ who made it
//! ```

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use sha2::{Digest as _, Sha256};

use crate::calendar;
use crate::entropy::Entropy;
use crate::hex::hex;
use crate::split;

/// Between the two halves.
const MARK: &str = "keyless";

/// Of hexadecimal digits.
const DIGITS: usize = 8;

/// What a name takes after prefix and random part: three hyphens, the mark, a moment and two times eight digits.
const AROUND: usize = 3 + MARK.len() + "20261202t103015z".len() + 2 * DIGITS;

/// The longest name that another tool is known to give (Infisical); OpenAI documents no limit.
const LONGEST: usize = 100;

/// What is left of it for prefix and random part, and a hyphen between them.
pub(super) const ROOM: usize = LONGEST - AROUND - 1;

/// A name with our mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    text: String,
    lapse_ms: u64,
    holder: String,
}

impl Name {
    /// A new one. `lapse_ms`: the Unix time after which nobody uses it any more.
    pub(super) fn draw(
        project: &str,
        prefix: &str,
        size: usize,
        lapse_ms: u64,
        holder: &str,
        entropy: &mut Entropy,
    ) -> Self {
        let mut stem = prefix.to_owned();
        if !prefix.is_empty() {
            stem.push('-');
        }
        for _ in 0..size {
            stem.push(letter(entropy));
        }
        let lapse_ms = lapse_ms / 1_000 * 1_000;
        let when = moment(lapse_ms);
        let check = hash(&[MARK, project, &stem, &when, holder]);
        Self { text: format!("{stem}-{MARK}-{when}-{holder}{check}"), lapse_ms, holder: holder.to_owned() }
    }

    /// Reads one back. None if it is somebody else's.
    pub(super) fn parse(text: &str, project: &str) -> Option<Self> {
        let (rest, tags) = split::last(text, "-")?;
        let (rest, when) = split::last(rest, "-")?;
        let (stem, mark) = split::last(rest, "-")?;
        let (holder, check) = tags.split_at_checked(DIGITS)?;
        let ours = mark == MARK && check == hash(&[MARK, project, stem, when, holder]);
        let lapse_ms = unix_ms(when)?;
        ours.then(|| Self { text: text.to_owned(), lapse_ms, holder: holder.to_owned() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The Unix time, in milliseconds, after which nobody uses it any more.
    pub(crate) fn lapse_ms(&self) -> u64 {
        self.lapse_ms
    }

    /// Who made it.
    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    /// Whether it begins with that prefix, and another with the random part.
    pub(super) fn has_prefix(&self, prefix: &str, size: usize) -> bool {
        let stem =
            self.text.len().checked_sub(AROUND).and_then(|end| self.text.get(..end)).unwrap_or_default();
        match stem.split_at_checked(prefix.len()) {
            Some((start, rest)) if start == prefix => {
                rest.len() == size + usize::from(!prefix.is_empty())
                    && (prefix.is_empty() || rest.starts_with('-'))
            }
            _ => false,
        }
    }
}

/// Who makes accounts, as far as names tell: whoever goes by that text.
pub(super) fn holder_of(text: &[&str]) -> String {
    hash(text)
}

fn letter(entropy: &mut Entropy) -> char {
    let digit = u32::try_from(entropy.up_to(35)).unwrap_or(0);
    char::from_digit(digit, 36).unwrap_or('0')
}

/// Each part with its length before it, so that no two lists of parts look alike.
fn hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut digits = hex(&hasher.finalize());
    digits.truncate(DIGITS);
    digits
}

/// ISO 8601, basic form, in lower case.
fn moment(unix_ms: u64) -> String {
    let seconds = unix_ms / 1_000;
    let (year, month, day) = calendar::date(seconds / 86_400);
    let of_day = seconds % 86_400;
    format!("{year:04}{month:02}{day:02}t{:02}{:02}{:02}z", of_day / 3_600, of_day / 60 % 60, of_day % 60)
}

fn unix_ms(moment_text: &str) -> Option<u64> {
    let number = |range| moment_text.get::<core::ops::Range<usize>>(range)?.parse::<u64>().ok();
    let days = calendar::days(number(0..4)?, number(4..6)?, number(6..8)?)?;
    let seconds = days * 86_400 + number(9..11)? * 3_600 + number(11..13)? * 60 + number(13..15)?;
    let ms = seconds * 1_000;
    // Only what is written that way.
    (moment(ms) == moment_text).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(prefix: &str, size: usize) -> Name {
        let mut entropy = Entropy::default();
        Name::draw("proj_1", prefix, size, 1_796_207_415_999, "9c3f0a77", &mut entropy)
    }

    #[test]
    fn a_name_is_read_back_and_no_other_is() {
        for (prefix, size) in [("ci", 12), ("", 12), ("a-b", 1), ("keyless", 36)] {
            let name = drawn(prefix, size);
            assert_eq!(Name::parse(name.as_str(), "proj_1").as_ref(), Some(&name), "{name:?}");
            assert!(
                name.has_prefix(prefix, size)
                    && !name.has_prefix("c", size)
                    && !name.has_prefix(prefix, size + 1)
            );
            assert_eq!(name.lapse_ms(), 1_796_207_415_000);
            assert!(name.as_str().len() <= LONGEST);
            // Somebody else's project, and every other name, however near.
            assert_eq!(Name::parse(name.as_str(), "proj_2"), None);
            for at in 0..name.as_str().len() {
                let mut other = name.as_str().to_owned().into_bytes();
                other[at] = if other[at] == b'1' { b'2' } else { b'1' };
                assert_eq!(Name::parse(core::str::from_utf8(&other).unwrap(), "proj_1"), None);
            }
        }
        for other in [
            "",
            "-",
            "ci",
            "ci-keyless",
            "a-keyless-20261202t103015z-",
            "é-keyless-20261202t103015z-éééééé",
            "a-keyless-20261302t103015z-000000000000",
        ] {
            assert_eq!(Name::parse(other, "proj_1"), None, "{other}");
        }
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment(1_796_207_415_000), "20261202t103015z");
        for ms in [0, 951_782_400_000, 1_796_207_415_000, 4_102_444_799_000] {
            assert_eq!(unix_ms(&moment(ms)), Some(ms));
        }
        for bad in [
            "",
            "20261202T103015Z",
            "20261202t243015z",
            "20260230t000000z",
            "2026120 t103015z",
            "+0261202t103015z",
        ] {
            assert_eq!(unix_ms(bad), None, "{bad}");
        }
    }
}
