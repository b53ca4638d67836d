//! Secrets are where they have to be, and nowhere else: not in what is logged or shown, not in the memory of the process
//! or its component once they are done with.

use std::time::Duration;

use keyless_sandbox::{Fault, ServiceName};

use crate::memory::copies;
use crate::outside::Outside;
use crate::subject::Subject;

/// Long enough to be found nowhere by accident.
const PIECE: usize = 24;

/// Texts by which a secret is recognised, even if a part of it was overwritten.
fn pieces(secret: &str) -> Vec<&str> {
    let starts = [secret.len() / 10, secret.len() / 2, secret.len() - 2 * PIECE];
    starts.into_iter().map(|start| &secret[start..start + PIECE]).collect()
}

/// Copies of a secret, or of parts of it, in the memory of a process.
fn found(subject: &Subject, secret: &str) -> Vec<String> {
    subject.stop();
    let found = pieces(secret).into_iter().flat_map(|piece| copies(subject.pid(), piece)).collect();
    subject.go_on();
    found
}

#[track_caller]
fn shows_none(shown: &str, secrets: &[&str]) {
    assert!(!shown.is_empty());
    for piece in secrets.iter().flat_map(|secret| pieces(secret)) {
        assert!(!shown.contains(piece), "a secret is shown: {shown}");
    }
}

#[test]
fn an_exchanged_secret_is_in_no_log_and_in_no_memory_once_it_is_done_with() {
    for end in ["close", "drop"] {
        let outside = Outside::new(Duration::from_secs(3600));
        let sandbox = &outside.sandbox;
        let identity = std::fs::read_to_string(sandbox.token_path()).unwrap();
        // An endpoint that tells everybody what it was sent, and one that breaks off in the middle of a token.
        let echo = format!(r#"{{"error":"invalid_grant","error_description":"no: {identity}"}}"#);
        let echo = Fault::Body { status: 503, content_type: "application/json".to_owned(), body: echo };
        sandbox.fault(ServiceName::Exchange, echo, 1);
        sandbox.fault(ServiceName::Exchange, Fault::MalformedJson, 1);
        let mut subject = Subject::open(&sandbox.documents().native, &sandbox.ca_path());
        let mut shown = subject.tell("attempt");
        assert!(shown.contains("Err"), "{shown}");
        assert_eq!(subject.tell("ready"), "1");
        let first = subject.token();
        subject.order("call 5");
        subject.tally().flawless();
        shown += &subject.tell("show");
        subject.tell("reject 1");
        assert_eq!(subject.tell("ready"), "2");
        let second = subject.token();
        shown += &subject.tell("show");

        let secrets = [&*identity, &first, &second];
        let held = secrets.map(|secret| found(&subject, secret).len());
        subject.tell(end);
        let left = secrets.map(|secret| found(&subject, secret));
        println!(
            "pieces of the identity token, the first and the second credential: while open {held:?}, after {end} {left:?}"
        );
        assert!(held[2] > 0, "what is in use is not found");
        assert_eq!(left, [const { Vec::<String>::new() }; 3]);
        shows_none(&(shown + &subject.log()), &secrets);
    }
}

#[test]
fn a_static_key_is_in_no_log_and_in_no_memory_once_it_is_done_with() {
    let outside = Outside::new(Duration::from_secs(3600));
    let sandbox = &outside.sandbox;
    let mut subject = Subject::open(&sandbox.documents().native_static, &sandbox.ca_path());
    assert_eq!(subject.tell("ready"), "1");
    subject.order("call 5");
    subject.tally().flawless();
    let shown = subject.tell("show");
    let held = found(&subject, sandbox.api_key()).len();
    subject.tell("close");
    let left = found(&subject, sandbox.api_key());
    println!("static key: pieces found while it was held: {held}; afterwards: {}", left.len());
    assert!(held > 0, "what is in use is not found");
    assert!(left.is_empty(), "{left:?}");
    shows_none(&(shown + &subject.log()), &[sandbox.api_key()]);
}
