//! A credential as Envoy's secrets, each with the name that Envoy asks for.
//!
//! | name | content | for |
//! |---|---|---|
//! | `NAME` | the header that authenticates, whole: `Bearer ...` | `credential_injector`, as it is |
//! | `NAME.token` | the token or key alone | `header_value_prefix`, `%SECRET(...)%`, programs |
//! | `NAME.HEADER` | another header of the credential, such as `codex.chatgpt-account-id` | a further `credential_injector` |

use http::HeaderValue;
use http::header::AUTHORIZATION;

use crate::connection::Credential;

/// One value. Borrowed: no copy of a secret is made here.
pub(super) struct Secret<'a> {
    pub(super) name: String,
    /// Whether it is the token alone, and no header's value.
    pub(super) is_token: bool,
    pub(super) value: &'a str,
}

/// All secrets of a connection's credential, that of `NAME` first. Values that are no visible ASCII, which no API has, are
/// left out.
pub(super) fn all<'a>(connection: &str, credential: &'a Credential) -> Vec<Secret<'a>> {
    let mut secrets = Vec::with_capacity(2 + credential.headers().len());
    let mut headers = credential.headers().iter();
    if let Some((_, value)) = headers.next() {
        secrets.extend(secret(connection.to_owned(), value));
    }
    let token = token(credential);
    secrets.extend(token.map(|value| Secret { name: format!("{connection}.token"), is_token: true, value }));
    secrets.extend(headers.filter_map(|(name, value)| secret(format!("{connection}.{name}"), value)));
    secrets
}

fn secret(name: String, value: &HeaderValue) -> Option<Secret<'_>> {
    value.to_str().ok().map(|value| Secret { name, is_token: false, value })
}

/// A bearer token, or a key in a header of its own.
fn token(credential: &Credential) -> Option<&str> {
    credential.token().or_else(|| {
        let (name, value) = credential.headers().first()?;
        if name == AUTHORIZATION { None } else { value.to_str().ok() }
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Uri};

    use super::*;

    fn secrets(headers: &[(&'static str, &'static str)]) -> Vec<(String, String)> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let credential = Credential::new(headers, Uri::from_static("https://api.example"), 1, None, None);
        all("x", &credential).into_iter().map(|secret| (secret.name, secret.value.to_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_bearer_with_a_further_header() {
        assert_eq!(
            secrets(&[("authorization", "Bearer abc"), ("chatgpt-account-id", "7")]),
            pairs(&[("x", "Bearer abc"), ("x.token", "abc"), ("x.chatgpt-account-id", "7")])
        );
    }

    #[test]
    fn a_key_and_what_has_no_token() {
        assert_eq!(secrets(&[("x-api-key", "abc")]), pairs(&[("x", "abc"), ("x.token", "abc")]));
        assert_eq!(secrets(&[("authorization", "Basic abc")]), pairs(&[("x", "Basic abc")]));
        assert_eq!(secrets(&[]), []);
    }
}
