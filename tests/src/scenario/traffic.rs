//! `traffic.json`: the requests that must arrive, in this order, and what they are answered.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::text::Text;
use crate::json::Json;

/// One exchange, or several alike.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) request: RequestOrSame,
    /// One of these three.
    pub(crate) response: Option<Response>,
    pub(crate) fault: Option<Fault>,
    /// True: nothing comes, and the host keeps no deadline either.
    #[serde(default)]
    pub(crate) stalls: bool,
    /// Seconds from the sending to the answer.
    #[serde(default)]
    pub(crate) after: f64,
    /// Serves any number of requests that are sent before this moment, in seconds after the start ...
    pub(crate) until: Option<f64>,
    /// ... but so many at least. Only with `until`.
    pub(crate) at_least: Option<usize>,
    /// ... and so many at most. Only with `until`.
    pub(crate) at_most: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum RequestOrSame {
    Request(Request),
    /// `"as before"`: like the entry before.
    Same(AsBefore),
}

#[derive(Clone, Deserialize)]
pub(crate) enum AsBefore {
    #[serde(rename = "as before")]
    AsBefore,
}

/// Nothing more and nothing less than this arrives. `host` is the client's business and not looked at.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    /// Names in lower case. The value `{length}` is the body's length.
    pub(crate) headers: BTreeMap<String, String>,
    /// One of these, or neither for an empty body. Compared as JSON, the order of fields included ...
    pub(crate) json: Option<Json>,
    /// ... or to the byte, as a form has to be.
    pub(crate) text: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Response {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// One of these, or neither for an empty body.
    pub(crate) json: Option<Json>,
    pub(crate) text: Option<Text>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    Denied,
    Unresolved,
    Unreachable,
    Untrusted,
    NoCertificate,
    TimedOut,
    Broken,
    TooLarge,
}
