//! Several at once, no room to write, and `serve` beside.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;

use super::{KEY, add, adding, connection, is_nowhere_else, key_file, text, toml};
use crate::harness::Scratch;
use crate::serve::{Serving, get};

#[test]
fn adding_at_the_same_time_loses_none() {
    let scratch = Scratch::new();
    std::thread::scope(|scope| {
        let adding = (0..8).map(|number| {
            let scratch = &scratch;
            scope.spawn(move || adding(scratch, &[&format!("c{number}")]).outcome().success())
        });
        for added in adding.collect::<Vec<_>>() {
            added.join().unwrap();
        }
    });
    let list = connection(&scratch, &["list", "--format", "json"]).json();
    assert_eq!(list["connections"].as_array().unwrap().len(), 8);
    // The same name eight times: one has it, and only its key is kept.
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let adding = (0..8).map(|_| scope.spawn(|| adding(&scratch, &["same"]).outcome()));
        adding.collect::<Vec<_>>().into_iter().map(|added| added.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.code == 0).count(), 1, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(|outcome| outcome.code != 0) {
        outcome.failure(2, "connection-exists");
    }
    let keys = fs::read_dir(scratch.path().join(".local/share/keyless/keys")).unwrap();
    assert_eq!(keys.count(), 9);
}

/// Root may write everywhere, so the command runs as nobody then.
#[test]
fn nothing_is_lost_where_nothing_can_be_written() {
    const NOBODY: u32 = 65534;

    let scratch = Scratch::new();
    add(&scratch, &["a"]);
    let (path, before) = (toml(&scratch), text(&toml(&scratch)));
    let directory = path.parent().unwrap();
    let root = rustix::process::getuid().is_root();
    if root {
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let output =
            std::process::Command::new("chown").args(["-R", "65534:65534"]).arg(scratch.path()).status();
        assert!(output.unwrap().success());
        chown(scratch.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let unprivileged = |mut keyless: crate::harness::Keyless| {
        if root {
            keyless.command.uid(NOBODY).gid(NOBODY);
            // The shared cache is root's.
            keyless.command.env("KEYLESS_NO_CACHE", "1");
        }
        keyless.outcome()
    };
    fs::set_permissions(directory, fs::Permissions::from_mode(0o555)).unwrap();
    let outcome = unprivileged(adding(&scratch, &["b"]));
    is_nowhere_else(&outcome.failure(1, "config-unwritable").says("is as it was"));
    assert!(!key_file(&scratch, "b").exists(), "the key goes again");
    unprivileged(scratch.keyless(["connection", "remove", "a"])).failure(1, "config-unwritable");
    assert_eq!(text(&path), before);
    assert_eq!(text(&key_file(&scratch, "a")), format!("{KEY}\n"));
    let keys = key_file(&scratch, "a").parent().unwrap().parent().unwrap().to_owned();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o500)).unwrap();
    unprivileged(adding(&scratch, &["c"])).failure(1, "key-unwritable");
    assert_eq!(text(&path), before);
}

#[test]
fn serve_takes_up_what_is_added() {
    let scratch = Scratch::new();
    let listener = "[endpoint.x]\nlisten = '127.0.0.1:0'\n";
    scratch.file("keyless.toml", format!("[connections.a]\napi_key = 'sk-a'\n\n{listener}"));
    let mut serving = Serving::start(scratch.keyless(["serve"]));
    let address = serving.address();
    assert_eq!(get(&address, "/v1/credential/added").0, 404);
    add(&scratch, &["added"]);
    serving.logs("the configuration is in effect");
    let (status, body) = get(&address, "/v1/credential/added");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(KEY));
    connection(&scratch, &["remove", "added"]).success();
    serving.logs("the configuration is in effect");
    assert_eq!(get(&address, "/v1/credential/added").0, 404);
    assert_eq!(serving.end(), Some(0));
}
