//! Asking AWS for something, and what it means when the answer is another than hoped for.

use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use crate::error::{Code, Error};
use crate::io::{Io, Request, Response, SendFault};
use crate::secret::{Secret, SecretBytes};

/// A metadata service is one hop away.
const METADATA_TIMEOUT_MS: u64 = 3_000;

/// Keys with a session token have about 2 KiB.
const METADATA_LIMIT: usize = 16 * 1024;

/// A request to a metadata service: without a body.
pub(super) fn metadata(method: &'static str, url: &str, headers: Vec<(&'static str, Secret)>) -> Request {
    let mut headers = headers;
    headers.push(("content-length", Secret::new("0".to_owned())));
    Request {
        method,
        url: url.to_owned(),
        headers,
        body: SecretBytes::default(),
        timeout_ms: METADATA_TIMEOUT_MS,
        response_limit: METADATA_LIMIT,
    }
}

/// The body of a metadata service's answer. `url`: the request's, as the plan has it; `hint`: what is likely wrong when
/// there is none.
pub(super) async fn answer(io: &Io, request: Request, url: &str, hint: &str) -> Result<SecretBytes, Error> {
    let place = format!("{} {url}", request.method);
    let response = send(io, request, url, hint).await?;
    match response.status {
        200 => Ok(response.body),
        _ => Err(passing(io, &response, &place).unwrap_or_else(|| {
            Error::new(
                Code::TokenNotGiven,
                format_args!("`{place}` gave no AWS credentials (status {}); {hint}", response.status),
            )
        })),
    }
}

/// Sends, and says what it means when nothing comes back. An error names `url` and not the request's own, of which a part
/// may have come out of an answer.
pub(super) async fn send(io: &Io, request: Request, url: &str, hint: &str) -> Result<Response, Error> {
    let (place, seconds) = (format!("{} {url}", request.method), request.timeout_ms / 1_000);
    io.send(request).await.map_err(|fault| {
        let (code, what) = match fault {
            SendFault::Denied => (
                Code::EndpointDenied,
                "was not granted by the host; grant it, or renew the lock file if one is in force".to_owned(),
            ),
            SendFault::Unresolved => {
                (Code::EndpointUnresolved, "names a host that did not resolve; check region and DNS".to_owned())
            }
            SendFault::Unreachable => (Code::EndpointUnreachable, format!("got no connection; {hint}")),
            SendFault::Broken => {
                (Code::EndpointUnreachable, "broke off before the answer was complete; it is repeated".to_owned())
            }
            SendFault::Untrusted | SendFault::NoCertificate => (
                Code::EndpointUntrusted,
                "got no TLS session: the certificate is not trusted, or the handshake failed; give a private CA to the host".to_owned(),
            ),
            SendFault::TimedOut => {
                (Code::EndpointTimeout, format!("was not answered within {seconds} s; {hint}"))
            }
            SendFault::TooLarge => (
                Code::ResponseTooLarge,
                "was answered with far more than belongs there; check what stands behind that address".to_owned(),
            ),
        };
        Error::new(code, format_args!("`{place}` {what}"))
    })
}

/// A failure that says nothing about this workload, whoever answered.
pub(super) fn passing(io: &Io, response: &Response, place: &str) -> Option<Error> {
    let status = response.status;
    let (code, what) = match status {
        429 => (Code::EndpointThrottled, "asks for fewer requests"),
        408 | 425 | 500..=599 => (Code::EndpointFailed, "is out of order"),
        300..=399 => (Code::EndpointRedirect, "answered with a redirect, which is never followed"),
        _ => return None,
    };
    let error = Error::new(code, format_args!("`{place}` {what} (status {status}); it is asked again later"));
    Some(error.retry_after(crate::retry_after::read(response, io.now())))
}
