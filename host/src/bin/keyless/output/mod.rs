//! What the command writes: results to standard output, problems to standard error, nothing else anywhere.

pub(crate) mod accounts;
pub(crate) mod component;
#[cfg(unix)]
pub(crate) mod conformance;
pub(crate) mod connection;
pub(crate) mod credential;
pub(crate) mod doctor;
pub(crate) mod plan;
pub(crate) mod problem;

use std::borrow::Cow;
use std::io::{self, Write as _};

use problem::{Class, Problem};

/// Writes a result to standard output, all of it or with an error. The only place from which a secret leaves.
pub(crate) fn write(text: &str) -> Result<(), Problem> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|reason| {
        Problem::new(
            Class::Failed,
            "output-failed",
            format!("standard output cannot be written to: {reason}"),
            "check the disk, or the program that reads the output",
        )
    })
}

/// Says something beside the result, on standard error. Nobody may be there to read it.
pub(crate) fn tell(text: &str) {
    let _unwritable = writeln!(io::stderr().lock(), "keyless: {text}");
}

/// A value as indented JSON with a final newline.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, Problem> {
    let mut text = serde_json::to_string_pretty(value).map_err(|reason| {
        Problem::new(
            Class::Failed,
            "output-json",
            format!("the result has no JSON form: {reason}"),
            "report this as a bug",
        )
    })?;
    text.push('\n');
    Ok(text)
}

/// Text that may come from a document, made fit for one line of a terminal: what could move the cursor, break the line or
/// turn the writing direction is shown as an escape.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(misleading) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if misleading(c) {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
        shown
    }))
}

fn misleading(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `count` and the noun, with an s where there is not exactly one.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(printable("größer `als` \"x\" 漢字"), "größer `als` \"x\" 漢字");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(printable("a\x1b]0;b\x07\u{202e}c"), "a\\u{1b}]0;b\\u{7}\\u{202e}c");
    }
}
