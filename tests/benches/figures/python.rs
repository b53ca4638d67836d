//! The official Python client, installed by name as the tests do.

use std::path::Path;
use std::process::Command;

/// Nanoseconds for a token that is cached, in the client's synchronous form, its faster one.
pub(crate) fn cached_get_token() -> f64 {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let installed = Command::new(peers.join("install")).status().expect("tests/peers/install runs");
    assert!(installed.success(), "the official client has to be installed; see above");
    let output = Command::new(peers.join(".venv/bin/python"))
        .arg(peers.join("cached_get_token.py"))
        .current_dir(&peers)
        .output()
        .expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .unwrap_or_else(|_| panic!("a number: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
