//! Changing one connection of a `keyless.toml`. Every other byte of the file stays as its author wrote it: comments, order,
//! spelling and line ends.
//!
//! toml_edit says where things stand and how texts are quoted; what is cut and put in are whole lines. Before a change is handed
//! back it is read again, and refused if anything but that connection has become different.

mod place;

use crate::names::Survey;
use crate::{Fault, Names};
use place::{Places, end_of_line, is_blank, start_of_line};

/// One line of a connection's table.
#[derive(Clone, Copy)]
pub enum Line<'a> {
    /// `# text`
    Comment(&'a str),
    /// `key = "value"`
    Text(&'a str, &'a str),
    /// `key = { kind = "value" }`: says where a secret is.
    Reference(&'a str, &'a str, &'a str),
}

/// The text with `[connections.NAME]` and these lines behind the other connections, or in the place of the connection that has
/// this name already. Comments above that one stay.
///
/// # Errors
/// For text that is not TOML, and for a file so written that the change would touch something else.
pub fn put(text: &str, name: &str, lines: &[Line<'_>]) -> Result<String, Fault> {
    let places = Places::read(text)?;
    let old = places.connection(name);
    let (mut edited, mut at, in_place) = match old.first() {
        Some(first) if places.has_header(name) => (cut(text, &old), first.start, true),
        Some(_) => {
            let without = cut(text, &old);
            let at = Places::read(&without)?.behind_connections();
            (without, at, false)
        }
        None => (text.to_owned(), places.behind_connections(), false),
    };
    if at >= edited.len() {
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push_str(line_end(text));
        }
        at = edited.len();
    }
    let (before, after) = edited.split_at_checked(at).unwrap_or((&edited, ""));
    let mut block = block(name, lines);
    if !in_place && !before.is_empty() && !is_blank(last_line(before)) {
        block.insert(0, '\n');
    }
    if !in_place && !after.is_empty() && !is_blank(after.lines().next().unwrap_or_default()) {
        block.push('\n');
    }
    let edited = format!("{before}{}{after}", block.replace('\n', line_end(text)));
    checked(text, edited, Some((name, true)), Names::survey(text)?.default_name())
}

/// The text without the connection of this name, and without the comment directly above it; a comment that a blank line
/// separates from it stays. If `default` names it, that goes as well.
///
/// # Errors
/// As [`put`].
pub fn remove(text: &str, name: &str) -> Result<String, Fault> {
    let places = Places::read(text)?;
    let mut gone: Vec<_> =
        places.connection(name).into_iter().map(|range| places.with_comment(range)).collect();
    let default = Names::survey(text)?.default_name().filter(|default| *default != name).map(str::to_owned);
    if default.is_none() {
        gone.extend(places.default_line());
    }
    gone.sort_by_key(|range| range.start);
    checked(text, cut(text, &gone), Some((name, false)), default.as_deref())
}

/// The text with `default = "NAME"`: in the place of the one that is there, else at the top.
///
/// # Errors
/// As [`put`].
pub fn set_default(text: &str, name: &str) -> Result<String, Fault> {
    let places = Places::read(text)?;
    let line = format!("default = {}", quoted(name));
    let edited = match places.default_value() {
        Some(value) => {
            let (before, after) = (text.get(..value.start), text.get(value.end..));
            format!("{}{}{}", before.unwrap_or_default(), quoted(name), after.unwrap_or_default())
        }
        None => {
            let (heading, rest) = text.split_at_checked(heading(text)).unwrap_or(("", text));
            let end = line_end(text);
            let blank = if rest.lines().next().is_none_or(is_blank) { "" } else { end };
            format!("{heading}{line}{end}{blank}{rest}")
        }
    };
    checked(text, edited, None, Some(name))
}

/// The comment lines directly above `key` in the table of that connection, without their signs.
#[must_use]
pub fn comments_above(text: &str, name: &str, key: &str) -> Vec<String> {
    let Ok(places) = Places::read(text) else { return Vec::new() };
    let Some(line) = places.key_of(name, key) else { return Vec::new() };
    let above = text.get(places.with_comment(line.clone()).start..line.start).unwrap_or_default();
    above.lines().map(|line| line.trim().trim_start_matches('#').trim().to_owned()).collect()
}

fn block(name: &str, lines: &[Line<'_>]) -> String {
    let mut block = format!("[connections.{name}]\n");
    for line in lines {
        let line = match line {
            Line::Comment(text) => format!("# {text}\n"),
            Line::Text(key, value) => format!("{key} = {}\n", quoted(value)),
            Line::Reference(key, kind, value) => format!("{key} = {{ {kind} = {} }}\n", quoted(value)),
        };
        block.push_str(&line);
    }
    block
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

/// Without these lines, and without the blank lines that they would leave side by side.
fn cut(text: &str, gone: &[std::ops::Range<usize>]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for range in gone {
        kept.push_str(text.get(from..range.start).unwrap_or_default());
        from = range.end.max(from);
        if kept.is_empty() || is_blank(last_line(&kept)) {
            while from < text.len() && is_blank(text.get(from..end_of_line(text, from)).unwrap_or_default()) {
                from = end_of_line(text, from);
            }
        }
    }
    let rest = text.get(from..).unwrap_or_default();
    kept.push_str(rest);
    if rest.is_empty() && !gone.is_empty() {
        while !kept.is_empty() && is_blank(last_line(&kept)) {
            kept.truncate(start_of_line(&kept, kept.len().saturating_sub(1)));
        }
    }
    kept
}

/// The line that ends with the text.
fn last_line(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.get(start_of_line(text, text.len())..).unwrap_or_default()
}

/// The end of comments at the top that a blank line separates from the rest: they are about the file.
fn heading(text: &str) -> usize {
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let start = at;
    while text.get(at..).is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with('#')) {
        at = end_of_line(text, at);
    }
    let blank = end_of_line(text, at);
    if at > start && blank > at && is_blank(text.get(at..blank).unwrap_or_default()) { blank } else { start }
}

fn line_end(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// `edited`, if it has this default and differs from `text` in nothing else but one connection, which has to be there or not.
fn checked(
    text: &str,
    edited: String,
    changed: Option<(&str, bool)>,
    default: Option<&str>,
) -> Result<String, Fault> {
    let (before, after) = (Names::survey(text)?, Names::survey(&edited));
    let as_intended = |after: &Survey| {
        let others = |survey: &Survey| {
            let each = survey.each().filter(|(name, _)| changed.is_none_or(|(changed, _)| changed != *name));
            each.map(|(name, document)| (name.to_owned(), document.ok().cloned())).collect::<Vec<_>>()
        };
        others(&before) == others(after)
            && before.others() == after.others()
            && after.default_name() == default
            && changed.is_none_or(|(name, there)| after.each().any(|(other, _)| other == name) == there)
    };
    if after.as_ref().is_ok_and(as_intended) {
        return Ok(edited);
    }
    Err(Fault::new(
        "is written in a way that cannot be changed without touching something else",
        "write each connection as a table of its own, [connections.NAME], or make the change by hand",
    ))
}

#[cfg(test)]
mod tests;
