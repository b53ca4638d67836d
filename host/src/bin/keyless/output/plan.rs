//! A plan as a person wants to read it before granting anything.

use std::fmt::Write as _;

use keyless::{Plan, Requirements, Variables};

use super::{counted, printable};

/// For people: what the connection says, what it needs, what is doubtful. `variables` are those that are set.
pub(crate) fn text(plan: &Plan, variables: &Variables, origin: &str) -> String {
    let mut out = format!("{} connection from {}\n\n", printable(&plan.dialect), printable(origin));
    settings(&mut out, plan);
    out.push('\n');
    needs(&mut out, "needs", &plan.requirements, variables);
    if let Some(source) = &plan.requirements.source {
        out.push('\n');
        // Its variables are not the connection's.
        let of_source = variables.of_source().cloned().unwrap_or_default();
        let who = format!("{} needs", printable(&source.path));
        needs(&mut out, &who, &source.requirements(), &of_source);
    }
    if !plan.warnings.is_empty() {
        let _ = writeln!(out, "\n{}", counted(plan.warnings.len(), "warning"));
        for warning in &plan.warnings {
            let _ = writeln!(out, "  {}: {}", printable(&warning.code), printable(&warning.message));
        }
    }
    out
}

/// Three columns: name, value, and where the value came from unless it is the document.
fn settings(out: &mut String, plan: &Plan) {
    let rows: Vec<_> = plan
        .settings
        .iter()
        .map(|setting| {
            let origin = match setting.origin.as_str() {
                "document" => "",
                "default" => "default",
                variable => &format!("from ${}", printable(variable)),
            };
            [printable(&setting.name).into_owned(), printable(&setting.value).into_owned(), origin.to_owned()]
        })
        .collect();
    table(out, &rows);
}

/// `who` with its verb.
fn needs(out: &mut String, who: &str, requirements: &Requirements, variables: &Variables) {
    let mut rows = Vec::new();
    for endpoint in &requirements.endpoints {
        rows.push(["send to".to_owned(), printable(&endpoint.to_string()).into_owned(), String::new()]);
    }
    for file in &requirements.files {
        rows.push(["read".to_owned(), printable(file).into_owned(), String::new()]);
    }
    if let Some(certificate) = &requirements.client_certificate {
        rows.push(["present".to_owned(), printable(&certificate.to_string()).into_owned(), String::new()]);
    }
    for name in &requirements.variables {
        let set = if variables.get(name).is_some() { "set" } else { "not set" };
        rows.push(["be given".to_owned(), format!("${}", printable(name)), set.to_owned()]);
    }
    if let Some(source) = &requirements.source {
        rows.push(["ask".to_owned(), printable(&source.path).into_owned(), "for identity tokens".to_owned()]);
    }
    if rows.is_empty() {
        let _ = writeln!(out, "{who} nothing from outside");
    } else {
        let _ = writeln!(out, "{who} to");
        table(out, &rows);
    }
}

/// Indented rows, columns aligned, no space at the end of a line. The width is counted in characters; a column is never
/// padded for the sake of one very long value.
fn table(out: &mut String, rows: &[[String; 3]]) {
    let width = |pick: fn(&[String; 3]) -> &String| {
        rows.iter().map(|row| pick(row).chars().count()).filter(|width| *width <= 64).max().unwrap_or(0)
    };
    let (first, second) = (width(|[name, ..]| name), width(|[_, value, _]| value));
    for [name, value, note] in rows {
        let line = format!("  {name:<first$}  {value:<second$}  {note}");
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_end_without_spaces() {
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        let mut out = String::new();
        table(&mut out, &[row("a", "long value", "default"), row("longer", "v", "")]);
        assert_eq!(out, "  a       long value  default\n  longer  v\n");
    }
}
