//! Help, version, and command lines that cannot be understood.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::harness::{Scratch, keyless};

#[test]
fn help_is_a_result() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["token", "--help"],
        &["run", "--help"],
        &["plan", "--help"],
        &["inspect", "-h"],
        &["sandbox", "--help"],
    ] {
        let out = keyless(arguments).success();
        assert!(out.contains("Usage: keyless") && out.contains("Example"), "{arguments:?}: {out}");
        assert!(!out.contains('\x1b'), "colours: {out}");
    }
}

#[test]
fn version() {
    assert_eq!(keyless(["--version"]).success(), format!("keyless {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn nothing_to_do_shows_the_help_as_an_error() {
    let outcome = keyless::<&str>([]);
    assert_eq!((outcome.code, outcome.out.as_str()), (2, ""));
    outcome.says("Usage: keyless").says("Exit codes:");
}

#[test]
fn a_line_that_cannot_be_understood() {
    for (arguments, what) in [
        (&["tokn"][..], "no such command"),
        (&["token", "--fromat", "json"], "`--fromat` is not understood"),
        (&["token", "--format", "xml"], "`--format` cannot have this value"),
        (&["token", "--timeout", "0"], "`--timeout` cannot have this value"),
        (&["token", "--ca-cert", ""], "`--ca-cert` needs a value"),
        (&["token", "-c"], "`--connection` needs a value"),
        (&["token", "-c", "--format", "json"], "`--connection` needs a value"),
        (&["token", "-c", "{}", "-c", "{}"], "`--connection` is given more than once"),
        (&["run"], "the program to run is missing"),
        (&["sandbox", "--port-admin", "65536"], "`--port-admin` cannot have this value"),
    ] {
        keyless(arguments).failure(2, "usage").says(what).says("next: ");
    }
    keyless(["token", "--fromat", "json"]).says("did you mean `--format`?");
}

#[test]
fn an_empty_variable_says_which() {
    let outcome = Scratch::new().keyless(["inspect"]).env("KEYLESS_CA_CERT", "").outcome();
    outcome.failure(2, "usage").says("unset $KEYLESS_CA_CERT");
}

#[test]
fn arguments_that_are_not_unicode() {
    let raw = OsStr::from_bytes(b"\xff\xfe");
    for arguments in [
        &[raw][..],
        &[OsStr::new("token"), raw],
        &[OsStr::new("token"), OsStr::new("--format"), raw],
        &[OsStr::new("token"), OsStr::new("--connect-to"), raw],
        &[OsStr::new("token"), OsStr::new("-c"), raw],
    ] {
        let outcome = Scratch::new().keyless(arguments).outcome();
        assert_eq!(outcome.code, 2, "{outcome:?}");
        outcome.says("next: ");
    }
}

#[test]
fn a_log_filter_that_cannot_be_read() {
    let outcome = Scratch::new().keyless(["inspect"]).env("KEYLESS_LOG", "keyless=loud").outcome();
    outcome.failure(2, "log-filter-invalid");
}

#[test]
fn log_lines_are_objects_for_machines() {
    let outcome = Scratch::new().keyless(["-vv", "--log-format", "json", "inspect"]).outcome();
    assert_eq!(outcome.code, 0);
    assert!(!outcome.err.is_empty());
    for line in outcome.err.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string() && line["level"].is_string(), "{line}");
    }
}
