//! The example programs, among them the quick start of the README: each is started as a reader would start it.

use std::path::Path;
use std::process::{Command, Output};

use keyless_sandbox::{Options, Sandbox, ServiceName};

async fn run(program: &'static str) -> (String, Sandbox) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("SSL_CERT_FILE", sandbox.ca_path())
        .env("KEYLESS_CONNECTION", sandbox.documents().native)
        .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs"));
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(status.success(), "{program}: {status}\n{out}\n{err}");
    assert_eq!(sandbox.counters(ServiceName::Exchange).answered(200), 1);
    (out, sandbox)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quick_start_of_the_readme_lists_the_models() {
    let (out, _) = run(env!("CARGO_BIN_EXE_quick-start")).await;
    assert!(out.contains("gpt-5-mini"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reqwest_streams() {
    let (out, _) = run(env!("CARGO_BIN_EXE_reqwest")).await;
    assert!(out.contains("gpt-5-mini") && out.contains("event: response.completed"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tower_streams() {
    let (out, _) = run(env!("CARGO_BIN_EXE_tower")).await;
    assert!(out.starts_with("200 OK") && out.contains("event: response.completed"), "{out}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn async_openai_streams() {
    let (out, _) = run(env!("CARGO_BIN_EXE_async-openai")).await;
    assert!(out.contains("You said: Good morning"), "{out}");
}

/// What is not compiled as it stands there is a part of what is.
#[test]
fn what_the_readme_says_of_async_openai_is_the_example() {
    let readme = include_str!("../../../host/README.md");
    let (_, block) = readme.split_once("```rust,ignore\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let example: String = include_str!("../examples/async-openai.rs")
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned() + "\n")
        .collect();
    assert!(block.lines().count() > 5 && example.contains(block), "the README has another program:\n{block}");
}
