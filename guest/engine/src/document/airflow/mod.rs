//! Airflow's OpenAI connection (`apache-airflow-providers-openai` from 1.8 on): what its hook and OpenAI's client make of
//! the fields of a connection is what we make of them. `tests/peers/airflow/` reads hundreds of documents with both, and
//! its `differences.json` says where we differ on purpose. Where we are stricter, it is because Airflow would fail later
//! or, worse, go on with something else than what was meant:
//!
//! - an empty id, an unreadable `extra`, a base URL without a scheme are refused here;
//! - a number written as text, as the URI form has it, is taken as a number;
//! - a connection of another type than `openai` is refused: its password is no API key.

mod client;
mod json;
mod uri;

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;

use crate::json::{Map, Value};

use crate::api::{self, Api};
use crate::connection::{Auth, Connection, Located};
use crate::document::{environment, registry};
use crate::error::{Code, Error, field};
use crate::fields::{self, Fields, Warnings};
use crate::key::Key;
use crate::plan::{Origin, Warning};
use crate::secret::Secret;
use crate::source;
use crate::url::WebUrl;
use crate::variables::Variables;

use client::Client;

/// The fields of an Airflow connection, as far as they matter.
#[derive(Default)]
struct Parts {
    conn_type: Option<String>,
    login: Option<String>,
    /// May be empty, which is not the same as absent: OpenAI's client looks into the environment for an absent one only.
    password: Option<Secret>,
    host: Option<String>,
    port: Option<u16>,
    schema: Option<String>,
    extra: Map,
}

/// `openai://...`
pub(super) fn read_uri(
    text: &str,
    variables: &Variables,
    warnings: &Warnings,
) -> Result<Box<Connection>, Error> {
    connection(uri::parse(text)?, variables, warnings)
}

/// `{"conn_type": "openai", ...}`, or only what stands in its `extra`.
pub(super) fn read_json(
    map: Map,
    variables: &Variables,
    warnings: &Warnings,
) -> Result<Box<Connection>, Error> {
    connection(json::parse(map, warnings)?, variables, warnings)
}

fn connection(parts: Parts, variables: &Variables, warnings: &Warnings) -> Result<Box<Connection>, Error> {
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
    let mut api = api(&mut client, parts.host, variables)?;
    let auth_type = extra.text("auth_type")?;
    let (auth, refresh_buffer_ms) = match auth_type.as_deref().unwrap_or("api_key") {
        "api_key" => {
            let auth = api_key(client.api_key, parts.password, variables)?;
            for key in workload_identity_keys() {
                if extra.ignore(key) {
                    extra.warn(
                        "setting-of-another-auth-type",
                        format_args!(
                            "`extra.{key}` has no effect, because `auth_type` is not `workload_identity`"
                        ),
                    );
                }
            }
            (auth, None)
        }
        "workload_identity" => {
            let password = parts.password.is_some_and(|password| !password.expose().is_empty());
            if password || client.api_key.is_some() {
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
    // Only now is it known which of OpenAI's hosts the identity opens.
    if let (Auth::WorkloadIdentity { exchange, .. }, Origin::Default) = (&auth, &api.base_url.origin) {
        api.base_url = exchange.api().default_base_url()?;
    }
    Ok(Box::new(Connection { nickname: None, api, auth, refresh_buffer_ms, strict: false }))
}

/// Keys of `extra` that only workload identity reads.
fn workload_identity_keys() -> impl Iterator<Item = &'static str> {
    const ALWAYS: &[&str] = &[
        "identity_provider_id",
        "service_account_id",
        "workload_identity_provider",
        "token_type",
        "token_endpoint",
        "refresh_buffer_seconds",
        "token_provider",
    ];
    let sources = source::ALL.iter().chain([&source::CUSTOM_IN_AIRFLOW]);
    ALWAYS.iter().chain(sources.flat_map(|entry| entry.settings)).copied()
}

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
    let audience = exchange.audience();
    let source = if provider == source::CUSTOM_IN_AIRFLOW.name {
        registry::source_of(&source::CUSTOM_IN_AIRFLOW, extra, variables, audience)?
    } else {
        registry::source(&provider, "extra.workload_identity_provider", extra, variables, audience)?
    };
    Auth::workload_identity(source, exchange)
}

fn api_key(client: Option<Secret>, password: Option<Secret>, variables: &Variables) -> Result<Auth, Error> {
    let key = client.map(|value| (value, "extra.openai_client_kwargs.api_key"));
    match key.or_else(|| password.map(|value| (value, "password"))) {
        Some((value, name)) => {
            let value = fields::header_secret(value.expose().to_owned(), name)?;
            Ok(Auth::ApiKey(Key::Held(Located { value, origin: Origin::Document })))
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
        flavour: &api::OPENAI,
        organization: client.organization.take().map_or(organization, |value| Ok(located(value)))?,
        project: client.project.take().map_or(project, |value| Ok(located(value)))?,
        default_headers: core::mem::take(&mut client.default_headers),
    })
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
