//! `keyless sandbox`: starts, tells where it is, and goes without a trace.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Background, Scratch, keyless};

#[test]
fn it_serves_until_it_is_told_to_stop() {
    for signal in [Signal::INT, Signal::TERM] {
        let scratch = Scratch::new();
        let mut child = Background(
            scratch.keyless(["sandbox", "--json"]).command.stdout(Stdio::piped()).spawn().unwrap(),
        );
        let mut line = String::new();
        BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let places: Value = serde_json::from_str(&line).unwrap();
        let ca = places["ca_file"].as_str().unwrap();
        let document = places["documents"]["native"].as_str().unwrap();
        scratch.keyless(["token", "--ca-cert", ca, "-c", document]).outcome().success();

        kill_process(Pid::from_child(&child.0), signal).unwrap();
        assert_eq!(child.0.wait().unwrap().code(), Some(0));
        assert!(!Path::new(ca).exists(), "it tidies up");
    }
}

#[test]
fn people_are_told_what_to_paste() {
    let scratch = Scratch::new();
    let mut child = Background(scratch.keyless(["sandbox"]).command.stdout(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(child.0.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains("ca.pem") {
        assert_ne!(out.read_line(&mut text).unwrap(), 0, "{text}");
    }
    kill_process(Pid::from_child(&child.0), Signal::TERM).unwrap();
    out.read_to_string(&mut text).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert!(text.contains("token_file_path"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for option in ["--port-issuer", "--port-exchange", "--port-upstream", "--port-admin"] {
        keyless(["sandbox", option, &port]).failure(1, "sandbox-failed").says(&port);
    }
}
