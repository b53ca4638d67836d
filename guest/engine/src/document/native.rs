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

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Map, Value};

use crate::api::{self, Api, Flavour};
use crate::connection::{Auth, Connection, Located};
use crate::document::{headers, registry};
use crate::error::{Code, Error};
use crate::exchange;
use crate::fields::{self, Fields};
use crate::plan::Origin;
use crate::secret::Secret;
use crate::source;
use crate::variables::Variables;

pub(super) fn read(mut document: Fields<'_>, variables: &Variables) -> Result<Connection, Error> {
    let auth = auth(&mut document, variables)?;
    let fields = document.object("api")?.unwrap_or_else(|| document.inside("api", Map::new()));
    let api = api(fields, &auth)?;
    let refresh_buffer_ms = document.seconds("refresh_buffer_seconds")?;
    document.finish();
    Ok(Connection { nickname: None, api, auth, refresh_buffer_ms, strict: false })
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

/// Both are read before either may fail, so that every variable is asked for.
fn workload_identity(document: &mut Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    let exchange = exchange(document, variables);
    let source = source(document, variables, registry::audience(&exchange));
    Auth::workload_identity(source?, exchange?)
}

fn source(
    document: &mut Fields<'_>,
    variables: &Variables,
    audience: Option<&'static str>,
) -> source::Parsed {
    let (name, mut settings) = typed(document, "source", None)?;
    let source = registry::source(&name, "source.type", &mut settings, variables, audience)?;
    settings.finish();
    Ok(source)
}

fn exchange(document: &mut Fields<'_>, variables: &Variables) -> exchange::Parsed {
    let default = exchange::ALL.first().map(|entry| entry.name);
    let (name, mut settings) = typed(document, "exchange", default)?;
    let exchange = registry::exchange(&name, "exchange.type", &mut settings, variables)?;
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

pub(super) fn api_key(document: &mut Fields<'_>, variables: &Variables) -> Result<Located<Secret>, Error> {
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

fn api(mut fields: Fields<'_>, auth: &Auth) -> Result<Api, Error> {
    let flavour = flavour(&mut fields, auth)?;
    let base_url = match fields.url("base_url")? {
        Some(value) => Located { value, origin: Origin::Document },
        None => flavour.default_base_url()?,
    };
    let (mut organization, mut project) = (None, None);
    if flavour.has_organizations {
        let located = |value| Located { value, origin: Origin::Document };
        organization = fields.header_text("organization")?.map(located);
        project = fields.header_text("project")?.map(located);
    }
    let default_headers = fields.object("default_headers")?.map_or_else(|| Ok(Vec::new()), headers::read)?;
    let exchanged = matches!(auth, Auth::WorkloadIdentity { .. });
    if let Some((name, _)) = default_headers.iter().find(|(name, _)| flavour.sets(name, exchanged)) {
        let name = format!("default_headers.{name}");
        return Err(fields.fault(Code::FieldConflict, &name, "is a header that the credential sets itself"));
    }
    fields.finish();
    Ok(Api { base_url, flavour, organization, project, default_headers })
}

/// An exchange brings tokens for one kind of API; only a static key can be for any.
fn flavour(fields: &mut Fields<'_>, auth: &Auth) -> Result<Flavour, Error> {
    let implied = match auth {
        Auth::WorkloadIdentity { exchange, .. } => Some(exchange.api()),
        Auth::ApiKey(_) => None,
    };
    let Some(name) = fields.filled_text("type")? else { return Ok(implied.unwrap_or(api::OPENAI)) };
    let named = Flavour::named(&name).ok_or_else(|| {
        fields.fault(Code::FieldValue, "type", "is none of `openai`, `anthropic` and `bearer`")
    })?;
    match implied {
        Some(implied) if implied.name != named.name => Err(fields.fault(
            Code::FieldConflict,
            "type",
            &format!("is not `{}`, the kind of API that this exchange is for; leave it out", implied.name),
        )),
        Some(implied) => Ok(implied),
        None => Ok(named),
    }
}
