//! What becomes of headers on their way: RFC 9110, sections 7.6.1 (Connection) and 7.6.3 (Via).

use crate::bindings::keyless::credentials::types::Credential;
use crate::keys::HEADERS;

/// Names, in lower case, and values.
pub(crate) type Entries = Vec<(String, Vec<u8>)>;

/// Headers of one hop, whether or not `Connection` names them (RFC 9110, section 7.6.1), and those that hosts of
/// `wasi:http` set themselves and forbid.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// As a client sent them. Some hosts keep the case in which they came.
pub(crate) fn received(entries: Entries) -> Entries {
    entries.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

/// Headers of a request to the API: the client's without what was meant for this hop and without any credential of its
/// own, and the connection's credential.
pub(crate) fn outgoing(received: &Entries, credential: &Credential) -> Entries {
    let named = named_by_connection(received);
    let ours = |name: &str| credential.headers.iter().any(|header| header.name == name);
    let mut headers: Entries = received
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !(HOP_BY_HOP.contains(&name)
                || HEADERS.contains(&name)
                // Browsers send the cookies of one program on loopback to every other.
                || name == "cookie"
                // The host tells the client to go on as soon as its body is asked for.
                || name == "expect"
                // A key may stand among them, and there are no WebSockets here.
                || name == "sec-websocket-protocol"
                // Words between gateways and Keyless.
                || name.starts_with("x-keyless-")
                || named.iter().any(|one| one == name)
                || ours(name))
        })
        .cloned()
        .collect();
    headers.push(("via".to_owned(), b"1.1 keyless".to_vec()));
    for header in &credential.headers {
        headers.push((header.name.clone(), header.value.clone().into_bytes()));
    }
    headers
}

/// Takes out of an answer what was meant for this hop; cookies, which belong to whoever the credential is for; and where
/// else the API can be reached, which is not where this gateway can be.
pub(crate) fn incoming(entries: Entries) -> Entries {
    let received = received(entries);
    let named = named_by_connection(&received);
    let stays = |name: &str| {
        !(HOP_BY_HOP.contains(&name)
            || matches!(name, "set-cookie" | "alt-svc")
            || named.iter().any(|one| one == name))
    };
    received.into_iter().filter(|(name, _)| stays(name)).collect()
}

/// The headers that `Connection` names, but for those that are meant for everybody, which it must not name: a client that
/// did so could have the length of its body taken away, and what follows it be read as another request.
fn named_by_connection(received: &Entries) -> Vec<String> {
    const NEEDED: [&str; 7] =
        ["close", "content-encoding", "content-length", "content-type", "host", "keep-alive", "trailer"];
    let lists = received.iter().filter(|(name, _)| name == "connection");
    let names = lists.filter_map(|(_, list)| std::str::from_utf8(list).ok()).flat_map(|list| list.split(','));
    names
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !NEEDED.contains(&name.as_str()))
        .collect()
}
