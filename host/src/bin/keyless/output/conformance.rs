//! What was found out about a host, as a person wants to read it.

use std::fmt::Write as _;

use super::doctor::colours;
use super::{counted, printable};
use crate::commands::conformance::report::{Finding, Report, Traces, Verdict};

/// One line per promise; below them, for each that is broken, what was expected, what came, and where to read on.
pub(crate) fn text(report: &Report) -> String {
    write(report, colours())
}

fn write(report: &Report, coloured: bool) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{}\ncomponent {}\n", printable(&report.host), printable(&report.component));
    let width = report.findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    for finding in &report.findings {
        let (mark, colour) = mark(finding.verdict);
        let mark = if coloured { format!("\x1b[{colour}m{mark:<11}\x1b[0m") } else { format!("{mark:<11}") };
        let _ = writeln!(out, "{mark}  {:<width$}  {}", finding.check, finding.promise);
    }
    report.findings.iter().for_each(|finding| fault(&mut out, finding));
    if let Some(traces) = &report.traces {
        replayed(&mut out, traces);
    }
    let unsupported = match report.unsupported {
        0 => String::new(),
        count => format!(", {count} unsupported"),
    };
    let seconds = report.took_ms as f64 / 1_000.0;
    let _ = writeln!(
        out,
        "\n{} kept, {} broken{unsupported}, in {seconds:.1} s",
        counted(report.kept, "promise"),
        report.broken
    );
    out
}

fn mark(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Kept => ("kept", "32"),
        Verdict::Broken => ("broken", "31"),
        Verdict::Unsupported => ("unsupported", "33"),
    }
}

fn fault(out: &mut String, finding: &Finding) {
    let Some(fault) = &finding.fault else { return };
    let _ = writeln!(out, "\n{} broken, after {} ms", finding.check, finding.took_ms);
    let _ = writeln!(out, "  expected  {}", printable(&fault.expected));
    let _ = writeln!(out, "  came      {}", printable(&fault.came));
    let _ = writeln!(out, "  guide     {}", finding.guide);
}

fn replayed(out: &mut String, traces: &Traces) {
    let _ = writeln!(out, "\n{} replayed, {} alike", counted(traces.replayed, "trace"), traces.alike);
    for difference in &traces.differences {
        let _ = writeln!(out, "\n{} differs: {}", printable(&difference.name), difference.place);
        let _ = writeln!(out, "  expected  {}", printable(&difference.expected));
        let _ = writeln!(out, "  came      {}", printable(&difference.came));
    }
    if let Some(fault) = &traces.fault {
        let _ = writeln!(
            out,
            "\nthe traces came to no end\n  expected  {}\n  came      {}",
            printable(&fault.expected),
            printable(&fault.came)
        );
    }
}
