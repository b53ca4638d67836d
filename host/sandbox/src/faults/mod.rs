//! What can go wrong, on demand: one list of armed faults per party.

mod distort;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use distort::distort;

use crate::lock::lock;
use crate::openai_admin::Lag;
use crate::openai_admin::call::OpenAiAdminCall;
use crate::openai_admin::refusal::WRITE_SCOPE;
use crate::service::ServiceName;

/// One way to answer badly. As JSON: `{"kind": "status", "status": 503, "retry_after": {"seconds": 5}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// This status, instead of doing the work.
    Status {
        /// 200 to 599.
        status: u16,
        /// Adds `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<RetryAfter>,
    },
    /// Nothing for a while, and then the answer, or another fault.
    Delay {
        /// Milliseconds before the first byte.
        ms: u64,
        /// What comes then; the proper answer where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        then: Option<Box<Self>>,
    },
    /// The proper answer, slowly.
    Drip {
        /// Bytes at a time, at least 1.
        bytes: usize,
        /// Milliseconds between two pieces.
        pause_ms: u64,
    },
    /// Reads the request and never answers.
    Stall,
    /// Sends the headers and half of the proper answer, and never the rest.
    StallMidway,
    /// Reads the request and closes the connection (HTTP/2: resets the stream), the work undone.
    CloseBefore,
    /// Does the work, sends half of the answer and closes the connection (HTTP/2: resets the stream).
    CloseMidway,
    /// Does the work and closes the connection (HTTP/2: resets the stream) without a word: a lost answer.
    CloseAfter,
    /// For OpenAI's Admin API: what this request creates enters the list of service accounts late, what it deletes
    /// leaves the list late, and a list shows what was there so long ago.
    Lag {
        /// How late.
        seconds: u64,
        /// How the request is answered; properly where absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        then: Option<Box<Self>>,
    },
    /// 403 as OpenAI words it to a key that lacks a permission, instead of doing the work.
    MissingScope {
        /// `api.management.write` where absent.
        #[serde(default = "management_write")]
        scope: String,
    },
    /// The first two thirds of the proper answer, as if they were all of it: JSON that stops in the middle.
    MalformedJson,
    /// The proper headers and no body.
    EmptyBody,
    /// An HTML page with status 200, as a captive portal or a gateway sends.
    Html,
    /// A body that never ends.
    EndlessBody,
    /// Points elsewhere.
    Redirect {
        /// An absolute URL.
        location: String,
        /// 301, 302, 303, 307 or 308; 307 where absent.
        #[serde(default = "temporary_redirect")]
        status: u16,
    },
    /// The proper body under another media type.
    ContentType {
        /// Such as `text/plain`.
        value: String,
    },
    /// The proper answer, with one field of its JSON object set to something else.
    SetField {
        /// Such as `expires_in` or `access_token`.
        name: String,
        /// Any JSON value.
        value: Value,
    },
    /// The proper answer, with one field of its JSON object missing.
    DropField {
        /// Such as `expires_in`.
        name: String,
    },
    /// An answer of your own, instead of doing the work.
    Body {
        /// 200 to 599; 200 where absent.
        #[serde(default = "ok")]
        status: u16,
        /// `application/json` where absent.
        #[serde(default = "application_json")]
        content_type: String,
        /// Sent as it is.
        body: String,
    },
}

/// The value of a `Retry-After` header (RFC 9110, section 10.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date, so many seconds from now on the machine's clock.
    DateInSeconds(u64),
    /// Anything, well-formed or not.
    Text(String),
}

fn temporary_redirect() -> u16 {
    307
}

fn ok() -> u16 {
    200
}

fn management_write() -> String {
    WRITE_SCOPE.to_owned()
}

fn application_json() -> String {
    "application/json".to_owned()
}

impl Fault {
    /// `expires_in` as given, whatever it is.
    #[must_use]
    pub fn expires_in(value: impl Into<Value>) -> Self {
        Self::SetField { name: "expires_in".to_owned(), value: value.into() }
    }

    /// `access_token` as given. The API will not know it.
    #[must_use]
    pub fn access_token(value: impl Into<Value>) -> Self {
        Self::SetField { name: "access_token".to_owned(), value: value.into() }
    }

    /// A plain status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status { status, retry_after: None }
    }

    /// What of it concerns the work itself.
    pub(crate) fn lag(&self) -> Option<Lag> {
        match self {
            Self::Lag { seconds, .. } => Some(Lag { ms: seconds.saturating_mul(1_000) }),
            Self::Delay { then, .. } => then.as_ref()?.lag(),
            _ => None,
        }
    }

    /// Reads the JSON form strictly. The error says what would be allowed.
    pub(crate) fn from_json(given: &Value) -> Result<Self, String> {
        let fault = Self::deserialize(given).map_err(|error| error.to_string())?;
        // The derived reader overlooks stray fields of those kinds that have none.
        let understood = serde_json::to_value(&fault).map_err(|error| error.to_string())?;
        if let Some(stray) = stray_field(given, &understood) {
            return Err(format!("unknown field `{stray}`; this kind does not take it"));
        }
        fault.check()?;
        Ok(fault)
    }

    /// Whether it can be carried out; the error says what would be allowed.
    fn check(&self) -> Result<(), String> {
        let status_is = |status: &u16, allowed: &dyn Fn(u16) -> bool, rule: &str| {
            if allowed(*status) { Ok(()) } else { Err(format!("`status` is {status}; allowed: {rule}")) }
        };
        let header_is = |name: &str, value: &str| {
            http::HeaderValue::from_str(value).map(|_| ()).map_err(|_| {
                format!("`{name}` holds characters that no header can carry; allowed: visible ASCII")
            })
        };
        match self {
            Self::Status { status, retry_after } => {
                if let Some(RetryAfter::Text(text)) = retry_after {
                    header_is("retry_after.text", text)?;
                }
                status_is(status, &|status| (200..=599).contains(&status), "200 to 599")
            }
            Self::Body { status, content_type, .. } => {
                header_is("content_type", content_type)?;
                status_is(status, &|status| (200..=599).contains(&status), "200 to 599")
            }
            Self::Redirect { status, location } => {
                header_is("location", location)?;
                status_is(
                    status,
                    &|status| matches!(status, 301 | 302 | 303 | 307 | 308),
                    "301, 302, 303, 307, 308",
                )
            }
            Self::ContentType { value } => header_is("value", value),
            Self::Drip { bytes: 0, .. } => Err("`bytes` is 0; allowed: 1 or more".to_owned()),
            Self::Delay { then: Some(then), .. } | Self::Lag { then: Some(then), .. } => then.check(),
            _ => Ok(()),
        }
    }
}

/// A field of `given` that `understood` lacks, at any depth.
fn stray_field(given: &Value, understood: &Value) -> Option<String> {
    given.as_object()?.iter().find_map(|(name, value)| match understood.get(name) {
        Some(understood) => stray_field(value, understood),
        None => (!value.is_null()).then(|| name.clone()),
    })
}

/// A fault, what it is aimed at, and for how many more requests it holds.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Armed {
    /// None: every request of the party.
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<OpenAiAdminCall>,
    fault: Fault,
    /// None: until cleared.
    remaining: Option<u64>,
}

/// The faults that are armed. They apply one after the other, in the order in which they were armed; one that is armed
/// "until cleared" gives way to the next that is armed with the same aim.
#[derive(Default)]
pub(crate) struct Faults(Mutex<BTreeMap<ServiceName, VecDeque<Armed>>>);

impl Faults {
    /// For the next `times` requests (0: none), or until cleared.
    pub(crate) fn arm(
        &self,
        service: ServiceName,
        on: Option<OpenAiAdminCall>,
        fault: Fault,
        times: Option<u64>,
    ) {
        let mut board = lock(&self.0);
        let armed = board.entry(service).or_default();
        armed.retain(|earlier| earlier.remaining.is_some() || earlier.on != on);
        if times != Some(0) {
            armed.push_back(Armed { on, fault, remaining: times });
        }
    }

    /// Clears those of one party, or all.
    pub(crate) fn clear(&self, service: Option<ServiceName>) {
        lock(&self.0).retain(|name, _| service.is_some_and(|wanted| wanted != *name));
    }

    /// The fault for the request at hand.
    pub(crate) fn take(&self, service: ServiceName, call: Option<OpenAiAdminCall>) -> Option<Fault> {
        let mut board = lock(&self.0);
        let armed = board.get_mut(&service)?;
        let at = armed.iter().position(|armed| armed.on.is_none() || armed.on == call)?;
        let first = armed.get_mut(at)?;
        let fault = first.fault.clone();
        if let Some(remaining) = &mut first.remaining {
            *remaining -= 1;
            if *remaining == 0 {
                armed.remove(at);
            }
        }
        Some(fault)
    }

    /// What is armed, for people.
    pub(crate) fn snapshot(&self) -> BTreeMap<ServiceName, VecDeque<Armed>> {
        lock(&self.0).clone()
    }
}
