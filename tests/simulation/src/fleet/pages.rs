//! The checked-in drawing and the tables in docs/reliability.md.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::drawing::drawing;
use super::figures::Report;
use super::table::tables;

const DRAWING: &str = "fleet.svg";
const PAGE: &str = "reliability.md";
const BEGIN: &str = "<!-- fleet: written by `make figures` -->\n";
const END: &str = "<!-- fleet: end -->\n";

/// The two files as the report has them, by name.
///
/// # Errors
/// The page is not in `docs`, or its markers are not.
pub fn pages(docs: &Path, report: &Report) -> Result<[(&'static str, String); 2]> {
    let path = docs.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let page = between_markers(&page, &tables(report)).with_context(|| {
        format!("{} has not the lines {BEGIN:?} and {END:?}, in this order", path.display())
    })?;
    Ok([(DRAWING, drawing(report)), (PAGE, page)])
}

/// Writes them.
///
/// # Errors
/// As [`pages`], or a file cannot be written.
pub fn write(docs: &Path, report: &Report) -> Result<()> {
    for (name, content) in pages(docs, report)? {
        let path = docs.join(name);
        fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

fn between_markers(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_is_replaced() {
        let page = format!("before\n{BEGIN}old\n{END}after\n");
        let new = between_markers(&page, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\nnew\n\n{END}after\n"));
        assert_eq!(between_markers(&new, "new\n").unwrap(), new);
        assert_eq!(between_markers(&format!("{END}{BEGIN}"), "new"), None);
    }
}
