//! Every scenario holds on the engine alone. One small test of its own: it runs for every mutant of the engine.

use keyless_scenarios::canary::MARK;
use keyless_scenarios::hosts::NATIVE;
use keyless_scenarios::scenario::expect::Step;
use keyless_scenarios::tables::{answers, assert_all_hold, cases, documents, tokens};

#[test]
fn every_case_holds() {
    let cases = cases::load();
    assert!(cases.len() >= 35, "{} cases", cases.len());
    assert_all_hold(&[NATIVE], &cases);
}

/// Otherwise the search for escaped secrets would find nothing because there is nothing to find.
#[test]
fn every_case_holds_a_marked_secret() {
    for case in cases::load() {
        let marked = |text: &str| text.contains(MARK);
        let found = marked(&case.document)
            || case.environment.values().any(|value| marked(value))
            || case.files.values().any(|file| marked(&String::from_utf8_lossy(file)))
            || !case.tokens.secrets().is_empty();
        assert!(found, "{}", case.name);
    }
}

#[test]
fn every_document_gets_the_answer_that_helps() {
    let documents = documents::load();
    let bad = documents.iter().filter(|scenario| scenario.expect.open_error.is_some()).count();
    assert!(bad >= 70, "{bad} bad documents");
    let marked = documents.iter().filter(|scenario| {
        scenario.document.contains(MARK) || scenario.environment.values().any(|value| value.contains(MARK))
    });
    assert!(marked.count() >= 60, "too few documents hold a secret that could escape");
    assert_all_hold(&[NATIVE], &documents);
}

#[test]
fn every_answer_leads_to_the_right_error_or_credential() {
    let answers = answers::load();
    let bad = answers.iter().filter(|scenario| {
        matches!(scenario.expect.steps.as_slice(), [Step::Credential(expect)] if expect.error.is_some())
    });
    let bad = bad.count();
    assert!(bad >= 45, "{bad} bad answers");
    assert_all_hold(&[NATIVE], &answers);
}

#[test]
fn every_token_is_sent_or_refused_with_the_reason() {
    let tokens = tokens::load();
    assert!(tokens.len() >= 30, "{} tokens", tokens.len());
    assert_all_hold(&[NATIVE], &tokens);
}
