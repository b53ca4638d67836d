//! A session of the engine as text: what it was told, and what it decided. docs/write-a-host.md describes the form; the
//! command `keyless conformance` plays it to a host and compares to the byte.
//!
//! Names are the contract's, in its order. Written field by field, because the order counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyless_engine::Event;
use keyless_engine::io::{Effect, FileFault, Now, Response, SendFault, SourceFault};

use crate::hosts::Pairs;
use crate::json::Json;
use crate::trace::{Credential, Problem, Status};

/// One session.
pub struct Replay {
    document: String,
    variables: Json,
    steps: Vec<Json>,
    open: Json,
    decisions: Vec<Json>,
}

/// What came of one step.
pub struct Decision {
    pub effects: Vec<Json>,
    pub credential: Result<Option<Credential>, Problem>,
    pub wake_at: Option<u64>,
    pub busy: bool,
    pub status: Status,
}

impl Replay {
    pub fn new(document: &str, variables: &Pairs, opened: &Result<(), Problem>) -> Self {
        let pair = |(name, value): &(String, String)| Json::Array(vec![text(name), text(value)]);
        Self {
            document: document.to_owned(),
            variables: Json::Array(variables.iter().map(pair).collect()),
            steps: Vec::new(),
            open: result(opened, |()| Json::Null),
            decisions: Vec::new(),
        }
    }

    pub fn push(&mut self, now: Now, event: Json, decision: &Decision) {
        let moment = [("wall-ms", number(now.wall_ms)), ("monotonic-ms", number(now.monotonic_ms))];
        self.steps.push(object([("now", object(moment)), ("event", event)]));
        self.decisions.push(object([
            ("effects", Json::Array(decision.effects.clone())),
            ("credential", result(&decision.credential, |held| option(held.as_ref(), credential))),
            ("wake-at", option(decision.wake_at, number)),
            ("busy", Json::Bool(decision.busy)),
            ("status", status(&decision.status)),
        ]));
    }

    /// How many times it was told something.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether it was told nothing at all.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// A line of a file of traces.
    pub fn line(&self, name: &str) -> String {
        let replay = object([
            ("document", text(&self.document)),
            ("variables", self.variables.clone()),
            ("steps", Json::Array(self.steps.clone())),
        ]);
        let answer =
            object([("open", self.open.clone()), ("decisions", Json::Array(self.decisions.clone()))]);
        object([("name", text(name)), ("replay", replay), ("answer", answer)]).compact()
    }
}

/// What the engine is told.
pub fn event(event: &Event) -> Json {
    match event {
        Event::Tick => text("tick"),
        Event::File(id, read) => case(
            "file",
            Json::Array(vec![
                number(*id),
                answered(read, |content| bytes(content), |fault| text(file_fault(*fault))),
            ]),
        ),
        Event::Response(id, sent) => case(
            "response",
            Json::Array(vec![number(*id), answered(sent, response, |fault| text(send_fault(*fault)))]),
        ),
        Event::Source(id, asked) => case(
            "source",
            Json::Array(vec![number(*id), answered(asked, |token| text(token.expose()), source_fault)]),
        ),
        Event::Reject(generation) => case("reject", number(*generation)),
    }
}

/// What the engine wants.
pub fn effect(effect: &Effect) -> Json {
    match effect {
        Effect::ReadFile { id, path, limit } => case(
            "read-file",
            object([("id", number(*id)), ("path", text(path)), ("limit", number(*limit as u64))]),
        ),
        Effect::Send { id, request } => {
            let headers = request.headers.iter().map(|(name, value)| header(name, value.expose()));
            case(
                "send",
                object([
                    ("id", number(*id)),
                    ("method", text(request.method)),
                    ("url", text(&request.url)),
                    ("headers", Json::Array(headers.collect())),
                    ("body", bytes(&request.body)),
                    ("timeout-ms", number(request.timeout_ms)),
                    ("response-limit", number(request.response_limit as u64)),
                ]),
            )
        }
        Effect::AskSource { id, audience } => {
            case("ask-source", object([("id", number(*id)), ("audience", option(audience.as_deref(), text))]))
        }
        Effect::Cancel { id } => case("cancel", number(*id)),
    }
}

fn credential(credential: &Credential) -> Json {
    let headers = credential.headers.iter().map(|(name, value)| header(name, value));
    object([
        ("headers", Json::Array(headers.collect())),
        ("base-url", text(&credential.base_url)),
        ("generation", number(credential.generation)),
        ("renew-at", option(credential.renew_at, number)),
        ("expires-at", option(credential.expires_at, number)),
    ])
}

fn status(status: &Status) -> Json {
    let warning =
        |(code, message): &(String, String)| object([("code", text(code)), ("message", text(message))]);
    object([
        ("phase", text(&status.phase)),
        ("generation", number(status.generation)),
        ("renewals", number(status.renewals)),
        ("failures", number(status.failures)),
        ("failures-in-a-row", number(status.failures_in_a_row.into())),
        ("next-attempt-at", option(status.next_attempt_at, number)),
        ("expires-at", option(status.expires_at, number)),
        ("last-error", option(status.last_error.as_ref(), problem)),
        ("warnings", Json::Array(status.warnings.iter().map(warning).collect())),
    ])
}

fn problem(problem: &Problem) -> Json {
    let Problem { kind, code, message, retry_after_ms } = problem;
    let fields = [
        ("code", text(code)),
        ("message", text(message)),
        ("retry-after-ms", option(*retry_after_ms, number)),
    ];
    Json::Object(vec![(kind.clone(), object(fields))])
}

fn response(response: &Response) -> Json {
    let headers = response.headers.iter().map(|(name, value)| header(name, value));
    object([
        ("status", number(response.status.into())),
        ("headers", Json::Array(headers.collect())),
        ("body", bytes(&response.body)),
    ])
}

/// The case of the contract's enum.
pub fn file_fault(fault: FileFault) -> &'static str {
    match fault {
        FileFault::Missing => "missing",
        FileFault::Denied => "denied",
        FileFault::NotAFile => "not-a-file",
        FileFault::TooLarge => "too-large",
        FileFault::Failed => "failed",
    }
}

/// As [`file_fault`].
pub fn send_fault(fault: SendFault) -> &'static str {
    match fault {
        SendFault::Denied => "denied",
        SendFault::Unresolved => "unresolved",
        SendFault::Unreachable => "unreachable",
        SendFault::Untrusted => "untrusted",
        SendFault::NoCertificate => "no-certificate",
        SendFault::TimedOut => "timed-out",
        SendFault::Broken => "broken",
        SendFault::TooLarge => "too-large",
    }
}

fn source_fault(fault: &SourceFault) -> Json {
    match fault {
        SourceFault::Absent => text("absent"),
        SourceFault::Failed(words) => case("failed", text(words)),
    }
}

fn header(name: &str, value: &str) -> Json {
    object([("name", text(name)), ("value", text(value))])
}

fn bytes(bytes: &[u8]) -> Json {
    Json::String(STANDARD.encode(bytes))
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn number(number: u64) -> Json {
    Json::Number(number.into())
}

fn option<T>(value: Option<T>, write: impl Fn(T) -> Json) -> Json {
    value.map_or(Json::Null, write)
}

fn result<T>(result: &Result<T, Problem>, write: impl Fn(&T) -> Json) -> Json {
    answered(result, write, problem)
}

fn answered<T, E>(result: &Result<T, E>, ok: impl Fn(&T) -> Json, err: impl Fn(&E) -> Json) -> Json {
    match result {
        Ok(value) => case("ok", ok(value)),
        Err(fault) => case("err", err(fault)),
    }
}

fn case(name: &str, payload: Json) -> Json {
    object([(name, payload)])
}

fn object<const N: usize>(fields: [(&str, Json); N]) -> Json {
    Json::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
