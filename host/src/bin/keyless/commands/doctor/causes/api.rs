//! Why the API does not take a credential that was just issued, or a static key.

use std::borrow::Cow;

use crate::commands::doctor::code::Code;
use crate::commands::doctor::report::Diagnosis;
use crate::commands::doctor::watch::Answer;
use crate::output::problem::Class;

/// `None` if the API took the credential. `exchanged`: it was traded for an identity, and is no static key.
pub(in crate::commands::doctor) fn diagnose(
    answer: &Answer,
    url: &str,
    exchanged: bool,
) -> Option<Diagnosis> {
    let (code, class, cause, next) = match answer.status {
        200..=299 if answer.html => (
            Code::ApiHtml,
            Class::Unavailable,
            "a web page came back: `api.base_url` is a website's, or a proxy's login stands between",
            "set `api.base_url` to the API, such as https://api.openai.com/v1",
        ),
        200..=299 => return None,
        300..=399 => (
            Code::ApiRedirect,
            Class::Unavailable,
            "the API has moved, or a proxy sends to its login page",
            "set `api.base_url` to the final URL if you trust it",
        ),
        401 if exchanged => (
            Code::ApiUnauthorized,
            Class::Rejected,
            "the API does not know the token that the token endpoint issued: `api.base_url` belongs to another vendor, \
             region or gateway, or the token was revoked",
            "let `api.base_url` and `token_endpoint` belong to the same API",
        ),
        401 => (
            Code::ApiKeyRefused,
            Class::Rejected,
            "the key was revoked or mistyped, or belongs to another API",
            "make a new key, or set up workload identity, which needs none",
        ),
        403 => (
            Code::ApiForbidden,
            Class::Rejected,
            "the credential is genuine, but may not list models: the service account or the project lacks the permission, \
             or the API does not serve this region",
            "give the service account the permission to read models, or skip this call with `--no-call` if it needs none",
        ),
        429 => (
            Code::ApiThrottled,
            Class::Unavailable,
            "the project's rate limit or its budget is used up",
            "wait as long as was asked, and look at limits and billing in the API's settings",
        ),
        404 => (
            Code::ApiNotFound,
            Class::Unavailable,
            "there is no such call at this place: `api.base_url` lacks its version, such as `/v1`, or is another API's",
            "correct `api.base_url`",
        ),
        500..=599 => (
            Code::ApiFailed,
            Class::Unavailable,
            "the API is out of order for the moment",
            "wait and try again; if it lasts, look at the vendor's status page",
        ),
        _ => (
            Code::ApiUnexpected,
            Class::Unavailable,
            "the API does not understand this call",
            "check that `api.base_url` is the API of this connection",
        ),
    };
    let said = answer.said.as_deref().map_or(String::new(), |said| format!(" with `{said}`"));
    Some(Diagnosis {
        code: Cow::Borrowed(code.as_str()),
        what: format!("GET {url} was answered with status {}{said}", answer.status),
        cause: cause.to_owned(),
        next: next.to_owned(),
        class,
        error: None,
    })
}
