//! An exchange that did not bring a token: whose turn it is now, and what to tell them.
//!
//! A body may echo the request. So of an error answer only the OAuth code is repeated (and only in the alphabet of such
//! codes) and the request id; `error_description` never.

use alloc::borrow::ToOwned as _;
use alloc::string::String;

use crate::json::{self, Value};

use crate::error::{Code, Error};
use crate::io::{Now, Response, SendFault};
use crate::subject_token::Claims;

/// The request got no answer.
pub(crate) fn of_fault(fault: SendFault, method: &str, endpoint: &str) -> Error {
    let (code, message) = match fault {
        SendFault::Denied => (
            Code::EndpointDenied,
            format!(
                "the host did not grant `{method} {endpoint}`; grant it, or renew the lock file if one is in force"
            ),
        ),
        SendFault::Unresolved => (
            Code::EndpointUnresolved,
            format!("the host name of {endpoint} did not resolve; check the name and this machine's DNS"),
        ),
        SendFault::Unreachable => (
            Code::EndpointUnreachable,
            format!("no connection to {endpoint}; check egress rules and network policies"),
        ),
        SendFault::Untrusted => (
            Code::EndpointUntrusted,
            format!(
                "no TLS session with {endpoint}: its certificate is not trusted, or the handshake failed; give a private CA to the host, and check the client certificate if one is presented"
            ),
        ),
        SendFault::NoCertificate => (
            Code::ClientCertificate,
            "the host has no usable client certificate to present; check that `certificate_file` and `private_key_file` are PEM files that belong together (the host's log says which is wrong)".to_owned(),
        ),
        SendFault::TimedOut => {
            (Code::EndpointTimeout, format!("{endpoint} did not answer within 10 s; it is asked again"))
        }
        SendFault::Broken => (
            Code::EndpointUnreachable,
            format!("the connection to {endpoint} broke before the answer was complete; it is asked again"),
        ),
        SendFault::TooLarge => (
            Code::ResponseTooLarge,
            format!("{endpoint} answered with more than 64 KiB; check that it is a token endpoint"),
        ),
    };
    Error::new(code, message)
}

/// The request got an answer other than 200.
pub(super) fn of_response(response: &Response, now: Now, claims: &Claims, advice: Advice) -> Error {
    let status = response.status;
    let id = request_id(response);
    let retry_after = crate::retry_after::read(response, now);
    let oauth = code_of(&response.body);
    let said = oauth.as_deref().map_or(String::new(), |code| format!(" with `{code}`"));
    match (status, oauth.as_deref()) {
        (429, _) => Error::new(
            Code::EndpointThrottled,
            format_args!("the token endpoint asks for fewer requests (429{said}){id}; it is asked again later"),
        )
        .retry_after(retry_after),
        (408 | 425 | 500..=599, _) | (400..=499, Some("temporarily_unavailable" | "server_error" | "slow_down")) => {
            Error::new(
                Code::EndpointFailed,
                format_args!("the token endpoint is out of order (status {status}{said}){id}; it is asked again"),
            )
            .retry_after(retry_after)
        }
        (300..=399, _) => Error::new(
            Code::EndpointRedirect,
            format_args!("the token endpoint answered with a redirect (status {status}){id}, which is never followed because it would carry the identity token elsewhere; set `token_endpoint` to the final URL"),
        ),
        (400 | 401 | 403, Some(code)) => Error::new(
            Code::ExchangeRefused,
            format_args!("the token endpoint refused the identity (status {status}{said}){id}. {} The token says: {}.", advise(advice, code), claims.describe()),
        ),
        _ => Error::new(
            Code::ResponseUnexpected,
            format_args!("the token endpoint answered with status {status}{said}{id}, which is no OAuth answer; check `token_endpoint` and what stands between"),
        )
        .retry_after(retry_after),
    }
}

/// It was refused, and by the endpoint's own clock it had expired for `ago`: whatever the answer says, that is why.
pub(super) fn of_an_expired_token(endpoint: &str, ago: &str) -> Error {
    Error::new(
        Code::TokenExpired,
        format_args!(
            "{endpoint} refused the identity token, which by that clock expired {ago} ago; the platform has stopped renewing it"
        ),
    )
}

/// Codes of an endpoint and what most often lies behind them there. An empty code stands for every other.
pub(super) type Advice = &'static [(&'static str, &'static str)];

fn advise(advice: Advice, code: &str) -> &'static str {
    let own = advice.iter().find(|(other, _)| *other == code || other.is_empty());
    own.map_or_else(|| usual(code), |(_, text)| text)
}

/// What lies behind a code at OpenAI.
fn usual(code: &str) -> &'static str {
    match code {
        "invalid_grant" => {
            "Check that exactly one enabled mapping leads from this subject to the service account."
        }
        "invalid_subject_token" => {
            "Check issuer, audience and keys (JWKS) of the identity provider's entry against the token."
        }
        "identity_provider_mapping_not_found" | "invalid_client" | "unauthorized_client" => {
            "Check `identity_provider_id` and `service_account_id`: the provider or its mapping does not exist or is disabled."
        }
        "invalid_request" | "unsupported_grant_type" | "invalid_scope" | "invalid_target" => {
            "Check `identity_provider_id`, `service_account_id` and `token_type`."
        }
        "access_denied" => "The administrator of the API has to allow this identity.",
        _ => "Check the identity provider's entry and its mapping at the API.",
    }
}

/// Flat (RFC 6749: `error` is a string) or nested (`error.code`; `error.type` in Anthropic's API).
pub(crate) fn code_of(body: &[u8]) -> Option<String> {
    let body: Value = json::parse(body).ok()?;
    let error = body.get("error")?;
    let nested = |name| error.get(name).and_then(Value::as_str);
    let code = error.as_str().or_else(|| nested("code")).or_else(|| nested("type"))?;
    // A code cannot be mistaken for a token in this alphabet and length.
    let plain = (1..=64).contains(&code.len()) && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
    plain.then(|| code.to_owned())
}

/// For the vendor's support.
pub(crate) fn request_id(response: &Response) -> String {
    let id = response.header("x-request-id").or_else(|| response.header("request-id"));
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    id.filter(plain).map_or(String::new(), |id| format!(", request id {id}"))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::secret::SecretBytes;

    #[test]
    fn what_is_an_oauth_code_and_what_could_be_a_secret() {
        let longest = "a".repeat(64);
        for (body, code) in [
            (r#"{"error": "invalid_grant"}"#, Some("invalid_grant")),
            (r#"{"error": {"code": "denied", "type": "other"}}"#, Some("denied")),
            (r#"{"error": {"type": "invalid_request_error"}}"#, Some("invalid_request_error")),
            (&format!(r#"{{"error": "{longest}"}}"#), Some(longest.as_str())),
            (&format!(r#"{{"error": "{longest}a"}}"#), None),
            (r#"{"error": ""}"#, None),
            (r#"{"error": "Invalid_grant"}"#, None),
            (r#"{"error": "invalid grant"}"#, None),
            (r#"{"error": "sk-1"}"#, None),
            (r#"{"error": 1}"#, None),
            ("{}", None),
            ("no JSON", None),
        ] {
            assert_eq!(code_of(body.as_bytes()).as_deref(), code, "{body}");
        }
    }

    #[test]
    fn a_request_id_is_repeated_if_it_is_nothing_but_that() {
        let longest = "a".repeat(64);
        let too_long = "a".repeat(65);
        for (name, id, repeated) in [
            ("x-request-id", "req_1-a", true),
            ("request-id", "req_1", true),
            ("x-request-id", &longest, true),
            ("x-request-id", &too_long, false),
            ("x-request-id", "", false),
            ("x-request-id", "a b", false),
            ("x-request-id", "a.b", false),
            ("other-id", "req_1", false),
        ] {
            let headers = vec![(name.to_owned(), id.to_owned())];
            let response = Response { status: 400, headers, body: SecretBytes::from(vec![]) };
            let expected = if repeated { format!(", request id {id}") } else { String::new() };
            assert_eq!(request_id(&response), expected, "{name}: {id}");
        }
    }

    /// What people are told to look at, for each code that OpenAI is known to give.
    #[test]
    fn each_code_leads_to_what_is_to_be_checked() {
        for (code, word) in [
            ("invalid_grant", "mapping leads"),
            ("invalid_subject_token", "JWKS"),
            ("identity_provider_mapping_not_found", "does not exist or is disabled"),
            ("invalid_client", "does not exist or is disabled"),
            ("unauthorized_client", "does not exist or is disabled"),
            ("invalid_request", "`token_type`"),
            ("unsupported_grant_type", "`token_type`"),
            ("invalid_scope", "`token_type`"),
            ("invalid_target", "`token_type`"),
            ("access_denied", "administrator"),
            ("anything_else", "entry and its mapping"),
        ] {
            assert!(advise(&[], code).contains(word), "{code}: {}", advise(&[], code));
        }
        // What an exchange says itself goes first, and what it says of no code in particular goes for all others.
        let own: Advice = &[("invalid_grant", "one"), ("", "rest")];
        assert_eq!([advise(own, "invalid_grant"), advise(own, "access_denied")], ["one", "rest"]);
    }
}
