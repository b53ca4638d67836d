//! The component as a person wants to see it: what exactly runs, and what it could ever ask for.

use std::fmt::Write as _;

use keyless::ComponentInfo;

use super::printable;

/// For people: aligned lines.
pub(crate) fn text(info: &ComponentInfo, source: &str) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "component  {}", printable(source));
    let _ = writeln!(out, "sha256     {}", info.sha256);
    let _ = writeln!(out, "size       {} bytes", info.size);
    for (label, names) in [("imports", &info.imports), ("exports", &info.exports)] {
        out.push('\n');
        let _ = writeln!(out, "{label}");
        if names.is_empty() {
            out.push_str("  nothing\n");
        }
        for name in names {
            let _ = writeln!(out, "  {}", printable(name));
        }
    }
    out
}
