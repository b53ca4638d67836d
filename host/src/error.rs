//! The one error of this crate: who has to act, a stable code, and what to do next.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Who has to act on an [`Error`]. The same five cases as `error` in `wit/types.wit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The author of the document, or the caller of this library: asking again changes nothing.
    Invalid,
    /// The operator: the grant does not hold what was asked for.
    Denied,
    /// The platform: it gave no identity token, or one that cannot be used.
    Identity,
    /// The administrator of the API: its token endpoint refused the identity.
    Rejected,
    /// Nobody: the network, the endpoint or the component is out of order for now.
    Unavailable,
}

impl ErrorKind {
    /// Whether waiting may help. Only [`ErrorKind::Unavailable`] keeps [`Connection::ready`](crate::Connection::ready)
    /// waiting; every other kind needs somebody to do something first.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable)
    }

    /// Lower-case name, as in the WIT.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Identity => "identity",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something did not work. Holds no secret and no part of a response body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// Who has to act.
    pub kind: ErrorKind,
    /// Stable and kebab-case, such as `token-file-missing`. Those of this crate start with `component-`, `connect-to-`,
    /// `connection-`, `ca-`, `cache-`, `grant-`, `lock-`, `request-`, `runtime-`, `source-` or `variable-`; the others come
    /// from the component.
    pub code: Cow<'static, str>,
    /// For people: what happened, and what to do next.
    pub message: String,
    /// How long to leave it alone. `None`: asking again will not change the answer.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// Whether waiting may help: the kind says so, and it is none of the outages that only a person ends. A certificate
    /// does not become trusted, nor a redirect an answer, by asking once more.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient() && !matches!(&*self.code, "endpoint-untrusted" | "endpoint-redirect")
    }

    pub(crate) fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code: Cow::Borrowed(code), message: message.into(), retry_after: None }
    }

    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, code, message)
    }

    pub(crate) fn denied(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, code, message)
    }

    pub(crate) fn unavailable(code: &'static str, message: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(ErrorKind::Unavailable, code, message) }
    }

    /// The connection was closed, by `close` or because the async runtime that carried it has gone.
    pub(crate) fn closed() -> Self {
        Self::new(
            ErrorKind::Unavailable,
            "connection-closed",
            "the connection is closed; open another one from the same Runtime",
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Error {}
