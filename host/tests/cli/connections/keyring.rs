//! With a real keyring: GNOME Keyring on a D-Bus of its own. Part of `--features keyring`; needs `dbus-daemon`,
//! `gnome-keyring-daemon` and `gdbus` (Debian: dbus, gnome-keyring, libglib2.0-bin).

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use serde_json::json;

use super::{KEY, connection, is_nowhere_else, text, toml};
use crate::harness::{Background, Keyless, Scratch};

/// A session with an unlocked keyring.
struct Session {
    scratch: Scratch,
    address: String,
    _keyring: Background,
    _bus: Background,
}

impl Session {
    fn start() -> Self {
        let scratch = Scratch::new();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]).env("HOME", scratch.path());
        let mut bus = Background(bus.stdout(Stdio::piped()).spawn().unwrap());
        let mut address = String::new();
        BufReader::new(bus.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let mut keyring = Command::new("gnome-keyring-daemon");
        keyring.args(["--foreground", "--unlock", "--components=secrets"]).env("HOME", scratch.path());
        keyring.env("XDG_RUNTIME_DIR", scratch.path()).env("DBUS_SESSION_BUS_ADDRESS", &address);
        keyring.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keyring = Background(keyring.spawn().unwrap());
        keyring.0.stdin.take().unwrap().write_all(b"a password").unwrap();
        let mut there = Command::new("gdbus");
        there.args(["wait", "--session", "--timeout", "60", "org.freedesktop.secrets"]);
        assert!(there.env("DBUS_SESSION_BUS_ADDRESS", &address).status().unwrap().success());
        Self { scratch, address, _keyring: keyring, _bus: bus }
    }

    fn keyless(&self, arguments: &[&str]) -> Keyless {
        self.scratch.keyless(arguments).env("DBUS_SESSION_BUS_ADDRESS", &self.address)
    }
}

#[test]
fn a_key_in_the_keyring_is_found_everywhere() {
    let session = Session::start();
    let add =
        ["connection", "add", "a", "--organization", "org-1", "--store", "keyring", "-vvv", "--default"];
    let outcome = session.keyless(&add).input(KEY).outcome();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    is_nowhere_else(&outcome);
    let written = text(&toml(&session.scratch));
    assert!(written.contains("api_key = { keyring = \"a\" }") && !written.contains("canary"), "{written}");

    assert_eq!(session.keyless(&["token"]).outcome().success(), format!("{KEY}\n"));
    let plan = session.keyless(&["plan", "--json", "--lock", "keyless.lock"]).outcome().json();
    assert_eq!(plan["requirements"]["variables"], json!(["keyring:a"]));
    assert_eq!(plan["warnings"], json!([]));
    let locked = session.keyless(&["token", "--locked", "keyless.lock"]).outcome();
    assert_eq!(locked.success(), format!("{KEY}\n"));
    let run = session.keyless(&["run", "--direct", "--", "sh", "-c", "echo $OPENAI_API_KEY"]).outcome();
    assert_eq!(run.success(), format!("{KEY}\n"));
    let doctor = session.keyless(&["doctor", "--no-call", "--json"]).outcome();
    is_nowhere_else(&doctor);
    assert_eq!(doctor.code, 0, "{doctor:?}");
    let shown = session.keyless(&["connection", "show", "a"]).outcome();
    is_nowhere_else(&shown);
    assert!(shown.success().contains("there, 28 characters"));

    // Another file, the same name: another entry.
    let other = ["connection", "add", "a", "--store", "keyring", "--config", "other.toml"];
    session.keyless(&other).input("sk-other").outcome().success();
    assert_eq!(session.keyless(&["token"]).outcome().success(), format!("{KEY}\n"));
    session.keyless(&["connection", "remove", "a"]).outcome().success();
    let other = session.keyless(&["token", "-c", "a", "--config", "other.toml"]).outcome();
    assert_eq!(other.success(), "sk-other\n");
    session.scratch.file("gone.toml", "[connections.a]\napi_key = { keyring = 'a' }\n");
    let gone = session.keyless(&["token", "-c", "a", "--config", "gone.toml"]).outcome();
    gone.failure(2, "keyring-missing").says("[connections.a]");
}

#[test]
fn without_a_session_it_is_told() {
    let scratch = Scratch::new();
    let add = scratch.keyless(["connection", "add", "a", "--store", "keyring"]);
    let add = add.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").input(KEY);
    is_nowhere_else(&add.outcome().failure(1, "keyring-unavailable").says("--store file"));
    assert!(!toml(&scratch).exists());
    assert_eq!(connection(&scratch, &["list", "--format", "json"]).json()["connections"], json!([]));
}
