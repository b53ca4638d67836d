//! Airflow's OpenAI connection (`apache-airflow-providers-openai` 1.8): what its hook makes of the fields of a
//! connection is what we make of them. Where we are stricter, it is because Airflow would fail later or, worse, go on
//! with something else than what was meant:
//!
//! - an empty id, an unreadable `extra`, a base URL without a scheme are refused here;
//! - a number written as text, as the URI form has it, is taken as a number;
//! - a connection of another type than `openai` is refused: its password is no API key.

mod json;
mod uri;

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};

use crate::api::{self, Api};
use crate::connection::{Auth, Connection, Located};
use crate::document::{environment, headers, registry};
use crate::error::{Code, Error, field};
use crate::fields::{self, Fields, Warnings};
use crate::plan::{Origin, Warning};
use crate::secret::Secret;
use crate::url::WebUrl;
use crate::variables::Variables;

/// The fields of an Airflow connection, as far as they matter.
#[derive(Default)]
struct Parts {
    conn_type: Option<String>,
    login: Option<String>,
    password: Option<Secret>,
    host: Option<String>,
    port: Option<u16>,
    schema: Option<String>,
    extra: Map,
}

/// `openai://...`
pub(super) fn read_uri(text: &str, variables: &Variables, warnings: &Warnings) -> Result<Connection, Error> {
    connection(uri::parse(text)?, variables, warnings)
}

/// `{"conn_type": "openai", ...}`, or only what stands in its `extra`.
pub(super) fn read_json(map: Map, variables: &Variables, warnings: &Warnings) -> Result<Connection, Error> {
    connection(json::parse(map, warnings)?, variables, warnings)
}

fn connection(parts: Parts, variables: &Variables, warnings: &Warnings) -> Result<Connection, Error> {
    if let Some(conn_type) = &parts.conn_type
        && conn_type != "openai"
    {
        return Err(field(
            Code::FieldValue,
            "conn_type",
            "is not `openai`; only OpenAI connections can be read",
        ));
    }
    report_unused(&parts, warnings);
    // The hook crashes on a null here; SDKs read one as "not given".
    for key in ["auth_type", "openai_client_kwargs"] {
        if parts.extra.get(key).is_some_and(Value::is_null) {
            return Err(field(
                Code::FieldType,
                &format!("extra.{key}"),
                "is null; fill it in, or leave it out",
            ));
        }
    }
    let mut extra = Fields::new("extra", parts.extra, warnings);
    let mut client = Client::read(&mut extra)?;
    let api = api(&mut client, parts.host, variables)?;
    let auth_type = extra.text("auth_type")?;
    let (auth, refresh_buffer_ms) = match auth_type.as_deref().unwrap_or("api_key") {
        "api_key" => {
            let auth = api_key(client.api_key, parts.password, variables)?;
            for key in WORKLOAD_IDENTITY {
                if extra.ignore(key) {
                    extra.warn(
                        "setting-of-another-auth-type",
                        format!(
                            "`extra.{key}` has no effect, because `auth_type` is not `workload_identity`"
                        ),
                    );
                }
            }
            (auth, None)
        }
        "workload_identity" => {
            if parts.password.is_some() || client.api_key.is_some() {
                extra.warn(
                    "key-not-used",
                    "the connection holds an API key, which has no effect with workload identity; remove it",
                );
            }
            let auth = workload_identity(&mut extra, variables)?;
            (auth, extra.seconds("refresh_buffer_seconds")?)
        }
        _ => {
            return Err(field(
                Code::FieldValue,
                "extra.auth_type",
                "is unsupported: it is neither `api_key` nor `workload_identity`",
            ));
        }
    };
    extra.finish();
    Ok(Connection { nickname: None, api, auth, refresh_buffer_ms, strict: false })
}

/// Keys of `extra` that only workload identity reads.
const WORKLOAD_IDENTITY: &[&str] = &[
    "identity_provider_id",
    "service_account_id",
    "workload_identity_provider",
    "token_file_path",
    "token_type",
    "token_endpoint",
    "refresh_buffer_seconds",
    "audience",
    "resource",
    "object_id",
    "client_id",
    "msi_res_id",
    "api_version",
    "token_provider",
];

/// In the order in which the hook looks: the ids first, the provider last.
fn workload_identity(extra: &mut Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    const PROVIDER: &str = "workload_identity_provider";
    let provider = extra.text(PROVIDER);
    // The hook passes `token_type` on for its `custom` provider only.
    if matches!(&provider, Ok(Some(name)) if matches!(name.as_str(), "kubernetes" | "azure" | "gcp"))
        && extra.ignore("token_type")
    {
        extra.warn(
            "setting-of-another-source",
            "`extra.token_type` has no effect with this provider, as in Airflow",
        );
    }
    let exchange = registry::exchange("openai", "exchange", extra, variables)?;
    let provider = provider?.ok_or_else(|| extra.missing(PROVIDER))?;
    if provider == "custom" {
        return Err(extra.fault(
            Code::FieldValue,
            PROVIDER,
            "is `custom`: a Python function, which cannot be called from here; let it write the token into a file, and set `workload_identity_provider` to `file` and `token_file_path`",
        ));
    }
    let source = registry::source(
        &provider,
        "extra.workload_identity_provider",
        extra,
        variables,
        exchange.audience(),
    )?;
    Auth::workload_identity(source, exchange)
}

fn api_key(client: Option<Secret>, password: Option<Secret>, variables: &Variables) -> Result<Auth, Error> {
    let key = client.map(|value| (value, "extra.openai_client_kwargs.api_key"));
    match key.or_else(|| password.map(|value| (value, "password"))) {
        Some((value, name)) => {
            let value = fields::header_secret(value.expose().to_owned(), name)?;
            Ok(Auth::ApiKey(Located { value, origin: Origin::Document }))
        }
        None => environment::api_key(variables)?.ok_or_else(|| {
            Error::new(
                Code::FieldMissing,
                "the connection has no API key: fill in `password`, set `OPENAI_API_KEY`, or set `auth_type` to `workload_identity` in `extra`",
            )
        }),
    }
}

fn api(client: &mut Client, host: Option<String>, variables: &Variables) -> Result<Api, Error> {
    let (organization, project) = (
        environment::header(variables, "OPENAI_ORG_ID"),
        environment::header(variables, "OPENAI_PROJECT_ID"),
    );
    let from_environment = environment::base_url(variables);
    let base_url = match (client.base_url.take(), host) {
        (Some(value), _) => Located { value, origin: Origin::Document },
        (None, Some(host)) => {
            let value = WebUrl::parse(&host).map_err(|fault| field(Code::FieldUrl, "host", fault))?;
            Located { value, origin: Origin::Document }
        }
        (None, None) => from_environment?.map_or_else(|| api::OPENAI.default_base_url(), Ok)?,
    };
    let located = |value| Some(Located { value, origin: Origin::Document });
    Ok(Api {
        base_url,
        flavour: api::OPENAI,
        organization: client.organization.take().map_or(organization, |value| Ok(located(value)))?,
        project: client.project.take().map_or(project, |value| Ok(located(value)))?,
        default_headers: core::mem::take(&mut client.default_headers),
    })
}

/// `openai_client_kwargs`: the arguments of OpenAI's client.
#[derive(Default)]
struct Client {
    api_key: Option<Secret>,
    base_url: Option<WebUrl>,
    organization: Option<String>,
    project: Option<String>,
    default_headers: Vec<(String, Secret)>,
}

/// Arguments that concern only how a client sends its requests.
const CLIENT_ONLY: &[&str] = &[
    "timeout",
    "max_retries",
    "default_query",
    "http_client",
    "websocket_base_url",
    "webhook_secret",
    "admin_api_key",
    "_strict_response_validation",
];

impl Client {
    fn read(extra: &mut Fields<'_>) -> Result<Self, Error> {
        let Some(mut arguments) = extra.object("openai_client_kwargs")? else {
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
                    format!("`{name}` concerns only the HTTP client; it has no effect on the credential"),
                );
            }
        }
        arguments.finish();
        Ok(Self { api_key, base_url, organization, project, default_headers })
    }
}

/// Fields that Airflow has and its OpenAI hook does not read, where somebody may count on them.
fn report_unused(parts: &Parts, warnings: &Warnings) {
    let warn = |message: String| warnings.push(Warning::new("unused-field", message));
    if parts.login.as_ref().is_some_and(|login| !login.is_empty()) {
        warn("`login` has no effect, as in Airflow; an API key belongs into `password`".to_owned());
    }
    if let Some(port) = parts.port {
        warn(format!(
            "`port` {port} is not part of the base URL, as in Airflow; write the whole base URL into `host`, in a URI percent-encoded"
        ));
    }
    if let Some(schema) = parts.schema.as_ref().filter(|schema| !schema.is_empty()) {
        let shown = if schema.len() <= 32 && schema.is_ascii() { schema.as_str() } else { "..." };
        warn(format!(
            "`schema` `{shown}` is not part of the base URL, as in Airflow; write the whole base URL into `host`, in a URI percent-encoded"
        ));
    }
}
