//! docs/write-a-host.md quotes the small host, and checks point to its sections.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::conformance;

const GUIDE: &str = "docs/write-a-host.md";
const SMALL: &str = "tests/hosts/small/src";

/// Every block of Rust in the guide stands in a file of the small host, line by line, as it is quoted.
pub(crate) fn quotes_are_the_files() {
    let files: Vec<_> = fs::read_dir(root().join(SMALL))
        .unwrap()
        .map(|entry| squeezed(&fs::read_to_string(entry.unwrap().path()).unwrap()))
        .collect();
    let guide = fs::read_to_string(root().join(GUIDE)).unwrap();
    let blocks: Vec<_> =
        guide.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 5, "{} blocks", blocks.len());
    for block in blocks {
        let block = squeezed(block);
        assert!(files.iter().any(|file| file.contains(&block)), "in no file of {SMALL}:\n{block}");
    }
}

/// The anchors that findings name are headings of the guide.
pub(crate) fn sections_exist() {
    let guide = fs::read_to_string(root().join(GUIDE)).unwrap();
    let headings =
        guide.lines().filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")));
    let anchors: Vec<_> = headings.map(|heading| format!("{GUIDE}#{}", anchor(heading))).collect();
    let report = conformance(&["--json"], &["false"]).report();
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.len() > 30, "{}", findings.len());
    for finding in findings {
        let guide = finding["guide"].as_str().unwrap();
        assert!(anchors.iter().any(|anchor| anchor == guide), "{guide} is none of {anchors:?}");
        assert_eq!(finding["verdict"], "broken", "{finding}");
    }
    // The table of the guide names them all.
    for finding in findings {
        let name = finding["check"].as_str().unwrap();
        assert!(guide.contains(&format!("| `{name}` |")), "{name} is not in the table of {GUIDE}");
    }
}

/// As GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || " -".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Without the indentation, which a quotation need not have.
fn squeezed(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
