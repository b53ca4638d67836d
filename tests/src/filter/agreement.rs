//! What a request shows has to agree with what the replica says.

use keyless_engine::Error;
use keyless_engine::machine::Credential;
use serde_json::{Value, json};

use super::pairs::Pairs;
use super::streams::{Fate, Reply, Stream};

/// A credential of the client's own, which never gets any further.
const OWN: &str = "Bearer of-the-client";

/// What a client sends.
pub(super) fn request() -> Pairs {
    let headers = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "api.example"),
        (":path", "/v1/responses"),
        ("authorization", OWN),
        ("content-type", "application/json"),
        ("authorization", OWN),
    ];
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

/// The request has gone on, with this credential and nothing else that the client did not send.
pub(super) fn assert_has(stream: &Stream, credential: &Credential<'_>) {
    assert!(matches!(stream.fate, Fate::Forwarded), "it has not gone on");
    let ours = credential.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
    let theirs = request().into_iter().filter(|(name, _)| {
        name != "authorization" && credential.headers.iter().all(|(other, _)| other != name)
    });
    let mut expected: Pairs = ours.chain(theirs).collect();
    let mut found = stream.headers.clone();
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "the headers of the request");
}

/// The request was answered with this error.
pub(super) fn assert_says(reply: &Reply, error: &Error) {
    let seconds = error.retry_after_ms().map_or(1, |ms| ms.div_ceil(1_000).max(1)).to_string();
    assert_eq!(reply.status, 503);
    assert_eq!(reply.details, format!("keyless_{}", error.code().as_str()));
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("retry-after", seconds.as_str()),
    ];
    assert_eq!(reply.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let (code, message) = (error.code().as_str(), error.message());
    assert_eq!(body, json!({"error": {"type": "keyless", "code": code, "message": message}}));
}

/// The one credential of a request that has gone on.
pub(super) fn credential(stream: &Stream) -> String {
    let [credential] = stream.values("authorization")[..] else { panic!("not one `authorization`") };
    assert_ne!(credential, OWN, "the client's own");
    credential.to_owned()
}

/// Code and message of an answer of the filter's.
pub(super) fn told(reply: &Reply) -> (String, String) {
    let body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    let part = |name: &str| body["error"][name].as_str().expect("a text").to_owned();
    assert_eq!(reply.status, 503);
    (part("code"), part("message"))
}
