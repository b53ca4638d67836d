//! Envoy's secrets as files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::connection::{Fake, bearer};
use crate::serving::serve;

fn tables(directory: &Path) -> Value {
    json!({"sds": {"x": {"directory": directory}}})
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Gives the gateway its turn until this holds.
async fn until(holds: impl Fn() -> bool) {
    let turns = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), turns).await.expect("it never comes to hold");
}

fn has(path: &Path, content: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|file| file.contains(content))
}

#[tokio::test]
async fn each_credential_is_there_in_both_forms() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("sds");
    let fake = Fake::empty(bearer);
    let _serving = serve(tables(&directory), &[("a", &fake)]);
    for generation in [1, 2] {
        fake.issue();
        until(|| has(&directory.join("a.token"), &format!("token-{generation}"))).await;
        assert_eq!(names(&directory), ["a.token", "a.yaml"]);
        assert_eq!(fs::read_to_string(directory.join("a.token")).unwrap(), format!("token-{generation}"));
        assert_eq!(
            fs::read_to_string(directory.join("a.yaml")).unwrap(),
            format!(
                "version_info: \"{generation}\"\nresources:\n\
                 - \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n  \
                 name: \"a\"\n  generic_secret:\n    secret:\n      inline_string: \"Bearer token-{generation}\"\n"
            )
        );
        for name in names(&directory) {
            assert_eq!(fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o7777, 0o600);
        }
    }
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o7777, 0o700);
}

#[tokio::test]
async fn further_headers_have_files_while_the_credential_has_them() {
    let directory = tempfile::tempdir().unwrap();
    let fake = Fake::empty(|generation| {
        let mut headers = bearer(generation);
        if generation == 1 {
            headers.push(("chatgpt-account-id", "account".to_owned()));
        }
        headers
    });
    fake.issue();
    let _serving = serve(tables(directory.path()), &[("a", &fake)]);
    until(|| has(&directory.path().join("a.chatgpt-account-id.yaml"), "\"account\"")).await;
    fake.issue();
    until(|| names(directory.path()) == ["a.token", "a.yaml"]).await;
}

#[tokio::test]
async fn files_go_with_their_table_and_stay_when_everything_ends() {
    let parent = tempfile::tempdir().unwrap();
    let (one, two) = (parent.path().join("one"), parent.path().join("two"));
    let fake = Fake::bearer();
    let mut serving = serve(tables(&one), &[("a", &fake)]);
    until(|| names(&one) == ["a.token", "a.yaml"]).await;

    serving.change(tables(&two), &[("a", &fake)]);
    until(|| names(&one).is_empty() && names(&two) == ["a.token", "a.yaml"]).await;

    serving.change(tables(&one), &[("a", &fake)]);
    until(|| names(&two).is_empty() && names(&one) == ["a.token", "a.yaml"]).await;

    // The connection itself ends and another one takes its place, as after a change of its document.
    fake.end();
    let other = Fake::empty(bearer);
    serving.change(tables(&one), &[("a", &other)]);
    other.issue();
    other.issue();
    until(|| has(&one.join("a.token"), "token-2")).await;

    serving.gateway.drain().await;
    until(|| other.watchers() == 0).await;
    assert_eq!(names(&one), ["a.token", "a.yaml"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let blocking = directory.path().join("a.token");
    let fake = Fake::empty(bearer);
    let _serving = serve(tables(directory.path()), &[("a", &fake)]);
    // No file can take the place of a directory, and not even root can change that.
    fs::create_dir(&blocking).unwrap();
    fake.issue();
    until(|| has(&directory.path().join("a.yaml"), "token-1")).await;
    fs::remove_dir(&blocking).unwrap();
    until(|| has(&blocking, "token-1")).await;
    assert_eq!(names(directory.path()), ["a.token", "a.yaml"]);
}

#[tokio::test]
async fn what_cannot_be_written_safely_changes_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("sds");
    let fake = Fake::bearer();
    let mut serving = serve(tables(&directory), &[("a", &fake)]);
    until(|| names(&directory) == ["a.token", "a.yaml"]).await;

    let open = parent.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let refused = |serving: &mut crate::serving::Serving, tables, names: &[&str]| {
        let connections: Vec<_> = names.iter().map(|name| (*name, &fake)).collect();
        serving.refused(tables, &connections)
    };
    assert_eq!(refused(&mut serving, tables(&open), &["a"]), "sds-directory");
    for names in [&["a/b"][..], &["..", "a"], &["a", "a.token"]] {
        assert_eq!(refused(&mut serving, tables(&directory), names), "serve-config");
    }
    let twice = json!({"sds": {"x": {"directory": directory}, "y": {"directory": directory}}});
    assert_eq!(refused(&mut serving, twice, &["a"]), "serve-config");
    fake.issue();
    until(|| has(&directory.join("a.token"), "token-2")).await;
}
