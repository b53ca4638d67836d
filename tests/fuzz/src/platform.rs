//! What the parties around a connection would say, good and bad.

use keyless_engine::io::{FileFault, Now, Response, SendFault, SourceFault};
use keyless_engine::secret::{Secret, SecretBytes};

use crate::input::Input;
use crate::shown::MARK;
use crate::{reply, token};

/// What an identity token may be instead of a good one.
fn identity(input: &mut Input<'_>, audience: &str, now: Now) -> Vec<u8> {
    let now_s = now.wall_ms / 1_000;
    match input.below(12) {
        0 => Vec::new(),
        1 => b"eyJhbGciOiJFUzI1NiJ9.eyJpc3".to_vec(),
        2 => token::for_audience(audience, now_s.saturating_sub(60)).into_bytes(),
        3 => token::for_audience("somebody else", now_s + 3_600).into_bytes(),
        4 => format!("sk-{MARK}").into_bytes(),
        5 => token::for_audience("https://management.azure.com/", now_s + 3_600).into_bytes(),
        6 => token::for_audience(audience, now_s + input.number() % 3_600).into_bytes(),
        _ => token::for_audience(audience, now_s + 3_600).into_bytes(),
    }
}

/// What a file holds.
pub fn file(input: &mut Input<'_>, audience: &str, now: Now) -> Result<SecretBytes, FileFault> {
    match input.below(16) {
        0 => Err(FileFault::Missing),
        1 => Err(FileFault::Denied),
        2 => Err(FileFault::NotAFile),
        3 => Err(FileFault::TooLarge),
        4 => Err(FileFault::Failed),
        _ => Ok(identity(input, audience, now).into()),
    }
}

/// What a component for identity tokens says.
pub fn component(input: &mut Input<'_>, audience: &str, now: Now) -> Result<Secret, SourceFault> {
    match input.below(8) {
        0 => Err(SourceFault::Absent),
        1 => Err(SourceFault::Failed(String::from_utf8_lossy(input.piece()).replace(MARK, ""))),
        _ => Ok(Secret::new(String::from_utf8_lossy(&identity(input, audience, now)).into_owned())),
    }
}

/// What a platform's service says to a request for `url`.
pub fn service(input: &mut Input<'_>, url: &str, audience: &str, now: Now) -> Result<Response, SendFault> {
    if input.below(4) == 0 {
        return trouble(input);
    }
    let token = String::from_utf8_lossy(&identity(input, audience, now)).into_owned();
    let keys = r#"{"Code":"Success","AccessKeyId":"CANARYID","SecretAccessKey":"CANARY-key","Token":"CANARY-session","Expiration":"2099-01-01T00:00:00Z"}"#;
    let answer = match url {
        _ if url.contains("/api/token") => "CANARY-imds".to_owned(),
        _ if url.ends_with("/security-credentials/") => "app-role".to_owned(),
        _ if url.contains("credentials") => keys.to_owned(),
        _ if url.contains("amazonaws") => format!(
            "<A><B><WebIdentityToken>{token}</WebIdentityToken><Credentials><AccessKeyId>CANARYID</AccessKeyId><SecretAccessKey>CANARY-key</SecretAccessKey><SessionToken>CANARY</SessionToken></Credentials></B></A>"
        ),
        _ if url.contains("google") => token,
        _ if url.contains("ci.example") => format!(r#"{{"value":"{token}"}}"#),
        _ => format!(r#"{{"access_token":"{token}"}}"#),
    };
    Ok(Response {
        status: 200,
        headers: vec![("metadata-flavor".to_owned(), "Google".to_owned())],
        body: answer.into_bytes().into(),
    })
}

/// What a token endpoint says that issues nothing.
pub fn refusal(input: &mut Input<'_>) -> Result<Response, SendFault> {
    const BODIES: [&str; 6] = [
        r#"{"error":"invalid_grant","error_description":"CANARY"}"#,
        r#"{"error":{"code":"slow_down","message":"CANARY"}}"#,
        r#"{"access_token":"CANARY","expires_in":-1}"#,
        r#"{"expires_in":3600}"#,
        "<html>CANARY",
        "",
    ];
    let mut answer = trouble(input)?;
    let body = input.pick(&BODIES).unwrap_or_default();
    answer.body = body.as_bytes().to_vec().into();
    if body.starts_with(r#"{"access"#) && input.byte() & 1 == 0 {
        answer.status = 200;
    }
    Ok(answer)
}

/// A fault, or a status that is not 200, and perhaps a time to wait.
fn trouble(input: &mut Input<'_>) -> Result<Response, SendFault> {
    const STATUS: [u16; 12] = [0, 100, 204, 302, 400, 401, 403, 404, 408, 429, 500, 503];
    let choice = input.byte();
    if choice < 64 {
        return reply::read(&[b'0' + choice % 8], 0);
    }
    let mut headers = vec![("x-request-id".to_owned(), "req_1".to_owned())];
    match choice % 4 {
        0 => headers.push(("retry-after".to_owned(), input.number().to_string())),
        1 => headers.push(("retry-after".to_owned(), String::from_utf8_lossy(input.piece()).into_owned())),
        _ => {}
    }
    let status = input.pick(&STATUS).unwrap_or_default();
    Ok(Response { status, headers, body: b"CANARY".to_vec().into() })
}
