//! A key as OpenAI shows it: its beginning, a mask of stars or dots, its end, as in `sk-proj-****...AbCd`.

/// So much has to be shown of both ends for a match to say something: of the end, four characters of 62 are one chance in
/// fourteen million for a key that was chosen at random.
const TELLING: (usize, usize) = (3, 4);

/// Whether the key can be the one that is shown so. What has no mask shows nothing and can be any.
pub(super) fn may_be(shown: &str, key: &str) -> bool {
    let Some((start, end)) = ends(shown) else { return shown.is_empty() || shown == key };
    key.starts_with(start) && key.ends_with(end) && key.len() > start.len() + end.len()
}

/// Whether a key that can be the one that is shown so is that one.
pub(super) fn is_telling(shown: &str) -> bool {
    ends(shown).is_some_and(|(start, end)| start.len() >= TELLING.0 && end.len() >= TELLING.1)
}

/// What stands before and behind the mask.
fn ends(shown: &str) -> Option<(&str, &str)> {
    let mask = |c: char| matches!(c, '*' | '.' | '\u{2026}' | '\u{2022}');
    let start = shown.find(mask)?;
    let end = shown.rfind(mask)?;
    let behind = shown.get(end..)?.chars().next().map_or(end, |c| end + c.len_utf8());
    Some((shown.get(..start)?, shown.get(behind..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-proj-abcdefgh1234WXYZ";

    #[test]
    fn both_ends_have_to_fit() {
        for shown in [
            "sk-proj-****WXYZ",
            "sk-...WXYZ",
            "sk-proj-ab**** ****WXYZ",
            "sk-\u{2026}WXYZ",
            "sk-***...***WXYZ",
        ] {
            assert!(may_be(shown, KEY) && is_telling(shown), "{shown}");
        }
        for shown in ["sk-proj-****wxyz", "sk-svcacct-****WXYZ", "sk-other", "sk-proj-abcdefgh1234***4WXYZ"] {
            assert!(!may_be(shown, KEY), "{shown}");
        }
    }

    #[test]
    fn what_shows_little_can_be_any_and_tells_nothing() {
        for shown in ["", "****", "sk-****", "sk-****YZ", "s***WXYZ"] {
            assert!(may_be(shown, KEY) && !is_telling(shown), "{shown}");
        }
    }
}
