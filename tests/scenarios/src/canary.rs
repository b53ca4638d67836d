//! A secret that can be recognised. Every secret of every scenario contains [`MARK`]; whatever is shown must not.

use crate::trace::Trace;

/// In capitals and without separators, so that it survives a header, a URL, base64url and an identifier.
pub const MARK: &str = "CANARY";

/// Where it got out. `secrets`: texts that carry no mark, such as the parts of an identity token.
pub fn escapes(trace: &Trace, secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for shown in trace.shown() {
        if shown.to_ascii_uppercase().contains(MARK)
            || secrets.iter().any(|secret| shown.contains(secret.as_str()))
        {
            found.push(format!("a secret is shown: {shown}"));
        }
    }
    found
}

#[test]
fn an_escaped_secret_is_found_wherever_it_is_shown() {
    use crate::trace::{Outcome, Plan, Problem, Status, Step};
    let problem = |message: &str| Problem {
        kind: "invalid".to_owned(),
        code: "x".to_owned(),
        message: message.to_owned(),
        retry_after_ms: None,
    };
    let plan = Plan {
        dialect: "native".to_owned(),
        settings: vec![("api_key".to_owned(), "sk-canary".to_owned(), "document".to_owned())],
        warnings: vec![("x".to_owned(), "eyJoZXJl".to_owned())],
        endpoints: Vec::new(),
        files: Vec::new(),
        variables: vec!["CANARY".to_owned()],
        client_certificate: None,
        source_component: None,
    };
    let status = Status {
        phase: "idle".to_owned(),
        generation: 0,
        renewals: 0,
        failures: 0,
        failures_in_a_row: 0,
        next_attempt_at: None,
        expires_at: None,
        last_error: Some(problem("CANARY")),
        warnings: vec![("x".to_owned(), "CANARY".to_owned())],
    };
    let step = |outcome| Step {
        label: String::new(),
        now: keyless_engine::io::Now::default(),
        took_ms: 0,
        exchanges: 0,
        outcome,
    };
    let trace = Trace {
        variables: Some(Err(problem("CANARY"))),
        plan: Some(Ok(plan)),
        open: Some(Err(problem("fine"))),
        steps: vec![step(Outcome::Credential(Err(problem("CANARY")))), step(Outcome::Status(status))],
        requests: Vec::new(),
    };
    assert_eq!(escapes(&trace, &["eyJoZXJl".to_owned()]).len(), 7);
}
