//! `keyless doctor`: each fault, induced on the sandbox, gets the right diagnosis, and no secret is told.

mod api;
mod document;
mod endpoint;
mod exchange;
mod health;
mod output;
mod source;
mod stage;
mod token_service;

use serde_json::Value;

use self::stage::Stage;
use crate::harness::{Keyless, Outcome};

/// Where a connection goes wrong, and what has to be said of it.
struct Fault {
    /// In words, for whoever reads a failing test.
    name: &'static str,
    /// Brings it about, and gives the command that is to find it.
    induce: fn(&Stage) -> Keyless,
    /// The first step that fails.
    step: &'static str,
    /// Its diagnosis.
    code: &'static str,
    /// How the process ends.
    exit: i32,
    /// Stands in the summary, the cause or the advice.
    phrase: &'static str,
}

/// Induces each fault on a stage of its own, and reads both forms of the report.
#[track_caller]
fn diagnosed(faults: &[Fault]) {
    for fault in faults {
        let name = fault.name;
        let stage = Stage::new();
        let mut keyless = (fault.induce)(&stage);
        keyless.command.arg("doctor");
        let text = keyless.again().outcome();
        keyless.command.arg("--json");
        let json = keyless.outcome();
        for outcome in [&text, &json] {
            assert_eq!((outcome.code, &*outcome.err), (fault.exit, ""), "{name}: {outcome:?}");
            stage.holds_no_secret(outcome, name);
        }
        let report: Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(report["exit_code"], fault.exit, "{name}: {report:#}");
        let step = failed(&report);
        let told = (step["step"].as_str().unwrap(), step["code"].as_str().unwrap());
        assert_eq!(told, (fault.step, fault.code), "{name}: {report:#}");
        for said in
            [step["summary"].to_string() + &step["cause"].to_string() + &step["next"].to_string(), text.out]
        {
            assert!(said.contains(fault.phrase), "{name}: {:?} is not in {said}", fault.phrase);
        }
    }
}

/// The first step that failed. Whatever comes after it and builds on it was not reached.
#[track_caller]
fn failed(report: &Value) -> Value {
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 7, "{report:#}");
    let at = steps.iter().position(|step| step["status"] == "failed").unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!(report["ok"], false, "{report:#}");
    // The endpoint is looked at whether or not there is a token, and any answer tells the time.
    let independent = |step: &Value| step["step"] == "endpoint" || step["step"] == "clock";
    for later in steps[at + 1..].iter().filter(|step| !independent(step)) {
        assert_eq!(later["status"], "not-reached", "{report:#}");
    }
    for step in steps {
        let fine = step["status"] != "failed" && step["status"] != "warning";
        for field in ["code", "cause", "next"] {
            assert_eq!(step[field].is_null(), fine, "{report:#}");
        }
    }
    steps[at].clone()
}

/// The step of this name.
#[track_caller]
fn step(outcome: &Outcome, name: &str) -> Value {
    let report: Value = serde_json::from_str(&outcome.out).unwrap_or_else(|_| panic!("{outcome:?}"));
    let found = report["steps"].as_array().unwrap().iter().find(|step| step["step"] == name);
    found.unwrap_or_else(|| panic!("{report:#}")).clone()
}
