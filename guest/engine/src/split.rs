//! Texts taken apart at another text, and put together with one.

use alloc::string::String;

/// What is before and after the first `separator`, which is not empty.
///
/// By hand and slow, for texts of some hundred bytes: the standard library's search is fast for texts of any length, and takes
/// 2.5 KB of the component.
#[must_use]
pub fn once<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let at = text.as_bytes().windows(separator.len()).position(|window| is(window, separator))?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// What is before and after the last `separator`, as above.
#[must_use]
pub(crate) fn last<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let at = text.as_bytes().windows(separator.len()).rposition(|window| is(window, separator))?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

/// Most places differ in the first byte: no call to compare the others.
fn is(window: &[u8], separator: &str) -> bool {
    window.first() == separator.as_bytes().first() && window == separator.as_bytes()
}

/// All of them, with `separator` between. By hand, as above: `join` takes 600 bytes more.
pub(crate) fn joined(texts: &[&str], separator: &str) -> String {
    let mut all = String::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            all.push_str(separator);
        }
        all.push_str(text);
    }
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_joined_is_what_the_standard_library_makes() {
        for texts in [&[][..], &["a"], &["", "b"], &["a", "", "c"]] {
            assert_eq!(super::joined(texts, ", "), texts.join(", "));
        }
    }

    #[test]
    fn it_is_what_the_standard_library_does() {
        for text in ["", "a", "://", "a://", "://b", "a://b://c", "é://é", ":/", ":/://", "a:/b"] {
            assert_eq!(super::once(text, "://"), text.split_once("://"), "{text}");
            assert_eq!(super::last(text, "://"), text.rsplit_once("://"), "{text}");
        }
    }
}
