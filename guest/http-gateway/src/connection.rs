//! The one connection of this instance, from what the environment says. It lives as long as the instance does, so the
//! credential does, too.

use std::sync::OnceLock;

use wasi::cli::environment;

use crate::bindings::keyless::credentials::credential_provider::{self as provider, Connection, Error};
use crate::refusal::Refusal;

/// The variable that holds the connection document.
const DOCUMENT: &str = "KEYLESS_CONNECTION";

/// Refuses identity tokens that are meant for a control plane; see `wit/provider.wit`.
const STRICT: &str = "KEYLESS_STRICT";

static CONNECTION: OnceLock<Connection> = OnceLock::new();

/// Opened when the first request comes: an instance that is made in advance has no environment yet.
///
/// # Errors
/// 503 with the provider's words, or with `connection-missing`. Not remembered: a host that answers differently next time
/// is believed.
pub(crate) fn connection() -> Result<&'static Connection, Refusal> {
    match CONNECTION.get() {
        Some(connection) => Ok(connection),
        None => open().map(|connection| CONNECTION.get_or_init(|| connection)),
    }
}

fn open() -> Result<Connection, Refusal> {
    let environment = environment::get_environment();
    let value = |wanted: &str| {
        environment.iter().find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value)
    };
    let document = value(DOCUMENT).ok_or_else(|| {
        let message = format!(
            "there is no connection document: give the component the variable {DOCUMENT}, \
             such as {{\"source\": {{\"type\": \"kubernetes\"}}, \"exchange\": {{...}}}}"
        );
        Refusal::NoCredential { code: "connection-missing".to_owned(), message, retry_after_ms: None }
    })?;
    let named = provider::variables(document).map_err(no_credential)?;
    let variables: Vec<_> =
        environment.iter().filter(|(name, _)| name == STRICT || named.contains(name)).cloned().collect();
    let plan = provider::plan(document, &variables).map_err(no_credential)?;
    if plan.requirements.client_certificate.is_some() {
        // `wasi:http` has no way to say which certificate to present: the exchange would fail, and not say why.
        let message =
            "source.type is x509, and wasi:http cannot present a client certificate: use another source, \
                       or keyless serve"
                .to_owned();
        return Err(Refusal::NoCredential {
            code: "client-certificate".to_owned(),
            message,
            retry_after_ms: None,
        });
    }
    Connection::open(document, &variables).map_err(no_credential)
}

/// The provider's error as it is.
pub(crate) fn no_credential(error: Error) -> Refusal {
    let (Error::Invalid(problem)
    | Error::Denied(problem)
    | Error::Identity(problem)
    | Error::Rejected(problem)
    | Error::Unavailable(problem)) = error;
    Refusal::NoCredential {
        code: problem.code,
        message: problem.message,
        retry_after_ms: problem.retry_after_ms,
    }
}
