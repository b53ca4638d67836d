//! `traffic.json`: the requests that must arrive, in this order, and what they are answered.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::text::Text;
use crate::json::Json;

/// One exchange, or several alike.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub request: RequestOrSame,
    /// One of these three.
    pub response: Option<Response>,
    pub fault: Option<Fault>,
    /// True: nothing comes, and the host keeps no deadline either.
    #[serde(default)]
    pub stalls: bool,
    /// Seconds from the sending to the answer.
    #[serde(default)]
    pub after: f64,
    /// Serves any number of requests that are sent before this moment, in seconds after the start ...
    pub until: Option<f64>,
    /// ... but so many at least. Only with `until`.
    pub at_least: Option<usize>,
    /// ... and so many at most. Only with `until`.
    pub at_most: Option<usize>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum RequestOrSame {
    Request(Request),
    /// `"as before"`: like the entry before.
    Same(AsBefore),
}

#[derive(Clone, Deserialize)]
pub enum AsBefore {
    #[serde(rename = "as before")]
    AsBefore,
}

/// Nothing more and nothing less than this arrives. `host` is the client's business and not looked at.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: String,
    pub url: String,
    /// Names in lower case. The value `{length}` is the body's length.
    pub headers: BTreeMap<String, String>,
    /// One of these, or neither for an empty body. Compared as JSON, the order of fields included ...
    pub json: Option<Json>,
    /// ... or to the byte, as a form has to be.
    pub text: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// One of these, or neither for an empty body.
    pub json: Option<Json>,
    pub text: Option<Text>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    Denied,
    Unresolved,
    Unreachable,
    Untrusted,
    NoCertificate,
    TimedOut,
    Broken,
    TooLarge,
}
