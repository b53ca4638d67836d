//! Requests that go no further, and what their clients are told. Never anything that an API or a client sent.

use serde_json::json;
use wasi::http::types::{ErrorCode, Fields, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// Why a request is not forwarded, or was in vain. The codes are those of the proxy of `keyless serve`.
pub(crate) enum Refusal {
    /// Who asks may not.
    Access(u16, &'static str, &'static str),
    /// The request cannot be forwarded.
    Request(u16, &'static str, &'static str),
    /// There is no credential: the provider's words.
    NoCredential { code: String, message: String, retry_after_ms: Option<u64> },
    /// The API gave no answer: the host's words for it.
    NoAnswer(ErrorCode),
    /// The API gave no answer in time.
    TimedOut,
    /// The API or the host did what `wasi:http` does not allow for.
    Failed,
}

impl Refusal {
    /// In the form in which the SDKs of OpenAI and Anthropic show errors. A client that has gone hears nothing.
    pub(crate) fn answer(self, out: ResponseOutparam) {
        let (status, code, message, retry_after) = self.words();
        let body = json!({"error": {"type": "keyless", "code": code, "message": message}}).to_string();
        let headers = Fields::new();
        let length = body.len().to_string();
        let mut named = vec![
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("content-length", &length),
        ];
        if let Some(seconds) = &retry_after {
            named.push(("retry-after", seconds));
        }
        for (name, value) in named {
            // A host that forbids one of them answers without it.
            let _ = headers.append(&name.to_owned(), &value.as_bytes().to_vec());
        }
        let response = OutgoingResponse::new(headers);
        let sent = response.set_status_code(status).and_then(|()| response.body());
        ResponseOutparam::set(out, Ok(response));
        let Ok(outgoing) = sent else { return };
        if let Ok(stream) = outgoing.write() {
            // At most 4096 bytes at a time (wasi:io, `blocking-write-and-flush`).
            for piece in body.as_bytes().chunks(4096) {
                if stream.blocking_write_and_flush(piece).is_err() {
                    return;
                }
            }
        }
        let _ = OutgoingBody::finish(outgoing, None);
    }

    /// Status, code, message, `retry-after`.
    fn words(self) -> (u16, String, String, Option<String>) {
        let (status, code, message) = match self {
            Self::NoCredential { code, message, retry_after_ms } => {
                let seconds = retry_after_ms.map_or(1, |ms| ms.div_ceil(1_000).max(1));
                return (503, code, message, Some(seconds.to_string()));
            }
            Self::Access(status, code, message) | Self::Request(status, code, message) => {
                (status, code, message)
            }
            Self::NoAnswer(code) => unanswered(&code),
            Self::TimedOut => TIMED_OUT,
            Self::Failed => (502, "upstream-failed", FAILED),
        };
        (status, code.to_owned(), message.to_owned(), None)
    }
}

const TIMED_OUT: (u16, &str, &str) = (504, "upstream-timeout", "the upstream did not answer in time");

const FAILED: &str = "the upstream ended the connection without an answer that can be understood";

fn unanswered(code: &ErrorCode) -> (u16, &'static str, &'static str) {
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => (
            502,
            "upstream-denied",
            "the host does not let the component send to the API: grant it this host, as Spin's allowed_outbound_hosts does",
        ),
        ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => {
            (502, "upstream-unreachable", "there is no connection to the upstream")
        }
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => (504, "upstream-timeout", "the upstream did not answer in time"),
        _ => (502, "upstream-failed", FAILED),
    }
}
