//! `openai_client_kwargs`: the arguments of OpenAI's client.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::document::headers;
use crate::error::{Code, Error};
use crate::fields::Fields;
use crate::secret::Secret;
use crate::spelling;
use crate::url::WebUrl;

/// The arguments that make a difference to the credential.
#[derive(Default)]
pub(super) struct Client {
    pub(super) api_key: Option<Secret>,
    pub(super) base_url: Option<WebUrl>,
    pub(super) organization: Option<String>,
    pub(super) project: Option<String>,
    pub(super) default_headers: Vec<(String, Secret)>,
}

/// Arguments that concern only how a client sends its requests.
const CLIENT_ONLY: &[&str] = &[
    "timeout",
    "max_retries",
    "default_query",
    "websocket_base_url",
    "webhook_secret",
    "admin_api_key",
    "_strict_response_validation",
    "_enforce_credentials",
];

/// Arguments that a connection cannot give: they are objects of Python, or in the way of what the hook sets.
const OF_PYTHON: &[(&str, &str)] = &[
    ("http_client", "is an object of Python's, which no connection can hold; leave it out"),
    ("provider", "is an object of Python's, which no connection can hold; leave it out"),
    ("workload_identity", "is set by Airflow's hook; write its settings into `extra` itself"),
    (
        "data_residency",
        "is refused beside the base URL, which Airflow's hook always sets; set `base_url` to the regional one, such as `https://eu.api.openai.com/v1`",
    ),
];

impl Client {
    pub(super) fn read(extra: &mut Fields<'_>) -> Result<Self, Error> {
        const KEY: &str = "openai_client_kwargs";
        // The hook takes an empty text for no arguments.
        if extra.is_empty_text(KEY) {
            extra.ignore(KEY);
        }
        let Some(mut arguments) = extra.object(KEY)? else {
            return Ok(Self::default());
        };
        let api_key = arguments.text("api_key")?.filter(|key| !key.is_empty()).map(Secret::new);
        // Empty is absent to the hook (`or`), so it must not be an error here.
        let base_url = if arguments.is_empty_text("base_url") {
            arguments.ignore("base_url");
            None
        } else {
            arguments.url("base_url")?
        };
        let organization = arguments.header_text("organization")?;
        let project = arguments.header_text("project")?;
        let default_headers =
            arguments.object("default_headers")?.map_or_else(|| Ok(Vec::new()), headers::read)?;
        for key in CLIENT_ONLY {
            if arguments.ignore(key) {
                let name = arguments.name(key);
                arguments.warn(
                    "client-setting",
                    format_args!(
                        "`{name}` concerns only the HTTP client; it has no effect on the credential"
                    ),
                );
            }
        }
        for (key, why) in OF_PYTHON {
            if arguments.ignore(key) {
                return Err(arguments.fault(Code::FieldValue, key, why));
            }
        }
        no_more(arguments)?;
        Ok(Self { api_key, base_url, organization, project, default_headers })
    }
}

/// Python refuses an argument that it does not know.
fn no_more(mut arguments: Fields<'_>) -> Result<(), Error> {
    const READ: &[&str] = &["api_key", "base_url", "organization", "project", "default_headers"];
    let Some((name, _)) = arguments.rest().next() else { return Ok(()) };
    let known: Vec<_> = READ.iter().chain(CLIENT_ONLY).copied().collect();
    let hint = spelling::nearest(&name, &known)
        .map_or_else(|| "remove it".to_owned(), |known| format!("did you mean `{known}`?"));
    Err(arguments.fault(
        Code::FieldValue,
        &name,
        format_args!("is no argument of OpenAI's client, which would refuse it; {hint}"),
    ))
}
