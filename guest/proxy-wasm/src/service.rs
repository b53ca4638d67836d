//! Where a listener's requests are not for an API but for the credential itself (`"serve": true`): the filter answers them.
//!
//! - `POST /v3/discovery:secrets`: Envoy's own secret discovery over REST, for its `credential_injector`, which then sets the
//!   credential without ever getting in here (envoyproxy.io, "xDS REST and gRPC protocol"; `SecretDiscoveryService`). It is
//!   given the header that authenticates: Envoy takes one secret from an answer, and which one it asks for stands in a body.
//! - Anything else: the credential as headers of the answer, as `keyless serve` answers gateways that ask. With
//!   `x-keyless-rejected: GENERATION`, or `injected` for the one that the injector has, the one that follows, once the injector
//!   has that too: then the request can be sent again.
//!
//! Whoever gets to that listener gets the credential: it belongs on a Unix socket that only Envoy may open.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use keyless_engine::Error;
use keyless_engine::json::{self, Map, Value};
use keyless_engine::secret::Secret;

use crate::host;
use crate::ready::Ready;
use crate::reply;

const SECRETS: &[u8] = b"/v3/discovery:secrets";
const SECRET_TYPE: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

/// Which credential the API answered 401 to.
pub(crate) enum Rejected {
    Generation(u64),
    /// Whichever the injector has.
    Injected,
}

/// If the request says so.
pub(crate) fn rejected() -> Option<Rejected> {
    let text = host::request_header("x-keyless-rejected")?;
    match str::from_utf8(&text).ok()?.trim() {
        "injected" => Some(Rejected::Injected),
        number => number.parse().ok().map(Rejected::Generation),
    }
}

/// Answers the request that is acted for. `name`: the plugin's, and the secret's. True if it was Envoy's injector that asked.
pub(crate) fn answer(ready: &Ready, name: &str) -> bool {
    if asks_for_secrets() {
        let value = ready.headers().first().map_or("", |(_, value)| value.expose());
        discovered(name, value, ready.generation());
        return true;
    }
    let generation = ready.generation().to_string();
    let own = [("cache-control", "no-store"), ("x-keyless-generation", generation.as_str())];
    let theirs = ready.headers().iter().map(|(name, value)| (name.as_str(), value.expose()));
    let headers: Vec<_> = own.into_iter().chain(theirs).collect();
    host::send_local_response(200, "keyless_credential", &headers, &[]);
    false
}

/// There is no credential. `credential_injector` goes on with the last secret it was given, so it is given an empty one,
/// which it does not set: no request leaves with one that has ended. True if it was the injector that asked.
pub(crate) fn refuse(error: &Error, name: &str) -> bool {
    let injector = asks_for_secrets();
    if injector {
        discovered(name, "", 0);
    } else {
        reply::unavailable(error);
    }
    injector
}

/// Whether it is Envoy's injector that asks.
pub(crate) fn asks_for_secrets() -> bool {
    host::request_header(":path").is_some_and(|path| **path == *SECRETS)
}

/// A `DiscoveryResponse` with one secret.
fn discovered(name: &str, value: &str, generation: u64) {
    let text = object([("inline_string", Value::String(value.into()))]);
    let secret = object([
        ("@type", Value::String(SECRET_TYPE.into())),
        ("name", Value::String(name.into())),
        ("generic_secret", object([("secret", text)])),
    ]);
    let response = object([
        ("version_info", Value::String(generation.to_string())),
        ("type_url", Value::String(SECRET_TYPE.into())),
        ("resources", Value::Array(Vec::from([secret]))),
    ]);
    let body: Secret = json::text(&response, 16 * 1024);
    let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
    host::send_local_response(200, "keyless_secrets", &headers, body.expose().as_bytes());
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut map = Map::new();
    for (name, value) in fields {
        map.insert(name.into(), value);
    }
    Value::Object(map)
}
