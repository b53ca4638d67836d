//! The contract's codes: every one is reached by a case or a row of a table.

use std::collections::BTreeSet;

use keyless_engine::Code;

use keyless_scenarios::hosts::NATIVE;
use keyless_scenarios::play;
use keyless_scenarios::tables;

/// Codes that no scenario can reach, and why.
const UNREACHABLE: [(Code, &str); 2] = [
    (Code::AttemptTimeout, "only a host that keeps no deadline; `guest/engine/src/machine/tests.rs` is one"),
    (Code::AccountsLeft, "told by `close` alone; `guest/engine/src/minting/tests.rs` closes"),
];

#[test]
fn every_code_is_reached() {
    let scenarios = tables::all();
    let mut reached = BTreeSet::new();
    for played in play::all(&[NATIVE], &scenarios) {
        reached.extend(played.trace.codes());
    }
    let known: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    let excused: BTreeSet<_> = UNREACHABLE.iter().map(|(code, _)| code.as_str().to_owned()).collect();
    let missing: Vec<_> = known.difference(&reached).filter(|code| !excused.contains(*code)).collect();
    assert!(missing.is_empty(), "no scenario reaches {missing:?}");
    let stale: Vec<_> = excused.intersection(&reached).collect();
    assert!(stale.is_empty(), "reached after all: {stale:?}");
    let unknown: Vec<_> = reached.difference(&known).collect();
    assert!(unknown.is_empty(), "not in the list: {unknown:?}");
}

/// Scripts match on them.
#[test]
fn codes_are_distinct_kebab_case_and_explained() {
    let texts: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), Code::ALL.len());
    for code in Code::ALL {
        let text = code.as_str();
        assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{text}");
        assert!(code.meaning().trim().ends_with('.'), "{text}: {}", code.meaning());
    }
}

/// Whoever looks a code up finds it, and what the code says of itself.
#[test]
fn the_documentation_lists_every_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    for code in Code::ALL {
        let kind = format!("{:?}", code.kind()).to_lowercase();
        // Lines of a doc comment each begin with a space.
        let row = format!("| `{}` | {kind} | {} |", code.as_str(), code.meaning().trim());
        assert!(documentation.contains(&row), "docs/errors.md lacks this row:\n{row}");
    }
}
