//! Removing: the table, and the key that was stored for it.

use std::fs;

use super::{KEY, add, adding, connection, key_file, text, toml};
use crate::harness::Scratch;

#[test]
fn the_table_goes_with_its_key_and_the_key_at_openai_is_spoken_of() {
    let scratch = Scratch::new();
    add(&scratch, &["a", "--default"]);
    add(&scratch, &["b"]);
    let out = connection(&scratch, &["remove", "a"]).success();
    assert!(out.contains("does not delete the key at OpenAI"), "{out}");
    let left = text(&toml(&scratch));
    assert!(!left.contains("connections.a") && !left.contains("default"), "{left}");
    assert!(!key_file(&scratch, "a").exists() && !key_file(&scratch, "a").parent().unwrap().exists());
    assert_eq!(scratch.keyless(["token", "-c", "b"]).outcome().success(), format!("{KEY}\n"));
    connection(&scratch, &["remove", "a"]).failure(2, "connection-name").says("choose one of b");
}

#[test]
fn a_key_that_is_somebodys_stays() {
    let scratch = Scratch::new();
    let own = scratch.file("own.key", KEY);
    fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    connection(&scratch, &["add", "a", "--key-file", "own.key"]).success();
    let out = connection(&scratch, &["remove", "a"]).success();
    assert!(own.exists() && out.contains("its key is still in the file "), "{out}");

    // Two connections with one key.
    add(&scratch, &["b"]);
    let table = text(&toml(&scratch)).replace("connections.b]", "connections.c]").replace("\"b\"", "\"c\"");
    let both = format!("{}\n{table}", text(&toml(&scratch)));
    fs::write(toml(&scratch), both).unwrap();
    connection(&scratch, &["remove", "b"]).success();
    assert_eq!(scratch.keyless(["token", "-c", "c"]).outcome().success(), format!("{KEY}\n"));
    connection(&scratch, &["remove", "c"]).success();
    assert!(!key_file(&scratch, "b").exists());
    // The directory in which keys are kept is nobody's own.
    let inside = key_file(&scratch, "d");
    let arguments = ["d", "--key-file", inside.to_str().unwrap()];
    adding(&scratch, &arguments).outcome().failure(2, "field-value").says("keeps keys itself");
}

#[test]
fn a_broken_one_can_be_removed_and_a_listener_that_names_it_is_told_of() {
    let scratch = Scratch::new();
    let file = "[connections.bad]\nsince = 07:30:00\n\n[connections.good]\napi_key = 'k'\n\n[proxy.x]\nlisten = '127.0.0.1:0'\nconnection = 'good'\n";
    let path = scratch.file("keyless.toml", file);
    connection(&scratch, &["remove", "bad"]).success();
    assert_eq!(text(&path), file.replace("[connections.bad]\nsince = 07:30:00\n\n", ""));
    let outcome = connection(&scratch, &["remove", "good"]);
    assert_eq!(outcome.code, 0);
    outcome.says("[proxy.x]");
}

#[test]
fn what_cannot_be_cut_out_safely_is_left() {
    let scratch = Scratch::new();
    let file = "connections = { a = { api_key = 'canary' }, b = { api_key = 'k' } }\n";
    let path = scratch.file("keyless.toml", file);
    connection(&scratch, &["remove", "a"]).failure(2, "config-invalid").says_nothing_of("canary");
    adding(&scratch, &["n"]).outcome().failure(2, "config-invalid");
    assert_eq!(text(&path), file);
    assert!(!key_file(&scratch, "n").exists(), "the key goes again");
}
