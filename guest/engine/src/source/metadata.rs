//! Asking a service of the platform (a metadata server, a CI system) for an identity token.
//!
//! It stands next to the workload, so three seconds are enough to find out that it is not there. A body is never quoted:
//! it may hold a token, or be another service's altogether.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::json::{self, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Code, Error};
use crate::io::{Io, Request, Response, SendFault};
use crate::secret::{Secret, SecretBytes};

/// A service that gives tokens, in words for its errors.
pub(super) struct Service {
    /// What it is, at the beginning of a sentence.
    pub(super) name: &'static str,
    /// What is probably wrong when there is no answer at all.
    pub(super) absent: &'static str,
    /// What is probably wrong when it refuses.
    pub(super) refused: &'static str,
    /// Statuses beside 429 and 5xx that pass by themselves.
    pub(super) passing: &'static [u16],
}

/// End to end, for each request.
const TIMEOUT_MS: u64 = 3_000;

/// A token has at most 16 KiB; Azure's answer holds little beside.
const RESPONSE_LIMIT: usize = 64 * 1024;

/// Before each request, in milliseconds: as Azure's guidance has it, from 800 ms up. All of it ends within an attempt.
const PAUSES: [u64; 4] = [0, 800, 1_600, 3_200];

/// The answer, which has the status 200. `endpoint` is the URL without what is in `query`, which begins with `?` or `&`.
pub(super) async fn get(
    io: &Io,
    service: &Service,
    endpoint: &str,
    query: &str,
    header: (&'static str, &Secret),
) -> Result<Response, Error> {
    let mut last = None;
    for pause in PAUSES {
        io.wait(pause).await;
        let request = Request {
            method: "GET",
            url: format!("{endpoint}{query}"),
            headers: vec![(header.0, header.1.prefixed("")), ("content-length", Secret::new("0".to_owned()))],
            body: SecretBytes::default(),
            timeout_ms: TIMEOUT_MS,
            response_limit: RESPONSE_LIMIT,
        };
        let response = io.send(request).await.map_err(|fault| service.no_answer(fault, endpoint))?;
        let status = response.status;
        if status == 200 {
            return Ok(response);
        }
        let retry_after = crate::retry_after::read(&response, io.now());
        last = Some(service.refusal(status).retry_after(retry_after));
        // Whoever names a time means a longer one than the pauses here: it is for the lease to keep.
        let passes = matches!(status, 429 | 500..=599) || service.passing.contains(&status);
        if !passes || retry_after.is_some() {
            break;
        }
    }
    Err(last.unwrap_or_else(|| service.fault("gave no answer")))
}

impl Service {
    /// For an answer that is no token: `fault` is the end of a sentence.
    pub(super) fn fault(&self, fault: &str) -> Error {
        Error::new(Code::TokenNotGiven, format_args!("{} {fault}", self.name))
    }

    /// The text under `key` of a JSON object.
    pub(super) fn text_field(&self, body: &[u8], key: &str) -> Result<Secret, Error> {
        let body = json::parse(body).ok();
        match body {
            Some(Value::Object(mut fields)) => match fields.remove(key) {
                Some(Value::String(text)) => Ok(Secret::new(text)),
                _ => Err(self.fault(&format!("answered without a text in `{key}`; {}", self.absent))),
            },
            _ => Err(self.fault(&format!("did not answer with a JSON object; {}", self.absent))),
        }
    }

    fn no_answer(&self, fault: SendFault, endpoint: &str) -> Error {
        let fault = match fault {
            SendFault::Denied => {
                return Error::new(
                    Code::EndpointDenied,
                    format_args!(
                        "the host did not grant `GET {endpoint}`; grant it, or renew the lock file if one is in force"
                    ),
                );
            }
            SendFault::Unresolved => "has a host name that did not resolve",
            SendFault::Unreachable => "cannot be reached",
            SendFault::Untrusted | SendFault::NoCertificate => "has a certificate that is not trusted",
            SendFault::TimedOut => "did not answer within 3 s",
            SendFault::Broken => "broke the connection",
            SendFault::TooLarge => "answered with more than 64 KiB",
        };
        self.fault(&format!("({endpoint}) {fault}; {}", self.absent))
    }

    fn refusal(&self, status: u16) -> Error {
        self.fault(&match status {
            300..=399 => format!(
                "answered with a redirect (status {status}), which is never followed: something else answers in its place; {}",
                self.absent
            ),
            429 | 500..=599 => format!("is out of order (status {status}); it is asked again"),
            _ => format!("refused (status {status}); {}", self.refused),
        })
    }
}

/// `?` or `&`, the name, and the value percent-encoded, but for RFC 3986's unreserved characters.
pub(super) fn add(query: &mut String, name: &str, value: &str) {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    query.push(if query.is_empty() { '?' } else { '&' });
    query.push_str(name);
    query.push('=');
    query.extend(utf8_percent_encode(value, RESERVED));
}

#[cfg(test)]
mod tests {
    use super::add;

    #[test]
    fn a_value_cannot_leave_its_place_in_the_query() {
        let mut query = String::new();
        add(&mut query, "audience", "https://a.example/v1?x=1&y=%20#z");
        add(&mut query, "b", "~A-z_0.é");
        assert_eq!(query, "?audience=https%3A%2F%2Fa.example%2Fv1%3Fx%3D1%26y%3D%2520%23z&b=~A-z_0.%C3%A9");
    }
}
