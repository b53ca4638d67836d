//! The engine's effects as calls to clusters, and the answers as the engine's events.

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::Event;
use keyless_engine::io::{FileFault, Request, Response, SendFault};
use keyless_engine::secret::SecretBytes;
use keyless_engine::split;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clusters::authority;
use crate::host::{self, Buffer};

/// One under way.
pub(crate) struct Call {
    /// Envoy's number for it.
    token: u32,
    /// The engine's.
    id: u64,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    /// A file, of so many bytes at most.
    File(usize),
    /// A request, whose answer has so many bytes at most.
    Request(usize),
}

/// A file is asked for on this machine.
const FILE_TIMEOUT_MS: u64 = 5_000;

/// All that may stand in the path of a request as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

impl Call {
    /// Asks a cluster for a file, by its path. What serves it there is the operator's to say: a route with the file as its
    /// answer, or with a secret.
    pub(crate) fn read_file(cluster: Option<&str>, id: u64, path: &str, limit: usize) -> Result<Self, Event> {
        let encoded: String = utf8_percent_encode(path, PATH).collect();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let encoded = format!("{slash}{encoded}");
        let headers = [(":method", "GET"), (":path", encoded.as_str()), (":authority", "localhost")];
        let token = cluster.and_then(|cluster| {
            host::call(cluster, headers.into_iter(), &[], FILE_TIMEOUT_MS).or_else(|| refused(cluster))
        });
        // A cluster may come later, so this is no denial.
        let token = token.ok_or(Event::File(id, Err(FileFault::Failed)))?;
        Ok(Self { token, id, what: What::File(limit) })
    }

    /// Sends a request to a cluster.
    pub(crate) fn send(cluster: Option<&str>, id: u64, request: &Request) -> Result<Self, Event> {
        let place = authority(&request.url);
        let (scheme, rest) = split::once(&request.url, "://").unwrap_or(("https", &request.url));
        let path = rest.get(place.len()..).unwrap_or_default();
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{path}");
        let own = [
            (":method", request.method),
            (":scheme", scheme),
            (":authority", place),
            (":path", path.as_str()),
        ];
        let theirs = request.headers.iter().map(|(name, value)| (*name, value.expose()));
        let headers = own.into_iter().chain(theirs);
        let token = cluster.and_then(|cluster| {
            host::call(cluster, headers, &request.body, request.timeout_ms).or_else(|| refused(cluster))
        });
        let token = token.ok_or(Event::Response(id, Err(SendFault::Unreachable)))?;
        Ok(Self { token, id, what: What::Request(request.response_limit) })
    }

    pub(crate) fn has_token(&self, token: u32) -> bool {
        self.token == token
    }

    pub(crate) fn has_id(&self, id: u64) -> bool {
        self.id == id
    }

    /// What came of it: to be called while Envoy offers the answer. `headers` is 0 where there is none.
    pub(crate) fn answered(self, headers: u32, body_size: usize) -> Event {
        match self.what {
            What::File(limit) => Event::File(self.id, file(headers, body_size, limit)),
            What::Request(limit) => Event::Response(self.id, response(headers, body_size, limit)),
        }
    }
}

fn refused(cluster: &str) -> Option<u32> {
    let message = format!(
        "keyless: Envoy takes no request for the cluster `{cluster}`; check that it has one of that name"
    );
    host::log(host::Level::Warn, &message);
    None
}

fn file(headers: u32, body_size: usize, limit: usize) -> Result<SecretBytes, FileFault> {
    let response = whole(headers, body_size, limit).map_err(|fault| match fault {
        SendFault::TooLarge => FileFault::TooLarge,
        _ => FileFault::Failed,
    })?;
    match response.status {
        200 => Ok(response.body),
        404 => Err(FileFault::Missing),
        401 | 403 => Err(FileFault::Denied),
        // There is something of that name, and it is not to be got.
        405 => Err(FileFault::NotAFile),
        _ => Err(FileFault::Failed),
    }
}

fn response(headers: u32, body_size: usize, limit: usize) -> Result<Response, SendFault> {
    let response = whole(headers, body_size, limit)?;
    match of_envoy(&response) {
        Some(fault) => Err(fault),
        None => Ok(response),
    }
}

fn whole(headers: u32, body_size: usize, limit: usize) -> Result<Response, SendFault> {
    // Nothing came: no connection, or a deadline that Envoy does not tell.
    if headers == 0 {
        return Err(SendFault::Unreachable);
    }
    if body_size > limit {
        return Err(SendFault::TooLarge);
    }
    let headers = host::call_response_headers();
    let status = headers.iter().find(|(name, _)| name == ":status").and_then(|(_, value)| value.parse().ok());
    let status = status.ok_or(SendFault::Broken)?;
    let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !name.starts_with(':')).collect();
    let body =
        if body_size == 0 { SecretBytes::default() } else { host::buffer(Buffer::CallResponse, body_size) };
    Ok(Response { status, headers, body })
}

/// Where Envoy itself answers in place of the other side, it says why in a body of its own words
/// (envoyproxy.io, "Response code details"; `source/common/router/router.cc`). Of a handshake that failed only earlier ones than
/// 1.40 say so.
fn of_envoy(response: &Response) -> Option<SendFault> {
    // The other side's answers bring a date, Envoy's own do not.
    if !matches!(response.status, 503 | 504) || response.header("date").is_some() {
        return None;
    }
    let said = str::from_utf8(&response.body).ok()?;
    let has = |words: &str| said.contains(words);
    if response.status == 504 && has("upstream request timeout") {
        Some(SendFault::TimedOut)
    } else if has("Secret is not supplied by SDS") {
        Some(SendFault::NoCertificate)
    } else if has("TLS_error") || has("CERTIFICATE_VERIFY_FAILED") {
        Some(SendFault::Untrusted)
    } else if has("DNS resolution fail") || has("dns_resolution_failure") {
        Some(SendFault::Unresolved)
    } else if has("connection timeout") {
        Some(SendFault::TimedOut)
    } else if has("no healthy upstream") || has("connection failure") || has("upstream connect error") {
        let broken = ["connection termination", "connection reset", "remote reset", "protocol error"];
        let broken = broken.into_iter().any(has);
        Some(if broken { SendFault::Broken } else { SendFault::Unreachable })
    } else {
        None
    }
}
