//! A credential in the forms in which other programs read it.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use keyless::Credential;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::cli::TokenFormat;
use crate::openai_variables::OpenAiVariables;

/// The credential in this form, ending in a newline. Wiped when dropped.
pub(crate) fn text(credential: &Credential, format: TokenFormat) -> Result<Zeroizing<String>, Problem> {
    match format {
        TokenFormat::Token => token(credential),
        TokenFormat::Headers => Ok(headers(credential)),
        TokenFormat::Json => json(credential),
        TokenFormat::Env => environment(credential),
    }
}

fn token(credential: &Credential) -> Result<Zeroizing<String>, Problem> {
    let token = credential.token().ok_or_else(|| {
        Problem::invalid(
            "credential-without-token",
            format!("this API is opened by {}, not by a bearer token", names(credential)),
            "use `--format headers` or `--format json`",
        )
    })?;
    Ok(Zeroizing::new(format!("{token}\n")))
}

fn headers(credential: &Credential) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(length(credential)));
    for (name, value) in credential.headers() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}: {value}");
    }
    out
}

/// Enough for all headers, so that no half-filled copy is left behind by a growing buffer.
fn length(credential: &Credential) -> usize {
    credential.headers().map(|(name, value)| name.len() + value.len() + 4).sum()
}

fn names(credential: &Credential) -> String {
    credential.headers().map(|(name, _)| format!("the header `{name}`")).collect::<Vec<_>>().join(" and ")
}

#[derive(Serialize)]
struct Record<'a> {
    headers: Vec<Header<'a>>,
    base_url: &'a str,
    token: Option<&'a str>,
    generation: u64,
    renew_at: Option<String>,
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    value: &'a str,
}

fn json(credential: &Credential) -> Result<Zeroizing<String>, Problem> {
    let record = Record {
        headers: credential.headers().map(|(name, value)| Header { name, value }).collect(),
        base_url: credential.base_url(),
        token: credential.token(),
        generation: credential.generation(),
        renew_at: credential.renew_at().map(rfc3339),
        expires_at: credential.expires_at().map(rfc3339),
    };
    super::json(&record).map(Zeroizing::new)
}

/// Times come from a token endpoint's answer: one beyond the year 9999 is told as the last moment that RFC 3339 can say.
pub(crate) fn rfc3339(moment: SystemTime) -> String {
    let nanos = match moment.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => i128::try_from(before.duration().as_nanos()).map_or(i128::MIN, |nanos| -nanos),
    };
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

fn environment(credential: &Credential) -> Result<Zeroizing<String>, Problem> {
    let variables = OpenAiVariables::of(credential)?;
    let mut out = Zeroizing::new(String::with_capacity(4 * length(credential) + 256));
    for (name, value) in variables.set() {
        let _ = writeln!(out, "{name}={}", shell_quoted(value).as_str());
    }
    Ok(out)
}

/// Bare where a shell takes it literally, else in single quotes.
fn shell_quoted(value: &str) -> Zeroizing<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:@%+,=".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return Zeroizing::new(value.to_owned());
    }
    Zeroizing::new(format!("'{}'", value.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_shell_takes_the_value_back_as_it_was() {
        assert_eq!(*shell_quoted("https://api.openai.com/v1"), "https://api.openai.com/v1");
        assert_eq!(*shell_quoted("a b$(c)`d`"), "'a b$(c)`d`'");
        assert_eq!(*shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(*shell_quoted(""), "''");
    }

    #[test]
    fn times_are_rfc_3339_however_far_away() {
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250)), "2023-11-14T22:13:20.25Z");
        assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(1 << 50)), "9999-12-31T23:59:59Z");
    }
}
