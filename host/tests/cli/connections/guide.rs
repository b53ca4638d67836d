//! What docs/connections.md tells people to type, typed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{connection, text, toml};
use crate::harness::Scratch;

/// The blocks of a page in that language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    page.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_page_works_as_it_stands() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/connections.md")).unwrap();
    let scratch = Scratch::new();
    for (file, key) in [("read-only.key", "sk-proj-reading-0001"), ("full.key", "sk-proj-full-0002")] {
        fs::set_permissions(scratch.file(file, key), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let keyless = Path::new(env!("CARGO_BIN_EXE_keyless")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(keyless.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let steps = blocks(&page, "sh");
    assert!(steps.len() >= 4, "{steps:?}");
    let mut said = String::new();
    for step in steps {
        // A shell for each, started as the command is, in the same directory.
        let mut shell = scratch.keyless(["-euc", step]).env("PATH", path.as_ref().unwrap());
        let mut bash = std::process::Command::new("bash");
        bash.args(shell.command.get_args()).current_dir(scratch.path()).env_clear();
        bash.envs(shell.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.command = bash;
        said.push_str(&shell.outcome().success());
    }
    for (shown, why) in [
        ("openai-organization: org-abc123", "the organization of both is sent"),
        ("authorization: Bearer sk-proj-reading-0001", "the one key"),
        ("authorization: Bearer sk-proj-full-0002", "the other"),
        ("does not delete the key at OpenAI", "removing says what it does not do"),
    ] {
        assert!(said.contains(shown), "{why}: {said}");
    }
    let left = connection(&scratch, &["list", "--format", "json"]).json();
    assert_eq!(left["connections"].as_array().unwrap().len(), 1);
    // What the page shows of the file is what was written.
    let shown = blocks(&page, "toml")[0];
    let table = |text: &str| {
        text.lines().filter(|line| !line.contains("api_key")).map(str::to_owned).collect::<Vec<_>>()
    };
    let written = table(&text(&toml(&scratch)));
    for line in table(shown).iter().filter(|line| !line.contains("full") && !line.is_empty()) {
        assert!(written.contains(line), "{line} is not in {written:?}");
    }
}
