//! A sender that looks on: what the component asked for, and what came back.
//!
//! It stands between the gate, which enforces the grant, and the network, and changes nothing. Of bodies it keeps what is
//! safe to tell: the claims of an identity token and the code of an error.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::header::{CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use http::{Request, Response, Uri};
use keyless::sender::{Body, Fault, Network, Patience, Sender, Sending};
use serde_json::Value;

use super::identity_token::IdentityToken;

/// Watches a network. Clones see the same.
#[derive(Clone)]
pub(super) struct Watch {
    network: Arc<Network>,
    seen: Arc<Mutex<Vec<Sighting>>>,
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    /// Without query, which may hold secrets.
    pub(super) url: String,
    /// Whether it went over TLS.
    pub(super) secure: bool,
    /// The identity token in it.
    pub(super) token: Option<IdentityToken>,
    /// `None` as long as there is no answer.
    pub(super) outcome: Option<Result<Answer, Fault>>,
    /// How long it took.
    pub(super) took: Duration,
}

/// What came back, without what may be secret.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// How far the other side's clock is ahead of this machine's, in seconds.
    pub(super) ahead: Option<i64>,
    /// For the vendor's support.
    pub(super) request_id: Option<String>,
    /// Whether it is a web page, as proxies and captive portals send.
    pub(super) html: bool,
    /// Where a redirect points, without query.
    pub(super) location: Option<String>,
    /// The code of an error: OAuth's, an API's or AWS's.
    pub(super) said: Option<String>,
    /// The identity token in it.
    pub(super) token: Option<IdentityToken>,
    /// `Retry-After` as seconds.
    pub(super) retry_after: Option<u64>,
}

impl Watch {
    pub(super) fn new(network: Network) -> Self {
        Self { network: Arc::new(network), seen: Arc::default() }
    }

    /// What is watched, to look at it without being seen.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// In the order of sending.
    pub(super) fn sightings(&self) -> Vec<Sighting> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sender for Watch {
    fn send(&self, request: Request<Body>, patience: Patience) -> Sending {
        let place = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(Sighting::of(&request));
            seen.len() - 1
        };
        let seen = Arc::clone(&self.seen);
        let started = Instant::now();
        let sending = self.network.send(request, patience);
        Box::pin(async move {
            let outcome = sending.await;
            let told = outcome.as_ref().map(Answer::of).map_err(|fault| *fault);
            if let Some(sighting) = seen.lock().unwrap_or_else(PoisonError::into_inner).get_mut(place) {
                sighting.outcome = Some(told);
                sighting.took = started.elapsed();
            }
            outcome
        })
    }
}

impl Sighting {
    fn of(request: &Request<Body>) -> Self {
        Self {
            url: without_query(request.uri()),
            secure: request.uri().scheme_str() == Some("https"),
            token: IdentityToken::find(request.body().as_bytes()),
            outcome: None,
            took: Duration::ZERO,
        }
    }

    /// The answer, if there was one.
    pub(super) fn answer(&self) -> Option<&Answer> {
        self.outcome.as_ref()?.as_ref().ok()
    }

    /// Why there was none.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.outcome.as_ref()?.as_ref().err().copied()
    }
}

impl Answer {
    fn of(response: &Response<Body>) -> Self {
        let headers = response.headers();
        let body = response.body().as_bytes();
        let media_type = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
        let plain = |id: &&str| {
            (1..=64).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let request_id = text(headers, "x-request-id").or_else(|| text(headers, "request-id"));
        Self {
            status: response.status().as_u16(),
            ahead: text(headers, DATE.as_str()).and_then(ahead),
            request_id: request_id.filter(plain).map(str::to_owned),
            html: media_type.trim_start().to_ascii_lowercase().starts_with("text/html"),
            location: text(headers, LOCATION.as_str()).and_then(|to| Some(without_query(&to.parse().ok()?))),
            said: said(body),
            token: IdentityToken::find(body),
            retry_after: text(headers, RETRY_AFTER.as_str()).and_then(|after| after.trim().parse().ok()),
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn without_query(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    // A name and a password would stand before the last @.
    let authority = authority.rsplit('@').next().unwrap_or_default();
    format!("{}://{authority}{}", uri.scheme_str().unwrap_or_default(), uri.path())
}

/// From a `Date` header (RFC 9110, section 6.6.1), which is of this second.
fn ahead(date: &str) -> Option<i64> {
    let there = httpdate::parse_http_date(date).ok()?;
    let here = SystemTime::now();
    let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Some(match there.duration_since(here) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    })
}

/// `error` as text (RFC 6749, section 5.2), `error.code` or `error.type` (OpenAI, Anthropic), `<Code>` (AWS). Only what
/// cannot be mistaken for a secret.
fn said(body: &[u8]) -> Option<String> {
    let of_json = |body: &[u8]| {
        let body: Value = serde_json::from_slice(body).ok()?;
        let error = body.get("error")?;
        let nested = |name| error.get(name).and_then(Value::as_str);
        error.as_str().or_else(|| nested("code")).or_else(|| nested("type")).map(str::to_owned)
    };
    let of_xml = |body: &[u8]| {
        let text = str::from_utf8(body).ok()?;
        let (_, rest) = text.split_once("<Code>")?;
        rest.split_once("</Code>").map(|(code, _)| code.to_owned())
    };
    let plain = |code: &String| {
        (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    };
    of_json(body).or_else(|| of_xml(body)).filter(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_found_in_every_shape() {
        for (body, expected) in [
            (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
            (r#"{"error":{"code":"invalid_grant","type":"x"}}"#, Some("invalid_grant")),
            (r#"{"type":"error","error":{"type":"not_found_error"}}"#, Some("not_found_error")),
            ("<E><Error><Code>AccessDenied</Code></Error></E>", Some("AccessDenied")),
            (r#"{"error":"sk-canary 1"}"#, None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(said(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }

    #[test]
    fn a_query_and_a_password_are_not_kept() {
        let uri = "https://u:canary@a.example:1/x?token=canary".parse().unwrap();
        assert_eq!(without_query(&uri), "https://a.example:1/x");
    }
}
