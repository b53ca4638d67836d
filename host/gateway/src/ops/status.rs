//! `/status.json`: everything that the status page shows, for programs too. Holds no secret.

use std::collections::BTreeMap;
use std::time::SystemTime;

use http::{Response, StatusCode};
use serde::Serialize;

use super::board::{Board, Followed, Listening};
use crate::answer;
use crate::moment::rfc3339;
use crate::service::Body;

/// How things stand now.
pub(super) fn answer(board: &Board) -> Response<Body> {
    match serde_json::to_value(Report::of(board)) {
        Ok(report) => answer::json(StatusCode::OK, &report),
        Err(reason) => {
            let message = format!("the report cannot be written as JSON: {reason}");
            answer::error(StatusCode::INTERNAL_SERVER_ERROR, "ops-report", &message)
        }
    }
}

/// Moments are RFC 3339 in UTC; what is not known or does not apply is `null`.
#[derive(Serialize)]
struct Report {
    /// Of this program.
    version: &'static str,
    /// The clock of this machine, which may differ from that of whoever looks.
    now: Option<String>,
    started_at: Option<String>,
    connections: Vec<ConnectionReport>,
    listeners: Vec<ListenerReport>,
}

#[derive(Serialize)]
struct ConnectionReport {
    name: String,
    phase: &'static str,
    /// Whether a credential is held that has not expired.
    usable: bool,
    generation: u64,
    /// The API that the credential opens.
    base_url: Option<String>,
    /// When the credential held was first seen by the gateway.
    obtained_at: Option<String>,
    renew_at: Option<String>,
    expires_at: Option<String>,
    /// When it is renewed, or the next attempt after a failure starts.
    next_attempt_at: Option<String>,
    renewals: u64,
    failures: u64,
    failures_in_a_row: u32,
    replacements: u64,
    problem: Option<Problem>,
}

/// Why the last attempt failed.
#[derive(Serialize)]
struct Problem {
    code: String,
    /// What happened and what to do.
    message: String,
}

#[derive(Serialize)]
struct ListenerReport {
    name: String,
    address: String,
    open_connections: u64,
    accepted_connections: u64,
    refused_requests: u64,
    /// Answers by the class of their status.
    answers: Answers,
    /// What else happened to the requests of a proxy; empty for other listeners.
    events: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Answers {
    #[serde(rename = "1xx")]
    informational: u64,
    #[serde(rename = "2xx")]
    success: u64,
    #[serde(rename = "3xx")]
    redirection: u64,
    #[serde(rename = "4xx")]
    client_error: u64,
    #[serde(rename = "5xx")]
    server_error: u64,
}

impl Report {
    fn of(board: &Board) -> Self {
        let shown = board.shown();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            now: rfc3339(SystemTime::now()),
            started_at: rfc3339(board.started_at),
            connections: shown.connections.iter().map(|followed| ConnectionReport::of(followed)).collect(),
            listeners: shown.listeners.iter().map(ListenerReport::of).collect(),
        }
    }
}

impl ConnectionReport {
    fn of(followed: &Followed) -> Self {
        let credential = followed.connection.credential();
        let status = followed.connection.status();
        let generation = credential.as_ref().map_or(status.generation, |credential| credential.generation());
        let moment = |at: Option<SystemTime>| at.and_then(rfc3339);
        Self {
            name: followed.name.clone(),
            phase: status.phase,
            usable: credential.is_some(),
            generation,
            base_url: credential.as_ref().map(|credential| credential.base_url().to_string()),
            obtained_at: moment(followed.obtained_at(generation)),
            renew_at: moment(credential.as_ref().and_then(|credential| credential.renew_at())),
            expires_at: moment(
                credential.as_ref().map_or(status.expires_at, |credential| credential.expires_at()),
            ),
            next_attempt_at: moment(status.next_attempt_at),
            renewals: status.renewals,
            failures: status.failures,
            failures_in_a_row: status.failures_in_a_row,
            replacements: status.replacements,
            problem: status
                .last_problem
                .map(|problem| Problem { code: problem.code, message: problem.message }),
        }
    }
}

impl ListenerReport {
    fn of(listening: &Listening) -> Self {
        let counts = listening.counters.counts();
        let [informational, success, redirection, client_error, server_error] = counts.by_class;
        Self {
            name: listening.name.clone(),
            address: listening.address.to_string(),
            open_connections: counts.open,
            accepted_connections: counts.accepted,
            refused_requests: counts.refused,
            answers: Answers { informational, success, redirection, client_error, server_error },
            events: listening.proxy.iter().flat_map(|counters| counters.counts()).collect(),
        }
    }
}
