//! Every folder of `cases/`, on every host.

use std::fs;
use std::path::Path;

use crate::canary::MARK;
use crate::scenario::Scenario;

/// All of them, in the order of their names.
pub(super) fn load() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.iter().map(|folder| Scenario::load(folder).unwrap_or_else(|error| panic!("{error:#}"))).collect()
}

#[test]
fn every_case_holds_on_every_host_and_alike() {
    let cases = load();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    super::assert_all_hold(&cases);
}

/// Otherwise the search for escaped secrets would find nothing because there is nothing to find.
#[test]
fn every_case_holds_a_marked_secret() {
    for case in load() {
        let marked = |text: &str| text.contains(MARK);
        let found = marked(&case.document)
            || case.environment.values().any(|value| marked(value))
            || case.files.values().any(|file| marked(&String::from_utf8_lossy(file)))
            || !case.tokens.secrets().is_empty();
        assert!(found, "{}", case.name);
    }
}
