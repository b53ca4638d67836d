//! The URI form of `AIRFLOW_CONN_...`, taken apart exactly as Airflow does it (`Connection._parse_from_uri`, which
//! leans on Python's `urllib.parse`), because a stricter or cleverer reading would give people another connection than
//! the one they tested.

use alloc::string::String;

use crate::json::{Map, Value};
use percent_encoding::percent_decode_str;

use super::{Parts, json};
use crate::error::{Code, Error};
use crate::secret::Secret;
use crate::split;

pub(super) fn parse(text: &str) -> Result<Parts, Error> {
    let text = unwrapped(text);
    let (scheme, rest) = split::once(text.expose(), "://")
        .ok_or_else(|| fault("is neither a JSON object nor a URI; write `{...}` or `openai://...`"))?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_');
    if scheme.is_empty() || !scheme.bytes().all(valid) {
        return Err(fault("does not begin with a connection type; write `openai://...`"));
    }
    match split::once(rest, "://") {
        None => split(rest, None),
        Some((_, after)) if split::once(after, "://").is_some() => Err(fault(
            "has `://` more than twice; percent-encode it (`%3A%2F%2F`) inside the query and the host",
        )),
        // The host carries a scheme of its own: `openai://https://host`.
        Some((inner, after)) => {
            if inner.contains(['@', ':']) {
                return Err(fault("has a password before the scheme of its host; write `openai://https://:KEY@host`, or percent-encode the host"));
            }
            if inner.starts_with(['/', '?', '#']) {
                // There is no host, and the `://` stands in the query: `openai://?resource=api://id`.
                split(rest, None)
            } else if inner.starts_with(|c: char| c.is_ascii_alphabetic()) && inner.bytes().all(valid) {
                split(after, Some(&inner.to_ascii_lowercase()))
            } else {
                Err(fault("has `://` in a place that is not a scheme; percent-encode it (`%3A%2F%2F`)"))
            }
        }
    }
    .map(|parts| Parts { conn_type: Some(conn_type(scheme)), ..parts })
}

/// Without line breaks and tabs, which Python's `urlsplit` drops: a URI that was wrapped in a manifest is one again.
fn unwrapped(text: &str) -> Secret {
    let mut line = String::with_capacity(text.len());
    line.extend(text.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')));
    Secret::new(line)
}

/// Airflow's normal form of a type.
pub(super) fn conn_type(text: &str) -> String {
    text.to_ascii_lowercase().replace('-', "_")
}

/// Python takes them for an IPv6 address, wherever they stand before the path.
const BRACKETS: [char; 2] = ['[', ']'];
const STRAY_BRACKET: &str =
    "has a `[` or `]` that does not enclose an IPv6 address; percent-encode it (`%5B`, `%5D`)";

/// `[login[:password]@][host[:port]][/schema][?extra]`
fn split(rest: &str, protocol: Option<&str>) -> Result<Parts, Error> {
    let (rest, _fragment) = split::once(rest, "#").unwrap_or((rest, ""));
    let (rest, query) = split::once(rest, "?").unwrap_or((rest, ""));
    let (authority, schema) = split::once(rest, "/").unwrap_or((rest, ""));
    let (user, place) = split::last(authority, "@").unwrap_or(("", authority));
    if user.contains(BRACKETS) {
        return Err(fault(STRAY_BRACKET));
    }
    let (login, password) = match split::once(user, ":") {
        Some((login, password)) => (login, Some(password)),
        None => (user, None),
    };
    let (host, port) = host_and_port(place)?;
    let host = match (protocol, host) {
        (Some(protocol), host) if !host.is_empty() => Some(format!("{protocol}://{host}")),
        (_, host) => Some(host).filter(|host| !host.is_empty()),
    };
    let filled = |text: &str| (!text.is_empty()).then(|| decode(text));
    Ok(Parts {
        conn_type: None,
        login: filled(login),
        password: password.map(|password| Secret::new(decode(password))),
        host,
        port,
        schema: filled(schema),
        extra: extra(query)?,
    })
}

/// Lower-cased as Python does it, unless the host holds an encoded slash: then it is a URL, taken as it stands.
fn host_and_port(place: &str) -> Result<(String, Option<u16>), Error> {
    let (host, port) = match place.strip_prefix('[').and_then(|inside| split::once(inside, "]")) {
        Some((address, after)) if address.contains(':') => (address, after.strip_prefix(':').unwrap_or("")),
        _ if place.contains(BRACKETS) => return Err(fault(STRAY_BRACKET)),
        _ => split::once(place, ":").unwrap_or((place, "")),
    };
    let port = match port {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| fault("has a port above 65535"))?)
        }
        _ => {
            return Err(fault(
                "has a port that is not a number; percent-encode a `:` that belongs to the password or the host",
            ));
        }
    };
    let decoded = decode(host);
    let host = if decoded.contains('/') { decoded } else { decode(&host.to_ascii_lowercase()) };
    Ok((host, port))
}

/// The query: `__extra__` replaces everything, otherwise every value is a string and the last of a name wins.
fn extra(query: &str) -> Result<Map, Error> {
    let mut pairs = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        pairs.insert(name.into_owned(), Value::String(value.into_owned()));
    }
    match pairs.remove("__extra__") {
        Some(nested) => json::extra(Some(nested)),
        None => Ok(pairs),
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn fault(what: &str) -> Error {
    Error::new(Code::DocumentSyntax, format_args!("the connection URI {what}"))
}
