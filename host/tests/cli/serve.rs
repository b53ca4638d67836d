//! `keyless serve`: its file, what a change of it does, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Background, Keyless, Scratch, World};

/// A file with one connection that needs nothing from outside, and whatever else.
fn file(key: &str, rest: &str) -> String {
    format!("[connections.a]\napi_key = '{key}'\n{rest}")
}

const ENDPOINT: &str = "[endpoint.x]\nlisten = '127.0.0.1:0'\n";

/// A running `keyless serve`, and what it logs.
pub(crate) struct Serving {
    child: Background,
    log: BufReader<ChildStderr>,
}

impl Serving {
    pub(crate) fn start(mut keyless: Keyless) -> Self {
        keyless.command.stdin(Stdio::null());
        Self::with_input(keyless)
    }

    /// With the standard input that the command has been given.
    pub(crate) fn with_input(mut keyless: Keyless) -> Self {
        keyless.command.args(["--log-format", "json"]).stderr(Stdio::piped());
        let mut child = keyless.command.spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child: Background(child), log }
    }

    /// Reads the log up to a line with this message.
    #[track_caller]
    pub(crate) fn logs(&mut self, message: &str) -> Value {
        let mut seen = Vec::new();
        loop {
            let mut line = String::new();
            if self.log.read_line(&mut line).unwrap() == 0 {
                panic!("{message:?} was not logged: {seen:#?}");
            }
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["message"].as_str().unwrap_or_default().starts_with(message) {
                return line;
            }
            seen.push(line);
        }
    }

    /// Where the next listener is that opens.
    #[track_caller]
    pub(crate) fn address(&mut self) -> String {
        self.logs("listening")["address"].as_str().unwrap().to_owned()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.0), signal).unwrap();
    }

    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.0.wait().unwrap().code()
    }
}

/// Status and body of a GET.
pub(crate) fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

fn token(address: &str) -> String {
    let (status, body) = get(address, "/v1/credential/a");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned()
}

#[test]
fn it_serves_and_ends_by_a_signal() {
    let scratch = Scratch::new();
    scratch.file("keyless.toml", file("sk-first", ENDPOINT));
    let mut serving = Serving::start(scratch.keyless(["serve"]));
    let address = serving.address();
    assert_eq!(token(&address), "sk-first");
    assert_eq!(serving.end(), Some(0));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_change_takes_effect_by_itself_and_a_bad_one_does_not() {
    let scratch = Scratch::new();
    scratch.file("other.toml", file("sk-first", ENDPOINT));
    let mut serving = Serving::start(scratch.keyless(["serve", "-f", "other.toml"]));
    let address = serving.address();
    scratch.file("other.toml", file("sk-second", ENDPOINT));
    serving.logs("the configuration is in effect");
    assert_eq!(token(&address), "sk-second");

    for (bad, says) in [
        ("[connections.a", "not valid TOML"),
        (&*file("sk-third", ""), "names nothing to serve"),
        (&*file("sk-third", "[endpoint.x]\nlisten = '0.0.0.0:0'\n"), "everybody who can reach it"),
        ("connections.a = {}\nendpoint.x.listen = '127.0.0.1:0'\n", "`api_key` is missing"),
    ] {
        scratch.file("other.toml", bad);
        let line = serving.logs("the new configuration is not taken");
        assert!(line["message"].as_str().unwrap().contains(says), "{line}");
        assert!(!line["next"].as_str().unwrap().is_empty());
        assert_eq!(token(&address), "sk-second");
    }

    scratch.file("other.toml", file("sk-fourth", ENDPOINT));
    serving.logs("the configuration is in effect");
    serving.signal(Signal::HUP);
    serving.logs("the configuration is in effect");
    assert_eq!(token(&address), "sk-fourth");
}

#[test]
fn a_connection_whose_document_stays_is_not_opened_again() {
    let world = World::new();
    let document = world.sandbox.documents().native;
    let file = |key: &str| {
        format!("[connections]\na = '''{document}'''\nb = '{{\"api_key\": \"{key}\"}}'\n{ENDPOINT}")
    };
    world.scratch.file("keyless.toml", file("sk-first"));
    let keyless = world.scratch.keyless(["serve"]).env("KEYLESS_CA_CERT", world.sandbox.ca_path());
    let mut serving = Serving::start(keyless);
    let address = serving.address();
    let first = token(&address);
    world.scratch.file("keyless.toml", file("sk-second"));
    serving.logs("the configuration is in effect");
    assert_eq!(token(&address), first);
    assert!(get(&address, "/v1/credential/b").1.contains("sk-second"));
    let exchanges =
        world.tokio.block_on(async { world.sandbox.counters(keyless_sandbox::ServiceName::Exchange) });
    assert_eq!(exchanges.requests, 1);
}

#[test]
fn what_cannot_be_served_is_said_at_the_start() {
    let scratch = Scratch::new();
    let serve = |content: &str| {
        scratch.file("keyless.toml", content);
        scratch.keyless(["serve"]).outcome()
    };
    scratch.keyless(["serve"]).outcome().failure(2, "serve-missing").says("--listen 127.0.0.1:8080");
    serve(&file("sk-1", "")).failure(2, "serve-nothing").says("keyless.toml");
    serve(&file("sk-1", "[endpoint.x]\nlisten = '0.0.0.0:0'")).failure(2, "serve-config").says("endpoint.x");
    serve(&file("sk-1", "[endpoint.x]\nlisten = 8080")).failure(2, "serve-config").says("endpoint.x.listen");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    serve(&file("sk-1", &format!("[endpoint.x]\nlisten = '{address}'"))).failure(1, "listen-in-use");
    serve("[connections.a]\nnonsense = 1\n[endpoint.x]\nlisten = '127.0.0.1:0'").failure(2, "field-missing");
}
