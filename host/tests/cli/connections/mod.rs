//! `keyless connection`: what it writes, where the key goes, and what happens when something is wrong.

mod add;
mod guide;
#[cfg(feature = "keyring")]
mod keyring;
mod list;
mod remove;
mod revoke;
mod together;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::harness::{Keyless, Outcome, Scratch};

/// A key that must not be seen.
const KEY: &str = "sk-proj-canary0123456789WXYZ";

/// Adds a connection whose key comes from standard input.
fn adding(scratch: &Scratch, arguments: &[&str]) -> Keyless {
    scratch.keyless(["connection", "add"].iter().chain(arguments)).input(format!("{KEY}\n"))
}

#[track_caller]
fn add(scratch: &Scratch, arguments: &[&str]) -> String {
    adding(scratch, arguments).outcome().success()
}

#[track_caller]
fn connection(scratch: &Scratch, arguments: &[&str]) -> Outcome {
    scratch.keyless(["connection"].iter().chain(arguments)).outcome()
}

/// The user's file.
fn toml(scratch: &Scratch) -> PathBuf {
    scratch.path().join(".config/keyless/keyless.toml")
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Where the key of a connection is kept.
fn key_file(scratch: &Scratch, name: &str) -> PathBuf {
    scratch.path().join(".local/share/keyless/keys").join(name).join("key")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Nothing but the file with the key has it, nor any part of it that tells.
#[track_caller]
fn is_nowhere_else(outcome: &Outcome) {
    for part in ["canary", "WXYZ"] {
        assert!(!outcome.out.contains(part) && !outcome.err.contains(part), "{outcome:?}");
    }
}
