//! Our own form: a JSON object in the words of the documentation.
//!
//! ```json
//! {
//!   "auth_type": "workload_identity",
//!   "source":   { "type": "kubernetes", "token_file_path": "/var/run/secrets/tokens/token" },
//!   "exchange": { "type": "openai", "identity_provider_id": "idp_1", "service_account_id": "svc_acct_1" },
//!   "api":      { "base_url": "https://api.openai.com/v1", "project": "proj_1" },
//!   "refresh_buffer_seconds": 1200
//! }
//! ```
//!
//! or `{"api_key": "sk-..."}`, or `{"api_key": {"variable": "MY_KEY"}}`. It reads nothing from the environment but what
//! it names.

use serde_json::Value;

use crate::connection::{Api, Auth, Connection, DEFAULT_BASE_URL, Located};
use crate::document::{Fields, Variables, fields, headers, registry};
use crate::error::{Code, Error};
use crate::exchange::{self, Exchange};
use crate::plan::Origin;
use crate::secret::Secret;
use crate::source::Source;
use crate::url::WebUrl;

pub(super) fn read(mut document: Fields<'_>, variables: &Variables) -> Result<Connection, Error> {
    let auth = auth(&mut document, variables)?;
    let api = match document.object("api")? {
        Some(fields) => api(fields)?,
        None => Api {
            base_url: default_base_url()?,
            organization: None,
            project: None,
            default_headers: Vec::new(),
        },
    };
    let refresh_buffer_ms = document.seconds("refresh_buffer_seconds")?;
    document.finish();
    Ok(Connection { api, auth, refresh_buffer_ms })
}

fn auth(document: &mut Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    let federated = document.has("source") || document.has("exchange");
    // Whoever writes a source means to use it; whoever writes neither has a key, as in Airflow.
    let auth_type = document.filled_text("auth_type")?;
    match auth_type.as_deref().unwrap_or(if federated { "workload_identity" } else { "api_key" }) {
        "api_key" if federated => Err(Error::new(
            Code::FieldConflict,
            "`auth_type` is `api_key`, but the document has a `source` or an `exchange`; remove them, or set `auth_type` to `workload_identity`",
        )),
        "api_key" => api_key(document, variables).map(Auth::ApiKey),
        "workload_identity" if document.has("api_key") => Err(Error::new(
            Code::FieldConflict,
            "`api_key` and workload identity exclude each other; remove `api_key`, or remove `source` and `exchange`",
        )),
        "workload_identity" => workload_identity(document, variables),
        _ => {
            Err(document.fault(Code::FieldValue, "auth_type", "is neither `api_key` nor `workload_identity`"))
        }
    }
}

fn workload_identity(document: &mut Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    // Both are read before either may fail, so that every variable is asked for.
    let (source, exchange) = (source(document, variables), exchange(document));
    Ok(Auth::workload_identity(source?, exchange?))
}

fn source(document: &mut Fields<'_>, variables: &Variables) -> Result<Box<dyn Source>, Error> {
    let (name, mut settings) = typed(document, "source", None)?;
    let source = registry::source(&name, "source.type", &mut settings, variables)?;
    settings.finish();
    Ok(source)
}

fn exchange(document: &mut Fields<'_>) -> Result<Box<dyn Exchange>, Error> {
    let default = exchange::ALL.first().map(|entry| entry.name);
    let (name, mut settings) = typed(document, "exchange", default)?;
    let exchange = registry::exchange(&name, "exchange.type", &mut settings)?;
    settings.finish();
    Ok(exchange)
}

/// `"kubernetes"` is short for `{"type": "kubernetes"}`.
fn typed<'a>(
    document: &mut Fields<'a>,
    key: &'static str,
    default: Option<&str>,
) -> Result<(String, Fields<'a>), Error> {
    let mut settings = document.object_or_text(key, "type")?.ok_or_else(|| document.missing(key))?;
    let name = match (settings.filled_text("type")?, default) {
        (Some(name), _) => name,
        (None, Some(default)) => default.to_owned(),
        (None, None) => return Err(settings.missing("type")),
    };
    Ok((name, settings))
}

fn api_key(document: &mut Fields<'_>, variables: &Variables) -> Result<Located<Secret>, Error> {
    match document.take("api_key") {
        None => Err(Error::new(
            Code::FieldMissing,
            "`api_key` is missing; give it, or a `source` and an `exchange` for workload identity",
        )),
        Some(Value::String(text)) => {
            Ok(Located { value: fields::header_secret(text, "api_key")?, origin: Origin::Document })
        }
        Some(Value::Object(map)) => {
            let mut reference = document.inside("api_key", map);
            let name = reference.required_text("variable")?;
            reference.finish();
            let value = variables.get(&name).ok_or_else(|| {
                Error::new(
                    Code::FieldMissing,
                    format!("`api_key` is to come from the variable `{name}`, which is not set"),
                )
            })?;
            let value = fields::header_secret(value.expose().to_owned(), &name)?;
            Ok(Located { value, origin: Origin::Variable(name) })
        }
        Some(other) => Err(document.fault(
            Code::FieldType,
            "api_key",
            &format!("has to be a string or {{\"variable\": NAME}}, and is {}", fields::type_of(&other)),
        )),
    }
}

fn api(mut fields: Fields<'_>) -> Result<Api, Error> {
    let base_url = match fields.url("base_url")? {
        Some(value) => Located { value, origin: Origin::Document },
        None => default_base_url()?,
    };
    let located = |value| Located { value, origin: Origin::Document };
    let organization = fields.header_text("organization")?.map(located);
    let project = fields.header_text("project")?.map(located);
    let default_headers = fields.object("default_headers")?.map_or_else(|| Ok(Vec::new()), headers::read)?;
    fields.finish();
    Ok(Api { base_url, organization, project, default_headers })
}

pub(super) fn default_base_url() -> Result<Located<WebUrl>, Error> {
    let value = WebUrl::parse(DEFAULT_BASE_URL).map_err(|fault| Error::new(Code::FieldUrl, fault))?;
    Ok(Located { value, origin: Origin::Default })
}
