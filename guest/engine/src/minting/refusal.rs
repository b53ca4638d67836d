//! An Admin API that did not do as it was asked: whose turn it is now, and what to tell them. Of an answer only the code is
//! repeated, in the alphabet of codes, and the request id.

use alloc::string::String;

use crate::error::{Code, Error};
use crate::exchange::refusal::{self, code_of, request_id};
use crate::io::{Now, Response, SendFault};

/// The request got no answer.
pub(super) fn of_fault(fault: SendFault, method: &str, url: &str) -> Error {
    match fault {
        SendFault::TooLarge => Error::new(
            Code::ResponseTooLarge,
            format_args!("{url} answered with more than the Admin API ever does; check `host`"),
        ),
        other => refusal::of_fault(other, method, url),
    }
}

/// The request got another answer than it should. `what` was asked for.
pub(super) fn of_response(response: &Response, now: Now, what: &str, project: &str) -> Error {
    let status = response.status;
    let id = request_id(response);
    let retry_after = crate::retry_after::read(response, now);
    let said = code_of(&response.body).map_or(String::new(), |code| format!(" with `{code}`"));
    match status {
        401 => Error::new(
            Code::AdminKeyRefused,
            format_args!("the Admin API does not accept the Admin key (status 401{said}){id}. It has to be an Admin key (`sk-admin-...`, made by an owner of the organization under Settings, Admin keys); a project's key or an access token does not do"),
        ),
        403 => Error::new(
            Code::AdminKeyRefused,
            format_args!("the Admin key may not {what} (status 403{said}){id}. Give it write access to the organization's administration (scope `api.management.write`)"),
        ),
        400 | 404 | 409 | 422 => Error::new(
            Code::ProjectRefused,
            format_args!("the Admin API did not {what} in the project `{project}` (status {status}{said}){id}. Check that `project_id` is a project of the Admin key's organization, and not archived"),
        ),
        429 => Error::new(
            Code::EndpointThrottled,
            format_args!("the Admin API asks for fewer requests (429{said}){id}; it is asked again later"),
        )
        .retry_after(retry_after),
        408 | 425 | 500..=599 => Error::new(
            Code::EndpointFailed,
            format_args!("the Admin API is out of order (status {status}{said}){id}; it is asked again"),
        )
        .retry_after(retry_after),
        300..=399 => Error::new(
            Code::EndpointRedirect,
            format_args!("the Admin API answered with a redirect (status {status}){id}, which is never followed because it would carry the Admin key elsewhere; set `host` to the final URL"),
        ),
        _ => Error::new(
            Code::ResponseUnexpected,
            format_args!("the Admin API answered with status {status}{said}{id}, which it never does; check `host` and what stands between"),
        )
        .retry_after(retry_after),
    }
}
