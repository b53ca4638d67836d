//! Whole runs: hosts that keep every promise, and hosts that break one.

use std::collections::BTreeMap;
use std::thread;

use crate::flawed::FLAWS;
use crate::harness::{conformance, conformance_of};

pub(crate) fn small() {
    let outcome = conformance(&["--json"], &["--be", "small"]);
    assert_eq!(outcome.checks("broken"), [""; 0], "{outcome:?}");
    assert_eq!(outcome.checks("unsupported"), [""; 0], "{outcome:?}");
    assert_eq!((outcome.code, &*outcome.err), (0, ""));
}

pub(crate) fn library() {
    let outcome = conformance(&["--json"], &["--be", "library"]);
    assert_eq!(outcome.checks("broken"), [""; 0], "{outcome:?}");
    // It loads the other component.
    assert_eq!(outcome.checks("unsupported"), ["replay"], "{outcome:?}");
    assert_eq!((outcome.code, &*outcome.err), (0, ""));
}

/// Every check has a flaw that it finds. That it finds nothing where there is nothing, the two before have shown.
pub(crate) fn flaws() {
    let known = conformance(&["--json"], &["--be", "small"]).checks("kept");
    let mut missed = BTreeMap::new();
    for several in FLAWS.chunks(4) {
        // Most of the time is spent waiting for what does not happen.
        thread::scope(|scope| {
            let running: Vec<_> = several
                .iter()
                .map(|(flaw, checks)| {
                    let only = checks.iter().flat_map(|check| ["--only", check]);
                    let options: Vec<_> = only.chain(["--json"]).collect();
                    let run = move || conformance(&options, &["--be", "small", "--flaw", flaw]);
                    (flaw, checks, scope.spawn(run))
                })
                .collect();
            for (flaw, checks, running) in running {
                let outcome = running.join().unwrap();
                let broken = outcome.checks("broken");
                println!("  {flaw}: {}", broken.join(", "));
                if broken != *checks || outcome.code != 1 {
                    missed.insert(*flaw, broken);
                }
            }
        });
    }
    assert!(missed.is_empty(), "{missed:#?}");
    let found: Vec<_> = FLAWS.iter().flat_map(|(_, checks)| checks.iter()).collect();
    let without: Vec<_> = known.iter().filter(|check| !found.contains(&&&***check)).collect();
    assert!(without.is_empty(), "no flaw shows that these can fail: {without:?}");
}

/// Whatever the program is, the command comes to an end and says what it met.
pub(crate) fn nonsense() {
    for (program, came) in [
        (&["true"][..], "the program has ended"),
        (&["false"], "the program has ended"),
        (&["cat"], "hello"),
        (&["yes"], "y"),
        (&["no-such-program-anywhere"], "No such file"),
        (&["sh", "-c", "read line; printf '\\377\\n'"], "not UTF-8"),
        (&["sh", "-c", "echo on its last legs >&2; exit 3"], "on its last legs"),
    ] {
        let outcome = conformance_of(&["--only", "hello", "--json"], program);
        assert_eq!(outcome.code, 1, "{outcome:?}");
        let report = outcome.report();
        let found = report["findings"][0]["fault"]["came"].as_str().unwrap_or_default();
        assert!(found.contains(came), "{program:?}: {found}");
    }
}

pub(crate) fn unknown_check() {
    let outcome = conformance(&["--only", "juggling"], &["--be", "small"]);
    assert_eq!((outcome.code, &*outcome.out), (2, ""));
    assert!(outcome.err.contains("`juggling`") && outcome.err.contains("no-redirect"), "{outcome:?}");
}
