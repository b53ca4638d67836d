//! What becomes of headers on their way: RFC 9110, sections 7.6.1 (Connection) and 7.6.3 (Via).

use http::header::{CONNECTION, COOKIE, EXPECT, HOST, TE, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, Version};

use crate::connection::Credential;
use crate::keys::HEADERS;

/// Headers of one hop, whether or not `Connection` names them (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// Browsers cannot set `authorization` on a WebSocket: OpenAI's clients put the key into the list of subprotocols.
const KEY_AS_SUBPROTOCOL: &str = "openai-insecure-api-key.";

/// Headers of a request to an upstream: the client's without what was meant for this hop and without any credential of
/// its own, and the connection's credential.
pub(super) fn outgoing(received: &HeaderMap, version: Version, credential: &Credential) -> HeaderMap {
    let named = Named::of(received);
    let mut headers = HeaderMap::with_capacity(received.len() + 4);
    for (name, value) in received {
        let goes = match name.as_str() {
            // Set anew below, or by the connection that it leaves by.
            "host" | "via" => false,
            // The client is told to go on as soon as its body is asked for.
            "expect" => false,
            // Words between gateways and this program.
            own if own.starts_with("x-keyless-") => false,
            // Browsers send the cookies of one program on loopback to every other.
            "cookie" => false,
            "sec-websocket-protocol" => {
                if let Some(value) = without_key(value) {
                    headers.append(name, value);
                }
                false
            }
            other => !HOP_BY_HOP.contains(&other) && !HEADERS.contains(&other) && !named.contains(name),
        };
        if goes {
            headers.append(name, value.clone());
        }
    }
    debug_assert!([HOST, COOKIE, EXPECT, CONNECTION].iter().all(|name| !headers.contains_key(name)));
    if received.get_all(TE).iter().any(|te| has_token(te, "trailers")) {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    via(received, version, &mut headers);
    credential.apply(&mut headers);
    headers
}

/// Takes out of an answer what was meant for this hop; cookies, which belong to the program that the credential is for; and
/// where else the upstream can be reached, which is not where this listener can be.
pub(super) fn incoming(headers: &mut HeaderMap) {
    let named = Named::of(headers);
    let gone: Vec<HeaderName> = headers
        .keys()
        .filter(|name| {
            HOP_BY_HOP.contains(&name.as_str())
                || matches!(name.as_str(), "set-cookie" | "alt-svc")
                || named.contains(name)
        })
        .cloned()
        .collect();
    for name in gone {
        headers.remove(name);
    }
}

/// Whether a header's list holds this token, however it is written.
pub(super) fn has_token(value: &HeaderValue, token: &str) -> bool {
    value.to_str().is_ok_and(|list| {
        list.split(',').any(|one| one.split(';').next().unwrap_or(one).trim().eq_ignore_ascii_case(token))
    })
}

/// The headers that `Connection` names.
struct Named<'a>(Vec<&'a str>);

impl<'a> Named<'a> {
    fn of(headers: &'a HeaderMap) -> Self {
        let lists = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
        let names = lists.flat_map(|list| list.split(',')).map(str::trim);
        Self(names.filter(|name| !is_needed(name)).collect())
    }

    fn contains(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|one| one.eq_ignore_ascii_case(name.as_str()))
    }
}

/// `Connection` must not name what is meant for everybody (RFC 9110, section 7.6.1). A client that did so could have the
/// length of its body taken away, say, and what follows it be read as another request.
fn is_needed(name: &str) -> bool {
    ["close", "keep-alive", "content-length", "content-type", "content-encoding", "host", "trailer"]
        .iter()
        .any(|needed| needed.eq_ignore_ascii_case(name))
}

fn via(received: &HeaderMap, version: Version, headers: &mut HeaderMap) {
    for value in received.get_all(VIA) {
        headers.append(VIA, value.clone());
    }
    let own = if version == Version::HTTP_2 { "2 keyless" } else { "1.1 keyless" };
    headers.append(VIA, HeaderValue::from_static(own));
}

/// The subprotocols that are no key. `None`: none are left.
fn without_key(value: &HeaderValue) -> Option<HeaderValue> {
    let list = value.to_str().ok()?;
    let left: Vec<_> = list
        .split(',')
        .map(str::trim)
        .filter(|one| !one.starts_with(KEY_AS_SUBPROTOCOL) && !one.is_empty())
        .collect();
    if left.is_empty() { None } else { HeaderValue::try_from(left.join(", ")).ok() }
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = headers.iter();
        pairs.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    fn sent(headers: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let bearer = (http::header::AUTHORIZATION, HeaderValue::from_static("Bearer ours"));
        let credential =
            Credential::new(vec![bearer], Uri::from_static("https://api.example"), 1, None, None);
        let sent = outgoing(&map(headers), Version::HTTP_11, &credential);
        let mut sent: Vec<_> =
            sent.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        sent.sort();
        sent
    }

    fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn no_credential_of_the_client_goes_on() {
        let received = [
            ("authorization", "Bearer theirs"),
            ("proxy-authorization", "Basic theirs"),
            ("x-api-key", "theirs"),
            ("api-key", "theirs"),
            ("x-goog-api-key", "theirs"),
            ("openai-organization", "theirs"),
            ("openai-project", "theirs"),
            ("cookie", "session=theirs"),
            ("sec-websocket-protocol", "realtime, openai-insecure-api-key.theirs"),
            ("x-keyless-rejected", "1"),
            ("x-stainless-lang", "python"),
        ];
        let expected = [
            ("authorization", "Bearer ours"),
            ("sec-websocket-protocol", "realtime"),
            ("via", "1.1 keyless"),
            ("x-stainless-lang", "python"),
        ];
        assert_eq!(sent(&received), pairs(&expected));
    }

    #[test]
    fn what_was_meant_for_this_hop_stays() {
        let received = [
            ("connection", "close, x-mine, Content-Length"),
            ("x-mine", "1"),
            ("content-length", "3"),
            ("te", "gzip, trailers;q=1"),
            ("trailer", "x-sum"),
            ("keep-alive", "5"),
            ("upgrade", "h2c"),
            ("http2-settings", "AAMAAABk"),
            ("transfer-encoding", "chunked"),
            ("expect", "100-continue"),
            ("host", "localhost"),
            ("via", "1.1 other"),
        ];
        let expected = [
            ("authorization", "Bearer ours"),
            ("content-length", "3"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("via", "1.1 keyless"),
            ("via", "1.1 other"),
        ];
        assert_eq!(sent(&received), pairs(&expected));
    }

    #[test]
    fn an_answer_keeps_what_is_for_the_client() {
        let mut headers = map(&[
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("set-cookie", "a=b"),
            ("alt-svc", "h3=\":443\""),
            ("transfer-encoding", "chunked"),
            ("content-type", "text/event-stream"),
            ("retry-after", "3"),
        ]);
        incoming(&mut headers);
        assert_eq!(headers, map(&[("content-type", "text/event-stream"), ("retry-after", "3")]));
    }
}
