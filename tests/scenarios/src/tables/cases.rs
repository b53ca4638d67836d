//! Every folder of `cases/`.

use std::fs;
use std::path::Path;

use crate::scenario::Scenario;

/// All of them, in the order of their names.
pub fn load() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.iter().map(|folder| Scenario::load(folder).unwrap_or_else(|error| panic!("{error:#}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::MARK;
    use crate::hosts::NATIVE;
    use crate::tables::assert_all_hold;

    #[test]
    fn every_case_holds() {
        let cases = load();
        assert!(cases.len() >= 35, "{} cases", cases.len());
        assert_all_hold(&[NATIVE], &cases);
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
}
