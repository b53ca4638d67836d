//! What this crate needs of a connection. The `keyless` command hands in the component's; tests hand in their own.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// Connections by their name in `keyless.toml`.
pub type Connections = BTreeMap<String, Arc<dyn Connection>>;

/// A credential that somebody keeps fresh.
pub trait Connection: Send + Sync + 'static {
    /// The credential, if a usable one is held. Asked for every request: it neither waits nor does I/O.
    fn credential(&self) -> Option<Arc<Credential>>;

    /// The credential; waits for the first one, and for the one that follows a rejected or expired one.
    fn ready(&self, within: Duration) -> Waiting<'_>;

    /// The API answered 401 to the credential of this generation. One that is no longer held is ignored.
    fn reject(&self, generation: u64);

    /// What the connection is doing.
    fn status(&self) -> Status;

    /// Each credential as it comes, beginning with the one held now. Ends with the connection.
    fn changes(&self) -> Changes;
}

/// A wait for a credential.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Arc<Credential>, Unavailable>> + Send + 'a>>;

/// Credentials as they come.
pub type Changes = Pin<Box<dyn Stream<Item = Arc<Credential>> + Send>>;

/// Headers that open an API. `Debug` shows everything but their values.
pub struct Credential {
    headers: Vec<(HeaderName, HeaderValue)>,
    base_url: Uri,
    generation: u64,
    renew_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
}

impl Credential {
    /// `headers`: the one that authenticates first. `base_url`: absolute, the only place where they may be sent.
    /// `generation`: grows with each credential of a connection, from 1. `expires_at`: `None` for a static key.
    #[must_use]
    pub fn new(
        mut headers: Vec<(HeaderName, HeaderValue)>,
        base_url: Uri,
        generation: u64,
        renew_at: Option<SystemTime>,
        expires_at: Option<SystemTime>,
    ) -> Self {
        headers.iter_mut().for_each(|(_, value)| value.set_sensitive(true));
        Self { headers, base_url, generation, renew_at, expires_at }
    }

    /// Sets the credential's headers, replacing what stood under their names. Copies no secret: the values are shared.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// The one that authenticates first.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The bearer token without its scheme. `None` when the API is opened in another way.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(name, _)| name == http::header::AUTHORIZATION)?;
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// The API that the headers open, such as `https://api.openai.com/v1`.
    #[must_use]
    pub fn base_url(&self) -> &Uri {
        &self.base_url
    }

    /// Which credential of its connection this is, from 1.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When it is to be renewed. `None`: never.
    #[must_use]
    pub fn renew_at(&self) -> Option<SystemTime> {
        self.renew_at
    }

    /// From when it must not be used any more. `None`: it does not expire.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Credential")
            .field("headers", &names)
            .field("base_url", &self.base_url)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// Why there is no credential. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// Stable, kebab-case, such as `exchange-refused`.
    pub code: String,
    /// What happened and what to do, for people.
    pub message: String,
    /// How long to wait before it may be different.
    pub retry_after: Option<Duration>,
}

/// The state of a connection when it last changed. Counters only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `idle`, `acquiring`, `fresh`, `renewing`, `waiting`, `failed` or `closed`.
    pub phase: &'static str,
    /// Whether a usable credential is held.
    pub usable: bool,
    /// Generation of the credential held last, 0 before the first.
    pub generation: u64,
    /// Exchanges that succeeded.
    pub renewals: u64,
    /// Attempts that failed.
    pub failures: u64,
    /// Attempts that failed since the last success.
    pub failures_in_a_row: u32,
    /// Component instances that broke and were replaced.
    pub replacements: u64,
    /// When the credential is renewed, or the next attempt after a failure starts.
    pub next_attempt_at: Option<SystemTime>,
    /// When the credential held ends.
    pub expires_at: Option<SystemTime>,
    /// Why the last attempt failed; `None` once one has succeeded.
    pub last_problem: Option<Unavailable>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(name: &'static str, value: &'static str) -> Credential {
        let header = (HeaderName::from_static(name), HeaderValue::from_static(value));
        Credential::new(vec![header], Uri::from_static("https://api.example/v1"), 3, None, None)
    }

    #[test]
    fn it_replaces_what_a_request_carried_and_shows_nothing() {
        let credential = credential("authorization", "Bearer canary");
        let mut headers = HeaderMap::new();
        headers.append("authorization", HeaderValue::from_static("Basic old"));
        headers.append("authorization", HeaderValue::from_static("Bearer older"));
        credential.apply(&mut headers);
        assert_eq!(headers.get_all("authorization").iter().collect::<Vec<_>>(), ["Bearer canary"]);
        assert_eq!(credential.token(), Some("canary"));
        assert!(!format!("{credential:?} {headers:?}").contains("canary"));
    }

    #[test]
    fn another_way_in_is_no_token() {
        assert_eq!(credential("x-api-key", "canary").token(), None);
        assert_eq!(credential("authorization", "Basic canary").token(), None);
    }
}
