//! `keyless run`: the environment of the program, the proxy beside it, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{ChildStdout, Stdio};

use crate::harness::{Background, Keyless, Scratch, World, keyless};

const KEY: &str = r#"{"api_key":"sk-1","api":{"base_url":"https://api.example/v1","project":"proj_1"}}"#;

#[track_caller]
fn run(script: &str) -> crate::harness::Outcome {
    keyless(["run", "--direct", "-c", KEY, "--", "sh", "-c", script])
}

#[test]
fn the_program_gets_the_credential() {
    let out = run("echo $OPENAI_API_KEY $OPENAI_BASE_URL ${OPENAI_ORG_ID-none} $OPENAI_PROJECT_ID").success();
    assert_eq!(out, "sk-1 https://api.example/v1 none proj_1\n");
}

#[test]
fn what_the_credential_replaces_is_gone() {
    let scratch = Scratch::new();
    let names = "env | cut -d= -f1 | grep -E 'OPENAI|KEYLESS_C|OTHER' | sort | xargs";
    let outcome = scratch
        .keyless(["run", "--direct", "--", "sh", "-c", names])
        .env("KEYLESS_CONNECTION", KEY)
        .env("AIRFLOW_CONN_OPENAI_DEFAULT", "openai://:old@")
        .env("OPENAI_API_KEY", "old")
        .env("OPENAI_ORG_ID", "old")
        .env("OTHER", "stays")
        .outcome();
    assert_eq!(
        outcome.success(),
        "KEYLESS_CACHE_DIR OPENAI_API_KEY OPENAI_BASE_URL OPENAI_PROJECT_ID OTHER\n"
    );
}

#[test]
fn identity_variables_are_used_up() {
    let world = World::new();
    let variables = [
        ("OPENAI_IDENTITY_PROVIDER_ID", "idp_sandbox".to_owned()),
        ("OPENAI_SERVICE_ACCOUNT_ID", "svc_acct_sandbox".to_owned()),
        ("OPENAI_IDENTITY_TOKEN_FILE", world.sandbox.token_path().display().to_string()),
    ];
    let port = world.sandbox.port(keyless_sandbox::ServiceName::Exchange);
    let rule = format!("auth.openai.com:443:127.0.0.1:{port}");
    let script = "env | grep -c ^OPENAI_IDENTITY; test ${#OPENAI_API_KEY} -gt 40";
    let start = world.scratch.keyless(["run", "--direct", "--connect-to", &rule, "--", "sh", "-c", script]);
    let start = start.env("KEYLESS_CA_CERT", world.sandbox.ca_path());
    let outcome = variables.iter().fold(start, |command, (name, value)| command.env(name, value)).outcome();
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "0\n"), "{outcome:?}");
}

#[test]
fn it_ends_as_the_program_does() {
    for code in [0, 1, 42, 255] {
        assert_eq!(run(&format!("exit {code}")).code, code);
    }
    assert_eq!(run("kill -TERM $$").code, 128 + 15);
    assert_eq!(run("kill -KILL $$").code, 128 + 9);
}

#[test]
fn standard_streams_are_the_programs() {
    let scratch = Scratch::new();
    let outcome =
        scratch.keyless(["run", "-c", KEY, "--", "sh", "-c", "cat; echo err >&2"]).input("in").outcome();
    assert_eq!((outcome.code, outcome.out.as_str(), outcome.err.as_str()), (0, "in", "err\n"));
}

#[test]
fn a_program_that_is_not_there_or_no_program() {
    keyless(["run", "-c", KEY, "--", "no-such-program-anywhere"]).failure(127, "program-missing");
    let scratch = Scratch::new();
    let plain = scratch.file("plain", "#!/bin/sh\n");
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    for program in ["./plain", "/"] {
        scratch.keyless(["run", "-c", KEY, "--", program]).outcome().failure(126, "program-not-executable");
    }
}

#[test]
fn the_programs_arguments_are_its_own() {
    let out = keyless(["run", "-c", KEY, "--", "echo", "--help", "-c", "--", "@x"]).success();
    assert_eq!(out, "--help -c -- @x\n");
}

#[test]
fn without_a_credential_nothing_is_started() {
    let world = World::new();
    world.sandbox.remove_token().unwrap();
    world.keyless(["run", "--", "touch", "started"]).outcome().failure(4, "token-file-missing");
    assert!(!world.scratch.path().join("started").exists());
}

#[test]
fn the_credential_opens_the_api() {
    let world = World::new();
    let script = "printf %s \"$OPENAI_API_KEY\"";
    let outcome = world.keyless(["run", "--direct", "--", "sh", "-c", script]).outcome();
    assert_eq!(world.sandbox.tokens_issued(), 1);
    assert!(outcome.success().len() > 40);
}

/// A program behind a proxy of its own, as it sees itself.
struct Proxied {
    child: Background,
    base_url: String,
    key: String,
}

impl Proxied {
    /// It says where its API is and what its key is, and then waits.
    fn start(vendor: &str, run: impl FnOnce(&[&str]) -> Keyless) -> Self {
        let script = format!("echo ${vendor}_BASE_URL; echo ${vendor}_API_KEY; read line");
        let mut keyless = run(&["run", "--", "sh", "-c", &script]);
        let mut child = keyless.command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (base_url, key) = (line(&mut out), line(&mut out));
        Self { child: Background(child), base_url, key }
    }

    fn address(&self) -> &str {
        self.base_url.strip_prefix("http://").unwrap().split('/').next().unwrap()
    }

    /// The head and the body of an answer to a GET below the base URL.
    fn get(&self, path: &str, header: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let path = format!(
            "{}{path}",
            self.base_url.strip_prefix("http://").unwrap().trim_start_matches(self.address())
        );
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n{header}connection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

fn line(out: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[test]
fn a_proxy_of_its_own_keeps_the_program_authorised() {
    let world = World::new();
    let program = Proxied::start("OPENAI", |arguments| world.keyless(arguments));
    assert!(program.base_url.ends_with("/v1"), "{}", program.base_url);
    let authorization = format!("authorization: Bearer {}\r\n", program.key);
    for tokens in 1..=2 {
        let (head, body) = program.get("/models", &authorization);
        assert!(head.starts_with("HTTP/1.1 200") && body.contains("gpt-5"), "{head}");
        assert_eq!(world.sandbox.tokens_issued(), tokens);
        // The second answer is that to the replay of a request that the API refused.
        world.sandbox.revoke(1);
    }
    for header in ["", "authorization: Bearer sk-test-somebody-elses-key\r\n"] {
        let (head, body) = program.get("/models", header);
        assert!(head.starts_with("HTTP/1.1 401") && body.contains("access-bearer"), "{head} {body}");
    }
    let address = program.address().to_owned();
    drop(program.child);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn anthropics_sdks_find_their_own_variables() {
    let key = r#"{"api_key":"sk-ant-1","api":{"type":"anthropic","base_url":"https://api.example"}}"#;
    let scratch = Scratch::new();
    let program = Proxied::start("ANTHROPIC", |arguments| {
        scratch.keyless(arguments).env("KEYLESS_CONNECTION", key).env("OPENAI_API_KEY", "stays")
    });
    assert_eq!(program.base_url, format!("http://{}", program.address()));
    assert!(program.key.starts_with("sk-keyless-"));
    let names = "env | cut -d= -f1 | grep -E 'OPENAI|ANTHROPIC' | sort | xargs; echo $ANTHROPIC_API_KEY";
    let direct = |key: &str| {
        let keyless = scratch.keyless(["run", "--direct", "-c", key, "--", "sh", "-c", names]);
        keyless.env("ANTHROPIC_AUTH_TOKEN", "old").env("OPENAI_API_KEY", "stays").outcome().success()
    };
    assert_eq!(direct(key), "ANTHROPIC_API_KEY ANTHROPIC_BASE_URL OPENAI_API_KEY\nsk-ant-1\n");
}
