//! Runs the tests one after the other, as `cargo test` expects it of a program that is no libtest.

use std::panic::catch_unwind;
use std::process::{Command, exit};
use std::time::Instant;

use serde_json::Value;

use crate::{guide, hosts, traces};

const TESTS: &[(&str, fn())] = &[
    ("the_guide_quotes_the_small_host_as_it_is", guide::quotes_are_the_files),
    ("the_guide_has_the_sections_that_checks_point_to", guide::sections_exist),
    ("the_small_host_keeps_every_promise", hosts::small),
    ("the_library_keeps_every_promise", hosts::library),
    ("each_flaw_is_found_by_its_check", hosts::flaws),
    ("a_program_that_is_no_host_is_told_so", hosts::nonsense),
    ("a_check_that_does_not_exist_is_named", hosts::unknown_check),
    ("traces_are_compared_decision_by_decision", traces::compared),
    ("a_host_without_the_machine_has_nothing_to_replay", traces::unsupported),
];

/// Those whose name holds one of the words that are no options; all, without any.
pub(crate) fn run(arguments: &[&str]) {
    if arguments.contains(&"--list") {
        TESTS.iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    let words: Vec<_> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen =
        TESTS.iter().filter(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(**word)));
    let mut failed = 0;
    for (name, test) in chosen {
        let started = Instant::now();
        let held = catch_unwind(test).is_ok();
        let took = started.elapsed().as_secs_f64();
        println!("test {name} ... {} ({took:.1} s)", if held { "ok" } else { "FAILED" });
        failed += usize::from(!held);
    }
    if failed > 0 {
        println!("\n{failed} failed");
        exit(101);
    }
}

/// `keyless conformance` with these options, on this program as that host.
pub(crate) fn conformance(options: &[&str], host: &[&str]) -> Outcome {
    let itself = std::env::current_exe().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyless"));
    command.arg("conformance").args(options).arg("--").arg(itself).args(host);
    outcome(command)
}

/// The same on any program.
pub(crate) fn conformance_of(options: &[&str], program: &[&str]) -> Outcome {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyless"));
    command.arg("conformance").args(options).arg("--").args(program);
    outcome(command)
}

fn outcome(mut command: Command) -> Outcome {
    // Compiled once for all tests.
    command.env("KEYLESS_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/keyless-cli-cache"));
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// How the command ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Outcome {
    /// The report.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|reason| panic!("{reason}: {self:?}"))
    }

    /// The names of the checks with this verdict.
    #[track_caller]
    pub(crate) fn checks(&self, verdict: &str) -> Vec<String> {
        let report = self.report();
        let findings = report["findings"].as_array().unwrap().iter();
        let found = findings.filter(|finding| finding["verdict"] == verdict);
        found.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect()
    }
}
