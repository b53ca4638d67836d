//! docs/reliability.md names a scenario for each failure, and every scenario that it names exists.

#![expect(clippy::unwrap_used, reason = "nothing but tests in this crate")]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// The scenarios of the engine, all files together.
fn failures() -> String {
    let folder = fs::read_dir(root().join("tests/simulation/tests/failures")).unwrap();
    folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// What stands in backquotes in the last column of each row that begins with a number.
fn rows() -> Vec<(u32, Vec<String>)> {
    let document = read("docs/reliability.md");
    let rows = document.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        let number = cells.next()?.parse().ok()?;
        let scenarios = cells.last()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some((number, scenarios))
    });
    rows.collect()
}

fn exists(scenario: &str, failures: &str) -> bool {
    if let Some((file, function)) = scenario.split_once("::") {
        let text = read(file);
        ["fn", "def"].iter().any(|word| text.contains(&format!("{word} {function}(")))
    } else if let Some((table, row)) = scenario.split_once('#') {
        read(table).contains(&format!("\"name\": \"{row}\""))
    } else if let Some(goal) = scenario.strip_prefix("make ") {
        read("Makefile").contains(&format!("\n{goal}:"))
    } else if scenario.starts_with("tests/cases/") {
        root().join(scenario).join("expect.json").is_file()
    } else {
        failures.contains(&format!("fn {scenario}("))
    }
}

#[test]
fn every_failure_has_a_scenario_that_exists() {
    let (rows, failures) = (rows(), failures());
    assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=62).collect::<Vec<_>>());
    let missing: Vec<_> = rows
        .iter()
        .flat_map(|(number, scenarios)| {
            let missing: Vec<_> = scenarios.iter().filter(|scenario| !exists(scenario, &failures)).collect();
            (scenarios.is_empty() || !missing.is_empty()).then(|| format!("{number}: {missing:?}"))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_scenario_is_in_the_documentation() {
    let (named, failures) = (read("docs/reliability.md"), failures());
    let scenarios = failures.lines().filter_map(|line| line.strip_prefix("fn f")?.split_once('('));
    for (name, _) in scenarios.filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_digit())) {
        assert!(named.contains(&format!("`f{name}`")), "f{name} is in no row");
    }
}
