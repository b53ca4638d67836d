//! What Envoy says in place of an answer, in its own words, and what the filter makes of it.

use serde_json::{Value, json};

use super::process::WARN;
use super::stage::{Stage, issues};

/// What a cluster makes of a connection that failed; the reason follows.
const RESET: &str = "upstream connect error or disconnect/reset before headers. reset reason: ";

/// What the filter says in Envoy's log of the first attempt.
fn said(stage: &mut Stage) -> String {
    // The next one is a second away.
    stage.envoy.run(900);
    let process = stage.envoy.process.borrow();
    let told = process.log.iter().filter(|line| line.level == WARN).map(|line| line.text.as_str());
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn envoys_own_words_are_told_from_the_endpoints() {
    let reset = |reason: &str| format!("{RESET}{reason}");
    let tls = |reason: &str| reset(&format!("remote connection failure, transport failure reason: {reason}"));
    let verify = "TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:TLS_error_end";
    let verify_before = "TLS error: 268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED";
    let rows = [
        (503, tls("delayed connect error: Connection refused"), "endpoint-unreachable: no connection"),
        (503, reset("local connection failure"), "endpoint-unreachable: no connection"),
        (503, reset("overflow"), "endpoint-unreachable: no connection"),
        (503, "no healthy upstream".to_owned(), "endpoint-unreachable: no connection"),
        (503, reset("connection termination"), "endpoint-unreachable: the connection to"),
        (503, reset("remote reset"), "endpoint-unreachable: the connection to"),
        (503, reset("protocol error"), "endpoint-unreachable: the connection to"),
        (503, reset("connection timeout"), "endpoint-timeout: "),
        (504, "upstream request timeout".to_owned(), "endpoint-timeout: "),
        (503, tls(verify), "endpoint-untrusted: "),
        (503, tls(verify_before), "endpoint-untrusted: "),
        (503, tls("TLS error: Secret is not supplied by SDS"), "client-certificate: "),
        (503, "DNS resolution failure".to_owned(), "endpoint-unresolved: "),
        (503, "something else".to_owned(), "endpoint-failed: "),
        (500, reset("connection termination"), "endpoint-failed: "),
    ];
    for (status, words, expected) in rows {
        let answer =
            |headers: Value| [json!({"response": {"status": status, "headers": headers, "text": words}})];
        let told = said(&mut Stage::new(1, &answer(json!({}))));
        assert!(told.starts_with(&format!("keyless: {expected}")), "{status} {words}: {told}");
        // The endpoint may have an Envoy of its own in front of it. That one dates its answers.
        let dated = answer(json!({"date": "Fri, 15 Jan 2027 08:00:00 GMT"}));
        let told = said(&mut Stage::new(1, &dated));
        assert!(told.starts_with("keyless: endpoint-failed: "), "{status} {words}: {told}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_none() {
    let mut stage = Stage::new(1, &[issues("one")]);
    stage.envoy.process.borrow_mut().breaks_off = Some("exchange");
    let told = said(&mut stage);
    assert!(told.starts_with("keyless: endpoint-unreachable: "), "{told}");

    let mut stage = Stage::new(1, &[issues("one")]);
    stage.envoy.process.borrow_mut().breaks_off = Some("identity");
    let told = said(&mut stage);
    assert!(told.starts_with("keyless: token-file-unreadable: "), "{told}");
    assert_eq!(stage.exchanges(), 0);
}

#[test]
fn what_serves_files_says_why_there_is_none() {
    for (status, expected) in [
        (401, "file-denied: "),
        (403, "file-denied: "),
        (404, "token-file-missing: "),
        (405, "token-file-unreadable: `/var/run/secrets/tokens/token` is not a regular file"),
        (500, "token-file-unreadable: the file `/var/run/secrets/tokens/token` cannot be read"),
        (503, "token-file-unreadable: the file"),
        (302, "token-file-unreadable: the file"),
        (204, "token-file-unreadable: the file"),
    ] {
        let mut stage = Stage::new(1, &[issues("one")]);
        stage.envoy.process.borrow_mut().files_status = Some(status);
        let told = said(&mut stage);
        assert!(told.starts_with(&format!("keyless: {expected}")), "{status}: {told}");
        assert_eq!(stage.exchanges(), 0);
    }
}

/// A cluster may come later, by CDS: it is asked for again.
#[test]
fn a_cluster_that_is_not_there_may_come() {
    for (missing, code) in [("exchange", "endpoint-unreachable"), ("identity", "token-file-unreadable")] {
        let mut stage = Stage::new(1, &[issues("one")]);
        let clusters = std::mem::take(&mut stage.envoy.process.borrow_mut().clusters);
        let left = clusters.iter().filter(|cluster| *cluster != missing).cloned().collect();
        stage.envoy.process.borrow_mut().clusters = left;
        let told = said(&mut stage);
        let expected = format!("keyless: Envoy takes no request for the cluster `{missing}`; ");
        assert!(told.starts_with(&expected), "{told}");
        assert!(told.contains(&format!("\nkeyless: {code}: ")), "{told}");
        assert_eq!(stage.exchanges(), 0);
        stage.envoy.process.borrow_mut().clusters = clusters;
        // The next attempt comes within seconds, as after whatever passes by itself.
        stage.envoy.run(4_000);
        let request = stage.request(0);
        assert_eq!(stage.credential(request).as_deref(), Some("Bearer one"));
        stage.finish();
    }
}
