//! Where in the text of a `keyless.toml` things stand, in whole lines.

use std::ops::Range;

use toml_edit::{Document, Item, Table};

use crate::Fault;

/// A `keyless.toml` whose places are known.
pub(super) struct Places<'t> {
    text: &'t str,
    document: Document<&'t str>,
}

impl<'t> Places<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, Fault> {
        match Document::parse(text) {
            Ok(document) => Ok(Self { text, document }),
            // The other reader says where, and quotes nothing.
            Err(_) => Err(crate::Names::survey(text)
                .err()
                .unwrap_or_else(|| Fault::new("is not valid TOML", "check the quotes and brackets in it"))),
        }
    }

    /// The lines of a connection, in their order. None without it.
    pub(super) fn connection(&self, name: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if let Some(connections) = self.connections()
            && let Some((key, item)) = connections.get_key_value(name)
        {
            match (item, key.span()) {
                (Item::Value(value), Some(key)) => {
                    found.extend(value.span().map(|value| key.start..value.end));
                }
                (item, _) => tables(item, &mut found),
            }
        }
        let mut found: Vec<_> = found.into_iter().map(|range| self.whole_lines(range)).collect();
        found.sort_by_key(|range| range.start);
        found
    }

    /// Whether it begins with `[connections.NAME]`, or with a table in it.
    pub(super) fn has_header(&self, name: &str) -> bool {
        let item = self.connections().and_then(|connections| connections.get(name));
        item.and_then(Item::as_table).is_some_and(|table| !table.is_dotted())
    }

    /// The line of a key in the table of a connection.
    pub(super) fn key_of(&self, name: &str, key: &str) -> Option<Range<usize>> {
        let table = self.connections()?.get(name)?.as_table()?;
        let (key, item) = table.get_key_value(key)?;
        Some(self.whole_lines(key.span()?.start..item.span()?.end))
    }

    /// With the comment lines directly above. Those with which the file begins are about the file.
    pub(super) fn with_comment(&self, lines: Range<usize>) -> Range<usize> {
        let mut start = lines.start;
        while start > 0 {
            let above = start_of_line(self.text, start - 1);
            if !self.is_comment(above) {
                return start..lines.end;
            }
            start = above;
        }
        // Nothing but comments up to the top.
        lines
    }

    /// Where a further table of connections may stand: behind the last of them, else at the end.
    pub(super) fn behind_connections(&self) -> usize {
        let mut found = Vec::new();
        if let Some(item) = self.document.get("connections")
            && self.connections().is_some_and(|table| !table.is_dotted())
        {
            tables(item, &mut found);
        }
        let Some(end) = found.into_iter().map(|range| self.whole_lines(range).end).max() else {
            return self.text.len();
        };
        // Settings that are commented out belong to the table above, unless a table follows directly.
        let mut below = end;
        while below < self.text.len() && self.is_comment(below) {
            below = end_of_line(self.text, below);
        }
        let next = self.text.get(below..end_of_line(self.text, below)).unwrap_or_default();
        if is_blank(next) { below } else { end }
    }

    /// What `default` says.
    pub(super) fn default_value(&self) -> Option<Range<usize>> {
        self.document.get("default")?.as_value()?.span()
    }

    /// The line that says it.
    pub(super) fn default_line(&self) -> Option<Range<usize>> {
        self.default_value().map(|value| self.whole_lines(value))
    }

    fn connections(&self) -> Option<&Table> {
        self.document.get("connections")?.as_table()
    }

    fn whole_lines(&self, range: Range<usize>) -> Range<usize> {
        start_of_line(self.text, range.start)..end_of_line(self.text, range.end)
    }

    fn is_comment(&self, at: usize) -> bool {
        self.text.get(at..end_of_line(self.text, at)).is_some_and(|line| line.trim_start().starts_with('#'))
    }
}

/// The tables in an item that have a header, each with the last of its values; values without a header as they are.
fn tables(item: &Item, found: &mut Vec<Range<usize>>) {
    match item {
        Item::Table(table) => {
            let header = table.span().filter(|_| !table.is_dotted() && !table.is_implicit());
            match header {
                Some(header) => found.push(header.start..end(table).unwrap_or(0).max(header.end)),
                None => loose(table, found),
            }
            below(table, found);
        }
        Item::ArrayOfTables(array) => {
            for table in array {
                if let Some(header) = table.span() {
                    found.push(header.start..end(table).unwrap_or(0).max(header.end));
                }
                below(table, found);
            }
        }
        Item::Value(_) | Item::None => {}
    }
}

/// The tables with a header below a table.
fn below(table: &Table, found: &mut Vec<Range<usize>>) {
    for (_, item) in table {
        match item {
            Item::Table(inner) if inner.is_dotted() => below(inner, found),
            item => tables(item, found),
        }
    }
}

/// Values that stand in another table's lines: `connections.a.api_key = "..."`.
fn loose(table: &Table, found: &mut Vec<Range<usize>>) {
    for (name, item) in table {
        match item {
            Item::Value(value) => {
                let key = table.key(name).and_then(toml_edit::Key::span);
                found.extend(key.zip(value.span()).map(|(key, value)| key.start..value.end));
            }
            Item::Table(inner) if inner.is_dotted() => loose(inner, found),
            _ => {}
        }
    }
}

/// The end of the last value that stands below a table's own header.
fn end(table: &Table) -> Option<usize> {
    let ends = table.iter().filter_map(|(_, item)| match item {
        Item::Value(value) => value.span().map(|value| value.end),
        Item::Table(inner) if inner.is_dotted() => end(inner),
        _ => None,
    });
    ends.max()
}

pub(super) fn start_of_line(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// With its newline.
pub(super) fn end_of_line(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |newline| at + newline + 1)
}

pub(super) fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}
