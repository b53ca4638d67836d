//! What the command says when something did not work: one line what, one line what to do next, and an exit code.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write as _};
use std::time::Duration;

use keyless::ErrorKind;
use serde::Serialize;

use super::printable;
use crate::cli::LogFormat;

/// Why the command did not do what it was asked for. Never holds a secret.
#[derive(Debug)]
pub(crate) struct Problem {
    class: Class,
    code: Cow<'static, str>,
    what: String,
    next: String,
    retry_after: Option<Duration>,
}

/// Who has to act; each has its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// 2: the author of the document or of the command line.
    Invalid,
    /// 3: the operator, who did not grant it.
    Denied,
    /// 4: the platform, which gave no usable identity token.
    Identity,
    /// 5: the administrator of the API, whose token endpoint refused the identity.
    Rejected,
    /// 6: nobody; the network or the endpoint is out of order for now.
    Unavailable,
    /// 1: anything else.
    Failed,
    /// 126, as in a shell: the program is there but cannot be started.
    NotExecutable,
    /// 127, as in a shell: there is no such program.
    NotFound,
}

impl Class {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Denied => 3,
            Self::Identity => 4,
            Self::Rejected => 5,
            Self::Unavailable => 6,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Identity => "identity",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
            Self::Failed | Self::NotExecutable | Self::NotFound => "failed",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", printable(&self.what), self.code)
    }
}

impl Problem {
    /// `code` is stable and kebab-case; `what` and `next` are for people.
    pub(crate) fn new(
        class: Class,
        code: &'static str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { class, code: Cow::Borrowed(code), what: what.into(), next: next.into(), retry_after: None }
    }

    /// The document or the command line is wrong: exit code 2.
    pub(crate) fn invalid(code: &'static str, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Class::Invalid, code, what, next)
    }

    /// Says where the document came from, if it is the document that is wrong.
    pub(crate) fn in_document(mut self, origin: &str) -> Self {
        if self.class == Class::Invalid {
            self.what = format!("{}, in the connection from {origin}", self.what);
        }
        self
    }

    /// Says which file is wrong, if it is the file that is wrong.
    #[cfg(unix)]
    pub(crate) fn in_file(mut self, path: &std::path::Path) -> Self {
        if self.class == Class::Invalid {
            self.what = format!("{}: {}", path.display(), self.what);
        }
        self
    }

    /// As the process ends with it.
    pub(crate) fn exit_code(&self) -> u8 {
        self.class.exit_code()
    }

    /// Who has to act.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Stable, kebab-case.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// What happened.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What to do next.
    pub(crate) fn next(&self) -> &str {
        &self.next
    }

    /// Writes the problem to standard error. If that cannot be written to, the exit code has to do.
    pub(crate) fn report(&self, format: LogFormat) {
        let text = match format {
            LogFormat::Text => self.to_text(),
            LogFormat::Json => self.to_json(),
        };
        let _unwritable = io::stderr().lock().write_all(text.as_bytes());
    }

    fn to_text(&self) -> String {
        format!("error: {} ({})\nnext: {}\n", printable(&self.what), self.code, printable(&self.next))
    }

    fn to_json(&self) -> String {
        let record = Record {
            kind: self.class.as_str(),
            code: &self.code,
            message: &format!("{}; {}", self.what, self.next),
            next: &self.next,
            retry_after_ms: self.retry_after.map(|after| after.as_millis()),
        };
        // Texts and numbers only: there is nothing in it that JSON cannot hold.
        let mut json = serde_json::to_string(&record).unwrap_or_default();
        json.push('\n');
        json
    }
}

#[derive(Serialize)]
struct Record<'a> {
    kind: &'a str,
    code: &'a str,
    message: &'a str,
    next: &'a str,
    retry_after_ms: Option<u128>,
}

impl From<keyless::Error> for Problem {
    fn from(error: keyless::Error) -> Self {
        let class = match error.kind {
            ErrorKind::Invalid => Class::Invalid,
            ErrorKind::Denied => Class::Denied,
            ErrorKind::Identity => Class::Identity,
            ErrorKind::Rejected => Class::Rejected,
            ErrorKind::Unavailable => Class::Unavailable,
            // The library may learn new kinds before this command does.
            _ => Class::Failed,
        };
        let (what, advice) = split(&error.message);
        let next = at_the_command_line(&error.code).or(advice).unwrap_or(in_general(class));
        Self {
            class,
            what: what.to_owned(),
            next: next.to_owned(),
            code: error.code,
            retry_after: error.retry_after,
        }
    }
}

/// What is wrong with the configuration is for its author, what is wrong with the machine for nobody in particular.
#[cfg(unix)]
impl From<keyless_gateway::Fault> for Problem {
    fn from(fault: keyless_gateway::Fault) -> Self {
        let class = if fault.code.starts_with("serve-") { Class::Invalid } else { Class::Failed };
        Self::new(class, fault.code, fault.what, fault.next)
    }
}

/// Messages of the library and the component say what happened, a semicolon, and what to do next.
fn split(message: &str) -> (&str, Option<&str>) {
    let message = message.trim_end_matches('.');
    match message.rsplit_once("; ") {
        Some((what, advice)) => (what, Some(advice)),
        None => (message, None),
    }
}

/// Where this command has a better answer than the component can give, which knows of no command line.
fn at_the_command_line(code: &str) -> Option<&'static str> {
    Some(match code {
        "grant-exceeded" => {
            "if that is intended, review it with `keyless plan` and renew the lock file with `keyless plan --lock FILE`; \
             else correct the document"
        }
        "endpoint-denied" | "file-denied" => {
            "compare `keyless plan` with the lock file, and renew that with `keyless plan --lock FILE` if the difference \
             is intended"
        }
        "source-component-changed" => {
            "if the change is intended, review the component and renew the lock file with `keyless plan --lock FILE`"
        }
        "endpoint-untrusted" => {
            "give the certificate of a private CA with `--ca-cert FILE`; if a client certificate is presented, check that the endpoint accepts it"
        }
        "endpoint-timeout"
        | "endpoint-failed"
        | "endpoint-throttled"
        | "attempt-timeout"
        | "connection-deadline" => {
            "try again later, or let it try for longer with `--timeout SECONDS`; `-v` shows every attempt"
        }
        "exchange-refused" => {
            "compare the identity named above with the mapping that the API's administrator has set up"
        }
        "cache-directory" => {
            "name another directory with `--cache-dir DIR`, or compile every time with `--no-cache`"
        }
        _ => return None,
    })
}

fn in_general(class: Class) -> &'static str {
    match class {
        Class::Invalid => "correct the connection; `keyless plan` shows how it is understood",
        Class::Denied => "compare `keyless plan` with what is granted",
        Class::Identity => "check that the platform hands an identity token to this workload",
        Class::Rejected => "ask the API's administrator whether this identity may have a credential",
        Class::Unavailable => "try again later; `-v` shows every attempt",
        Class::Failed | Class::NotExecutable | Class::NotFound => "run it again with `-vv` to see more",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_apart_at_its_last_semicolon() {
        assert_eq!(split("a; b; do c"), ("a; b", Some("do c")));
        assert_eq!(split("only what."), ("only what", None));
    }

    #[test]
    fn two_lines_whatever_the_text_holds() {
        let problem = Problem::invalid("some-code", "line\nbreak \u{1b}[31m", "go\ron");
        assert_eq!(problem.to_text(), "error: line\\nbreak \\u{1b}[31m (some-code)\nnext: go\\ron\n");
    }

    #[test]
    fn json_is_one_object() {
        let mut problem = Problem::new(Class::Unavailable, "some-code", "it is \"down\"", "wait");
        problem.retry_after = Some(Duration::from_millis(1500));
        let value: serde_json::Value = serde_json::from_str(&problem.to_json()).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "kind": "unavailable", "code": "some-code", "message": "it is \"down\"; wait", "next": "wait",
                "retry_after_ms": 1500,
            })
        );
    }
}
