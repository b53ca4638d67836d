//! Connections with names, for people.

use std::fmt::Write as _;
use std::path::Path;

use super::{counted, printable};
use crate::commands::connection::described::Described;
use crate::commands::connection::show::Shown;

const COLUMNS: [&str; 7] = ["NAME", "NICKNAME", "KIND", "ORGANIZATION", "PROJECT", "KEY", ""];

/// All connections of a file; the faults of broken ones below.
pub(crate) fn table(connections: &[Described], file: &Path) -> String {
    let file = file.display().to_string();
    let file = printable(&file);
    if connections.is_empty() {
        return format!("no connections in {file}\nnext: keyless connection add NAME\n");
    }
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(connections.iter().map(row));
    let mut out = format!("{} in {file}\n\n", counted(connections.len(), "connection"));
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(out, "  {}", line.trim_end());
    }
    for connection in connections {
        if let Some(fault) = &connection.fault {
            let _ = write!(
                out,
                "\n{} cannot be used: {} ({})\nnext: {}\n",
                printable(&connection.name),
                printable(&fault.message),
                printable(&fault.code),
                printable(&fault.next)
            );
        }
    }
    out
}

fn row(connection: &Described) -> [String; COLUMNS.len()] {
    let shown = |text: &Option<String>| {
        text.as_deref().map_or_else(|| "-".to_owned(), |text| printable(text).into_owned())
    };
    let note = match (connection.default, &connection.permissions) {
        (true, Some(noted)) => format!("default, noted {noted}"),
        (true, None) => "default".to_owned(),
        (false, Some(noted)) => format!("noted {noted}"),
        (false, None) => String::new(),
    };
    [
        printable(&connection.name).into_owned(),
        shown(&connection.nickname),
        kind(connection),
        shown(&connection.organization),
        shown(&connection.project),
        connection.key.as_ref().map_or("-", |key| key.stored_in).to_owned(),
        note,
    ]
}

fn kind(connection: &Described) -> String {
    if connection.fault.is_some() {
        return "broken".to_owned();
    }
    let dialect = connection.dialect.as_deref().unwrap_or("-");
    let auth = connection.auth.as_deref().unwrap_or("-");
    format!("{}: {}", printable(dialect), printable(auth))
}

/// One connection, line by line.
pub(crate) fn shown(shown: &Shown, file: &Path) -> String {
    let Shown { connection, secret } = shown;
    let mut rows: Vec<(&str, String)> = vec![("file", file.display().to_string())];
    let mut given = |name, value: &Option<String>| {
        rows.extend(value.clone().map(|value| (name, value)));
    };
    given("nickname", &connection.nickname);
    given("organization", &connection.organization);
    given("project", &connection.project);
    given("base URL", &connection.base_url);
    given("permissions", &connection.permissions.as_ref().map(|noted| format!("{noted} (a note)")));
    rows.push(("kind", kind(connection)));
    rows.push(("default", if connection.default { "yes" } else { "no" }.to_owned()));
    if let Some(key) = &connection.key {
        let named = key.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let managed = if key.managed { ", kept by keyless" } else { "" };
        rows.push(("key in", format!("{}{named}{managed}", key.stored_in)));
    }
    if let Some(secret) = secret {
        let state = match (&secret.shape, &secret.fault) {
            (Some(shape), _) => format!("there, {shape}"),
            (None, Some(fault)) => format!("not readable: {} ({})", fault.message, fault.code),
            (None, None) => "not readable".to_owned(),
        };
        rows.push(("key", state));
    }
    let mut out = format!("{}\n\n", printable(&connection.name));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &rows {
        let _ = writeln!(out, "  {name:<width$}  {}", printable(value));
    }
    let warnings = secret.iter().flat_map(|secret| &secret.warnings);
    for warning in warnings {
        let _ = writeln!(out, "\nwarning: {}", printable(warning));
    }
    if let Some(fault) = &connection.fault {
        let _ = write!(
            out,
            "\nit cannot be used: {} ({})\nnext: {}\n",
            printable(&fault.message),
            printable(&fault.code),
            printable(&fault.next)
        );
    }
    out
}
