//! Headers that open an API.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::{Zeroize as _, Zeroizing};

use crate::clock::system_time;
use crate::{Error, bindings};

/// What opens an API, and for how long. Immutable. The values are wiped when the last reference to them goes, and
/// `Debug` shows everything but them.
pub struct Credential {
    /// No vector: one that is collected has room for four.
    headers: Box<[(HeaderName, HeaderValue)]>,
    base_url: String,
    generation: u64,
    renew_at: Option<u64>,
    expires_at: Option<u64>,
}

impl Credential {
    /// Sets the credential's headers on a request, replacing what it carried under those names. Copies no secret: the
    /// values are shared with this credential, and marked sensitive, so that `Debug` of the request hides them.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name, value.clone());
        }
    }

    /// Lower-case names and values; the header that authenticates comes first.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        // Values were checked to be visible ASCII when the credential was made, so none is replaced by "".
        self.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()))
    }

    /// The bearer token without its scheme. `None` when the API is opened by another header or scheme.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        let (_, value) = self.headers().find(|(name, _)| *name == "authorization")?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// The API that these headers open, such as `https://api.openai.com/v1`. Send them nowhere else.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Grows with every new credential of a connection, from 1. Hand it to [`Connection::reject`](crate::Connection::reject)
    /// after a 401.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// When a renewal becomes due. `None`: never, as for a static key.
    #[must_use]
    pub fn renew_at(&self) -> Option<SystemTime> {
        self.renew_at.and_then(system_time)
    }

    /// The credential must not be used at or past this moment. `None`: it does not expire.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.and_then(system_time)
    }

    pub(crate) fn expires_at_ms(&self) -> Option<u64> {
        self.expires_at
    }

    /// Holds nothing and opens nothing; what readers find while there is no credential.
    pub(crate) fn empty() -> Self {
        Self {
            headers: Box::default(),
            base_url: String::new(),
            generation: 0,
            renew_at: None,
            expires_at: None,
        }
    }

    /// Takes over what the component returned, under a generation number that counts across component instances.
    /// The caller wipes the original.
    pub(crate) fn parse(raw: &bindings::Credential, generation: u64) -> Result<Self, Error> {
        Ok(Self {
            headers: raw.headers.iter().map(parse_header).collect::<Result<_, _>>()?,
            base_url: raw.base_url.clone(),
            generation,
            renew_at: raw.renew_at,
            expires_at: raw.expires_at,
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Credential")
            .field("headers", &names)
            .field("base_url", &self.base_url)
            .field("generation", &self.generation)
            .field("renew_at", &self.renew_at)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

fn parse_header(header: &bindings::Header) -> Result<(HeaderName, HeaderValue), Error> {
    let bindings::Header { name, value } = header;
    let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| visible).and_then(|name| {
        Some((name, HeaderValue::from_maybe_shared(wiped_bytes(value.as_bytes().to_vec())).ok()?))
    });
    let Some((name, mut value)) = parsed else {
        return Err(Error::unavailable(
            "component-header-invalid",
            format!(
                "the component returned a header that no request can carry (name of {} bytes, value of {} bytes, visible \
                 ASCII: {visible}); use a component that keeps to wit/types.wit",
                name.len(),
                value.len()
            ),
            Duration::from_secs(60),
        ));
    };
    value.set_sensitive(true);
    Ok((name, value))
}

/// Lets [`Bytes`] own memory that is wiped when the last clone goes.
struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Bytes that are wiped when the last clone goes.
pub(crate) fn wiped_bytes(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Wiped(Zeroizing::new(bytes)))
}

/// Wipes what the generated bindings hold as plain strings.
pub(crate) fn wipe(raw: &mut bindings::Credential) {
    for header in &mut raw.headers {
        header.value.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: &str, value: &str) -> bindings::Credential {
        bindings::Credential {
            headers: vec![bindings::Header { name: name.into(), value: value.into() }],
            base_url: "https://api.openai.com/v1".into(),
            generation: 1,
            renew_at: Some(1_000),
            expires_at: Some(2_000),
        }
    }

    #[test]
    fn a_bearer_token_comes_without_its_scheme() {
        let credential = Credential::parse(&raw("authorization", "Bearer canary-1"), 7).unwrap();
        assert_eq!(credential.token(), Some("canary-1"));
        assert_eq!(credential.generation(), 7);
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Basic old"));
        credential.apply(&mut headers);
        assert_eq!(headers.get("authorization").unwrap(), "Bearer canary-1");
        assert!(!format!("{headers:?} {credential:?}").contains("canary"));
    }

    #[test]
    fn another_header_or_scheme_is_no_token() {
        assert_eq!(Credential::parse(&raw("x-api-key", "canary"), 1).unwrap().token(), None);
        assert_eq!(Credential::parse(&raw("authorization", "Basic canary"), 1).unwrap().token(), None);
    }

    #[test]
    fn what_no_request_can_carry_is_refused_without_being_shown() {
        for (name, value) in
            [("authorization", "Bearer canary\r\nx: y"), ("bad name", "canary"), ("", "canary")]
        {
            let error = Credential::parse(&raw(name, value), 1).unwrap_err();
            assert_eq!(error.code, "component-header-invalid");
            assert!(!error.to_string().contains("canary"));
        }
    }
}
