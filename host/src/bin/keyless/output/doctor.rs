//! A doctor's report as a person wants to read it.

use std::env;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, stdout};

use serde_json::Value;

use super::printable;
use crate::commands::doctor::report::{Report, Status, Step};

/// One line per step; below them what the identity token says, and what to do about each step that does not hold.
pub(crate) fn text(report: &Report) -> String {
    write(report, colours())
}

/// A number of seconds: `59 s`, `59 min`, `23 h`, `30 days`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// On a terminal, unless nobody wants them (no-color.org).
pub(super) fn colours() -> bool {
    let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    stdout().is_terminal() && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn write(report: &Report, coloured: bool) -> String {
    let mut out = String::new();
    for step in &report.steps {
        let (mark, colour) = mark(step.status);
        let mark = if coloured { format!("\x1b[{colour}m{mark:<11}\x1b[0m") } else { format!("{mark:<11}") };
        let line = format!("{mark}  {:<8}  {}", step.step.as_str(), printable(&step.summary));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if let Some(token) = report.steps.iter().find_map(|step| step.detail.get("token")) {
        claims(&mut out, token);
    }
    for step in &report.steps {
        advice(&mut out, step);
    }
    out
}

fn mark(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Ok => ("ok", "32"),
        Status::Warning => ("warning", "33"),
        Status::Failed => ("failed", "31"),
        Status::Skipped => ("skipped", "2"),
        Status::NotReached => ("not reached", "2"),
    }
}

/// What an administrator of the API has to compare.
fn claims(out: &mut String, token: &Value) {
    let text = |name: &str| match token.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Array(several)) => {
            Some(several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    let left = token.get("seconds_left").and_then(Value::as_i64);
    let end = text("expires_at").map(|at| match left {
        Some(left) if left > 0 => format!("{at}, in {}", span(left.unsigned_abs())),
        Some(left) => format!("{at}, {} ago", span(left.unsigned_abs())),
        None => at,
    });
    let key = text("key_id").map(|id| match text("algorithm") {
        Some(algorithm) => format!("{id} ({algorithm})"),
        None => id,
    });
    out.push_str("\nthe identity token says\n");
    let rows = [
        ("issuer", text("issuer")),
        ("subject", text("subject")),
        ("audience", text("audience")),
        ("ends", end),
        ("key", key),
    ];
    for (name, value) in rows {
        let value = value.filter(|value| !value.is_empty());
        let _ = writeln!(out, "  {name:<8}  {}", printable(value.as_deref().unwrap_or("(none)")));
    }
}

fn advice(out: &mut String, step: &Step) {
    let (Some(code), Some(cause), Some(next)) = (&step.code, &step.cause, &step.next) else { return };
    let _ = write!(out, "\n{} {} ({})\n", step.step.as_str(), mark(step.status).0, printable(code));
    let _ = writeln!(out, "  cause  {}", printable(cause));
    let _ = writeln!(out, "  next   {}", printable(next));
    if let Some(after) = step.retry_after_seconds {
        let _ = writeln!(out, "  wait   {}", span(after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::report::StepName;

    #[test]
    fn spans_are_told_in_the_unit_that_a_person_would_take() {
        let told: Vec<_> = [0, 119, 120, 7_199, 7_200, 172_800].into_iter().map(span).collect();
        assert_eq!(told, ["0 s", "119 s", "2 min", "119 min", "2 h", "2 days"]);
    }

    #[test]
    fn colours_change_nothing_but_the_marks() {
        let step = Step::ok(StepName::Grant, "a\nb").doubt("some-code", "why", "what");
        let report = Report::of(vec![Step::ok(StepName::Document, "fine"), step]);
        let plain = write(&report, false);
        assert!(
            plain.starts_with(
                "ok           document  fine\nwarning      grant     a\\nb\nnot reached  source\n"
            ),
            "{plain}"
        );
        assert!(plain.ends_with("\ngrant warning (some-code)\n  cause  why\n  next   what\n"), "{plain}");
        let coloured = write(&report, true);
        assert!(coloured.contains("\x1b[32mok         \x1b[0m  document"), "{coloured}");
        let mut bare = coloured;
        for code in ["\x1b[32m", "\x1b[33m", "\x1b[2m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, plain);
    }
}
