//! `KEY[=FIELD]`: a key of the Secret, and what of the credential it holds.

use keyless::Credential;
use zeroize::Zeroizing;

use crate::output::credential::rfc3339;
use crate::output::problem::Problem;

/// What of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// What authenticates: the bearer token, else the value of the header that opens the API.
    Token,
    /// The API that it opens.
    BaseUrl,
    /// RFC 3339; empty if it does not end.
    ExpiresAt,
    /// RFC 3339; empty if it is never renewed.
    RenewAt,
    /// All headers, as `name: value` lines.
    Headers,
    /// One of them, its value.
    Header(String),
}

/// A key and what it holds.
pub(super) fn parse(text: &str) -> Result<(String, Field), Problem> {
    let (key, field) = text.split_once('=').unwrap_or((text, "token"));
    let field = match field {
        "token" => Field::Token,
        "base_url" => Field::BaseUrl,
        "expires_at" => Field::ExpiresAt,
        "renew_at" => Field::RenewAt,
        "headers" => Field::Headers,
        other => match other.strip_prefix("header.") {
            Some(name) if !name.is_empty() => Field::Header(name.to_ascii_lowercase()),
            _ => {
                return Err(Problem::invalid(
                    "sync-field",
                    format!("--key names a field that a credential has not ({} characters)", other.len()),
                    "write KEY=token, base_url, expires_at, renew_at, headers or header.NAME",
                ));
            }
        },
    };
    Ok((key.to_owned(), field))
}

impl Field {
    /// Its value. `None`: this credential has no such header.
    pub(super) fn of(&self, credential: &Credential) -> Option<Zeroizing<String>> {
        let moment = |time: Option<_>| time.map(rfc3339).unwrap_or_default();
        let text = match self {
            Self::Token => match credential.token() {
                Some(token) => token.to_owned(),
                None => credential.headers().next()?.1.to_owned(),
            },
            Self::BaseUrl => credential.base_url().to_owned(),
            Self::ExpiresAt => moment(credential.expires_at()),
            Self::RenewAt => moment(credential.renew_at()),
            Self::Headers => {
                let lines =
                    credential.headers().map(|(name, value)| Zeroizing::new(format!("{name}: {value}\n")));
                // Room for all from the start: a buffer that grows leaves copies behind.
                let lines: Vec<_> = lines.collect();
                let mut text = String::with_capacity(lines.iter().map(|line| line.len()).sum());
                lines.iter().for_each(|line| text.push_str(line));
                text
            }
            Self::Header(wanted) => credential.headers().find(|(name, _)| name == wanted)?.1.to_owned(),
        };
        Some(Zeroizing::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_holds_the_token_unless_it_says_what_else() {
        let field = |text| parse(text).ok();
        assert_eq!(field("api_key"), Some(("api_key".into(), Field::Token)));
        assert_eq!(field("URL=base_url"), Some(("URL".into(), Field::BaseUrl)));
        assert_eq!(
            field("p=header.OpenAI-Project"),
            Some(("p".into(), Field::Header("openai-project".into())))
        );
        assert_eq!(field("a=header."), None);
        assert_eq!(field("a="), None);
        assert_eq!(field("a=b=c"), None);
    }
}
