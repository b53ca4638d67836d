//! Adding: what stands in the file afterwards, and where the key is.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{KEY, add, adding, connection, is_nowhere_else, key_file, mode, text, toml};
use crate::harness::{Background, Scratch};

const ALL: [&str; 14] = [
    "research",
    "--organization",
    "org-Acme1",
    "--project",
    "proj_a1",
    "--base-url",
    "http://127.0.0.1:1/v1",
    "--nickname",
    "Research, \"reading\"",
    "--permissions",
    "read-only",
    "--store",
    "file",
    "--default",
];

#[test]
fn a_connection_works_and_the_file_has_no_secret() {
    let scratch = Scratch::new();
    let outcome = adding(&scratch, &[&ALL[..], &["-vvv", "--log-format", "json"]].concat()).outcome();
    assert_eq!(outcome.code, 0, "{outcome:?}");
    is_nowhere_else(&outcome);
    let written = text(&toml(&scratch));
    assert!(!written.contains("canary") && written.contains("# permissions: read-only"), "{written}");
    assert_eq!(text(&key_file(&scratch, "research")), format!("{KEY}\n"));

    let plan = scratch.keyless(["plan", "--json"]).outcome().json();
    assert_eq!((&plan["dialect"], &plan["warnings"]), (&json!("okta"), &json!([])));
    assert_eq!(plan["requirements"]["files"], json!([key_file(&scratch, "research")]));
    assert_eq!(plan["requirements"]["variables"], json!([]));
    let headers = scratch.keyless(["token", "-c", "research", "--format", "json"]).outcome().json();
    assert_eq!(headers["base_url"], "http://127.0.0.1:1/v1");
    let header =
        |name: &str| headers["headers"].as_array().unwrap().iter().find(|h| h["name"] == name).cloned();
    let value = |name: &str| header(name).map(|header| header["value"].clone());
    assert_eq!(value("authorization"), Some(json!(format!("Bearer {KEY}"))), "{headers}");
    assert_eq!(value("openai-organization"), Some(json!("org-Acme1")));
    assert_eq!(value("openai-project"), Some(json!("proj_a1")));
}

#[test]
fn modes_are_those_of_a_secret() {
    let scratch = Scratch::new();
    add(&scratch, &["a"]);
    assert_eq!(mode(&key_file(&scratch, "a")), 0o600);
    assert_eq!(mode(key_file(&scratch, "a").parent().unwrap()), 0o700);
    assert_eq!(mode(&scratch.path().join(".local/share/keyless/keys")), 0o700);
    assert_eq!(mode(&toml(&scratch)), 0o600);
    // A directory that somebody has opened is closed again.
    let keys = scratch.path().join(".local/share/keyless/keys");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o755)).unwrap();
    add(&scratch, &["b"]);
    assert_eq!(mode(&keys), 0o700);
}

#[test]
fn comments_order_mode_and_links_stay() {
    let scratch = Scratch::new();
    let before = "# Ours.\n\n[connections.old]\napi_key = { variable = 'OLD' }   # by hand\n\n# To be served.\n[ops]\nlisten = '127.0.0.1:0'\n";
    let real = scratch.file("real/keyless.toml", before);
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real/keyless.toml", scratch.path().join("keyless.toml")).unwrap();
    add(&scratch, &["new"]);
    let block = "[connections.new]\nnickname = \"new\"\n";
    let after = text(&real);
    assert!(
        after.starts_with(
            "# Ours.\n\n[connections.old]\napi_key = { variable = 'OLD' }   # by hand\n\n[connections.new]\n"
        ),
        "{after}"
    );
    assert!(
        after.contains(block) && after.ends_with("\n\n# To be served.\n[ops]\nlisten = '127.0.0.1:0'\n"),
        "{after}"
    );
    assert_eq!(mode(&real), 0o640);
    assert!(fs::symlink_metadata(scratch.path().join("keyless.toml")).unwrap().is_symlink());
    connection(&scratch, &["remove", "new"]).success();
    assert_eq!(text(&real), before);
    let left: Vec<_> =
        fs::read_dir(scratch.path().join("real")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["keyless.toml"], "neither a lock nor a temporary file is left");
}

#[test]
fn a_key_of_ones_own_stays_where_it_is() {
    let scratch = Scratch::new();
    let file = scratch.file("own.key", KEY);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    connection(&scratch, &["add", "filed", "--key-file", "own.key"]).success();
    let variable = scratch.keyless(["connection", "add", "named", "--key-variable", "MY_KEY"]).outcome();
    variable.success();
    let written = text(&toml(&scratch));
    assert!(written.contains("api_key = { variable = \"MY_KEY\" }"), "{written}");
    assert!(!scratch.path().join(".local").exists(), "nothing was stored");
    assert_eq!(scratch.keyless(["token", "-c", "filed"]).outcome().success(), format!("{KEY}\n"));
    let named = scratch.keyless(["token", "-c", "named"]).env("MY_KEY", KEY).outcome();
    assert_eq!(named.success(), format!("{KEY}\n"));

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let outcome = connection(&scratch, &["add", "open", "--key-file", "own.key"]);
    assert_eq!(outcome.code, 0);
    outcome.says("the mode 0644");
    let missing = connection(&scratch, &["add", "later", "--key-file", "none.key"]);
    assert_eq!(missing.code, 0);
    missing.says("cannot be read");
}

#[test]
fn a_key_is_no_argument() {
    let scratch = Scratch::new();
    for arguments in [
        &["add", "a", KEY][..],
        &["add", KEY],
        &["add", "a", "--key", KEY],
        &["add", "a", "--api-key", KEY],
        &["add", "a", "--organization", KEY],
        &["add", "a", "--nickname", KEY],
        &["add", "a", "--key-variable", KEY],
        &["remove", KEY],
        &["show", KEY],
    ] {
        let outcome =
            connection(&scratch, arguments).failure(2, "key-argument").says("not taken as an argument");
        is_nowhere_else(&outcome);
    }
    assert!(!toml(&scratch).exists());
}

#[test]
fn what_is_wrong_is_told_with_its_form() {
    let scratch = Scratch::new();
    for (arguments, code, says) in [
        (&["a b"][..], "connection-name", "letters, digits"),
        (&[""], "connection-name", "0 bytes"),
        (&["a", "--organization", "Acme"], "field-value", "does not begin with org-"),
        (&["a", "--organization", "proj_1"], "field-value", "seem to be swapped"),
        (&["a", "--project", "org-1"], "field-value", "give it to `--organization`"),
        (&["a", "--project", "proj_"], "field-value", "nothing behind proj_"),
        (&["a", "--base-url", "ftp://x"], "field-url", "base_url"),
        (&["a", "--nickname", " "], "field-value", "no nickname"),
        (&["a", "--key-file", "k", "--key-variable", "K"], "usage", "cannot be combined"),
        (&["a", "--key-file", "k", "--store", "file"], "usage", "cannot be combined"),
        (&["a", "--store", "elsewhere"], "usage", "keyring, file"),
        (&[], "usage", "the name of the connection is missing"),
    ] {
        let outcome = adding(&scratch, arguments).outcome().failure(2, code).says(says);
        is_nowhere_else(&outcome);
    }
    for (input, code, says) in [
        ("", "key-missing", "no key came"),
        (" \n", "key-missing", "no key came"),
        ("sk-canary with spaces", "key-unusable", "cannot stand in a header"),
        ("sk-admin-canary", "key-unusable", "a key of the Admin API"),
    ] {
        let adding = scratch.keyless(["connection", "add", "a"]).input(input);
        is_nowhere_else(&adding.outcome().failure(2, code).says(says));
    }
    assert!(!toml(&scratch).exists() && !scratch.path().join(".local").exists(), "nothing was written");
}

#[test]
fn a_name_and_a_nickname_are_taken_once() {
    let scratch = Scratch::new();
    add(&scratch, &["a", "--nickname", "Research"]);
    adding(&scratch, &["a"]).outcome().failure(2, "connection-exists").says("--replace");
    let taken = adding(&scratch, &["b", "--nickname", "research"]).outcome();
    taken.failure(2, "connection-nickname").says("`a`");
    add(&scratch, &["a-2", "--organization", "org-1"]);
    add(&scratch, &["a-3", "--organization", "org-1"]);
    assert_eq!(text(&toml(&scratch)).matches("[connections.").count(), 3);
}

#[test]
fn replacing_keeps_what_is_not_given_and_deletes_the_old_key() {
    let scratch = Scratch::new();
    add(&scratch, &ALL);
    let old = key_file(&scratch, "research");
    let next = "sk-proj-canary-next";
    let replaced = scratch.keyless(["connection", "add", "research", "--replace", "--project", "proj_b"]);
    replaced.input(next).outcome().success();
    assert_eq!(scratch.keyless(["token", "-c", "research"]).outcome().success(), format!("{next}\n"));
    assert!(!old.exists() && key_file(&scratch, "research-2").exists());
    let shown: Value = connection(&scratch, &["show", "research", "--format", "json"]).json();
    assert_eq!(shown["nickname"], "Research, \"reading\"");
    assert_eq!((&shown["organization"], &shown["project"]), (&json!("org-Acme1"), &json!("proj_b")));
    assert_eq!((&shown["permissions"], &shown["default"]), (&json!("read-only"), &json!(true)));
}

#[test]
fn two_files_may_use_the_same_name() {
    let scratch = Scratch::new();
    add(&scratch, &["a"]);
    add(&scratch, &["a", "--config", "other.toml"]);
    assert!(key_file(&scratch, "a").exists() && key_file(&scratch, "a-2").exists());
    connection(&scratch, &["remove", "a", "--config", "other.toml"]).success();
    assert!(key_file(&scratch, "a").exists() && !key_file(&scratch, "a-2").exists());
}

/// With one, the keyring's own tests say what holds.
#[cfg(not(feature = "keyring"))]
#[test]
fn a_build_without_a_keyring_says_how_to_get_one() {
    let scratch = Scratch::new();
    let outcome = adding(&scratch, &["a", "--store", "keyring"]).outcome();
    is_nowhere_else(&outcome.failure(1, "keyring-unavailable").says("--features keyring"));
    scratch.file("keyless.toml", "[connections.a]\napi_key = { keyring = 'a' }\n");
    scratch.keyless(["token", "-c", "a"]).outcome().failure(1, "keyring-unavailable");
    scratch.file("keyless.toml", "[connections.a]\napi_key = { keyring = ['canary'] }\n");
    let outcome = scratch.keyless(["token", "-c", "a"]).outcome();
    outcome.failure(2, "document-keyring").says("[connections.a]").says_nothing_of("canary");
}

#[test]
fn on_a_terminal_it_is_asked_for_and_not_shown() {
    let scratch = Scratch::new();
    let keyless = env!("CARGO_BIN_EXE_keyless");
    let mut command = Command::new("script");
    command.args(["-qec", &format!("tty; {keyless} connection add a"), "/dev/null"]);
    command.current_dir(scratch.path()).env("HOME", scratch.path()).env("SHELL", "/bin/sh");
    command.env("KEYLESS_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/keyless-cli-cache"));
    let mut child = Background(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
    let (mut stdin, mut stdout) = (child.0.stdin.take().unwrap(), child.0.stdout.take().unwrap());
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"(not shown): ") {
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    // It is asked first, and then the terminal stops showing what is typed.
    let terminal = String::from_utf8_lossy(&seen).lines().next().unwrap().trim().to_owned();
    let shows = || {
        let settings = Command::new("stty").args(["-a", "-F", &terminal]).output().unwrap();
        !String::from_utf8_lossy(&settings.stdout).contains(" -echo ")
    };
    let started = Instant::now();
    while shows() {
        assert!(started.elapsed() < Duration::from_secs(30), "{terminal} still shows what is typed");
    }
    writeln!(stdin, "{KEY}").unwrap();
    stdout.read_to_end(&mut seen).unwrap();
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(child.0.wait().unwrap().success(), "{seen}");
    assert!(seen.contains("added a") && !seen.contains("canary"), "{seen}");
    assert_eq!(text(&key_file(&scratch, "a")), format!("{KEY}\n"));
}
