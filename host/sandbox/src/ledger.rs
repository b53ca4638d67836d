//! What was asked of each party, and what became of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use bytes::Bytes;
use http::Request;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;

use crate::lock::lock;
use crate::redact;
use crate::service::ServiceName;

/// Records kept per party. The counters go on beyond.
const KEPT: usize = 2_048;

/// One request, without any secret.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestRecord {
    /// Which one it was at this party, from 1.
    pub number: u64,
    /// When it had arrived completely: Unix milliseconds on the sandbox's clock.
    pub at_ms: u64,
    /// `HTTP/1.1` or `HTTP/2.0`.
    pub version: String,
    /// Upper case.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case. A credential's value is given as `SCHEME sha256:HEX`.
    pub headers: Vec<(String, String)>,
    /// The JSON body, or the fields of a form as an object of texts; an identity token is given as `{claims, sha256,
    /// length}`. Of any other body `{not_json: {length, sha256}}`. Null where there is none.
    pub body: Value,
    /// Status of the answer; none while there is none, or when the connection was broken off instead.
    pub status: Option<u16>,
}

impl RequestRecord {
    /// The value of the header of this name (in lower case), the first of several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// How often a party was asked, and how it answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests that arrived completely.
    pub requests: u64,
    /// Answers by HTTP status.
    pub answers: BTreeMap<u16, u64>,
    /// Requests whose connection was broken off instead of an answer.
    pub broken_off: u64,
}

impl Counters {
    /// Answers with this status.
    #[must_use]
    pub fn answered(&self, status: u16) -> u64 {
        self.answers.get(&status).copied().unwrap_or(0)
    }
}

/// The records of all parties.
pub(crate) struct Ledger {
    books: Mutex<BTreeMap<ServiceName, Book>>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Book {
    counters: Counters,
    records: VecDeque<RequestRecord>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self { books: Mutex::default(), changed: watch::Sender::new(()) }
    }

    /// Notes a request and gives its number.
    pub(crate) fn arrived(&self, service: ServiceName, at_ms: u64, request: &Request<Bytes>) -> u64 {
        let mut record = RequestRecord {
            number: 0,
            at_ms,
            version: format!("{:?}", request.version()),
            method: request.method().to_string(),
            path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            headers: redact::headers(request.headers()),
            body: redact::body(request.headers(), request.body()),
            status: None,
        };
        let number = {
            let mut books = lock(&self.books);
            let book = books.entry(service).or_default();
            book.counters.requests += 1;
            record.number = book.counters.requests;
            let number = record.number;
            if book.records.len() == KEPT {
                book.records.pop_front();
            }
            book.records.push_back(record);
            number
        };
        self.changed.send_replace(());
        number
    }

    /// Notes the answer to request `number`; none: broken off.
    pub(crate) fn answered(&self, service: ServiceName, number: u64, status: Option<u16>) {
        let mut books = lock(&self.books);
        let book = books.entry(service).or_default();
        match status {
            Some(status) => *book.counters.answers.entry(status).or_default() += 1,
            None => book.counters.broken_off += 1,
        }
        if let Some(record) = book.records.iter_mut().rev().find(|record| record.number == number) {
            record.status = status;
        }
    }

    pub(crate) fn records(&self, service: ServiceName) -> Vec<RequestRecord> {
        lock(&self.books).get(&service).map(|book| book.records.iter().cloned().collect()).unwrap_or_default()
    }

    pub(crate) fn counters(&self, service: ServiceName) -> Counters {
        lock(&self.books).get(&service).map(|book| book.counters.clone()).unwrap_or_default()
    }

    /// Until `count` requests have arrived at this party since the start.
    pub(crate) async fn wait_for(&self, service: ServiceName, count: u64) {
        let mut changed = self.changed.subscribe();
        while self.counters(service).requests < count {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }
}
