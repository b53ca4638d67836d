//! Which known name an unknown one was probably meant to be.

use alloc::vec::Vec;

/// The known name that is most like it, if any is like it at all.
pub(crate) fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let alike = known.iter().copied().filter(|other| close(name, other));
    alike.max_by_key(|other| likeness(name, other))
}

/// Whether one may be a misspelling of the other: people leave out words, swap letters, and forget the end.
pub(crate) fn close(a: &str, b: &str) -> bool {
    likeness(a, b) >= ALIKE
}

/// `token_path` for `token_file_path` is above, `host` for `port` below.
const ALIKE: usize = 750;

/// A name that stops short of this length begins too many others.
const SHORTEST_BEGINNING: usize = 3;

/// How much of both names their longest common subsequence covers, in thousandths.
fn likeness(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    // Rows of the usual table, of which two are ever needed; the length of what is common so far.
    let mut row: Vec<usize> = vec![0; b.len() + 1];
    for x in a {
        let (mut left, mut above_left) = (0, 0);
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let here = if plain(*x) == plain(*y) { above_left + 1 } else { left.max(*above) };
            above_left = core::mem::replace(above, here);
            left = here;
        }
    }
    let common = row.last().copied().unwrap_or(0);
    let begins = common == a.len().min(b.len()) && common >= SHORTEST_BEGINNING && a.first() == b.first();
    let score = 2_000 * common / (a.len() + b.len()).max(1);
    if begins { score.max(ALIKE) } else { score }
}

fn plain(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_finds_its_name() {
        let known =
            ["token_file_path", "audience", "host", "organization", "identity_provider_id", "object_id"];
        for (name, meant) in [
            ("token_path", "token_file_path"),
            ("Token-File-Path", "token_file_path"),
            ("audiance", "audience"),
            ("org", "organization"),
            ("identity_provider", "identity_provider_id"),
        ] {
            assert_eq!(nearest(name, &known), Some(meant));
        }
        for name in ["port", "", "x", "client_id", "é"] {
            assert_eq!(nearest(name, &known), None, "{name}");
        }
    }
}
