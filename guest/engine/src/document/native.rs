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
//! or `{"api_key": "sk-..."}`, or `{"api_key": {"variable": "MY_KEY"}}`, or `{"api_key": {"file": "/run/secrets/key"}}`; or an
//! exchange that takes no identity, [`minting`]. It reads nothing from the environment but what
//! it names.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::Map;

use crate::api::{self, Api, Flavour};
use crate::connection::{Auth, Connection, Located};
use crate::document::{headers, registry};
use crate::error::{Code, Error};
use crate::exchange;
use crate::fields::Fields;
use crate::key::Key;
use crate::minting::{self, Minting};
use crate::plan::Origin;
use crate::source;
use crate::variables::Variables;

pub(super) fn read(mut document: Fields<'_>, variables: &Variables) -> Result<Box<Connection>, Error> {
    let auth = auth(&mut document, variables)?;
    let fields = document.object("api")?.unwrap_or_else(|| document.inside("api", Map::new()));
    let api = api(fields, &auth)?;
    let refresh_buffer_ms = match &auth {
        Auth::Minted(_) if document.has("refresh_buffer_seconds") => {
            let fault =
                "has no effect on minted keys; `exchange.refresh_interval` says when they are renewed";
            return Err(document.fault(Code::FieldConflict, "refresh_buffer_seconds", fault));
        }
        Auth::Minted(minting) => Some(minting.buffer_ms()),
        Auth::ApiKey(_) | Auth::WorkloadIdentity { .. } => document.seconds("refresh_buffer_seconds")?,
    };
    document.finish();
    Ok(Box::new(Connection { nickname: None, api, auth, refresh_buffer_ms, strict: false }))
}

fn auth(document: &mut Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    let federated = document.has("source") || document.has("exchange");
    if let Some(minting) = minting(document, variables)? {
        return Ok(Auth::Minted(minting));
    }
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

/// The exchange that takes no identity. None if it is another.
fn minting(document: &mut Fields<'_>, variables: &Variables) -> Result<Option<Box<Minting>>, Error> {
    if !document.is_typed("exchange", minting::NAME) {
        return Ok(None);
    }
    let (_, mut settings) = typed(document, "exchange", None)?;
    let minting = Minting::read_native(&mut settings, variables)?;
    settings.finish();
    for (name, has) in [("source", "an identity"), ("api_key", "a key")] {
        if document.has(name) {
            let fault = format!(
                "gives {has}, and the exchange `{}` makes its own keys; remove one of them",
                minting::NAME
            );
            return Err(document.fault(Code::FieldConflict, name, &fault));
        }
    }
    match document.filled_text("auth_type")?.as_deref() {
        None | Some("minted_key") => Ok(Some(minting)),
        Some(_) => Err(document.fault(
            Code::FieldConflict,
            "auth_type",
            format_args!("is not `minted_key`, which the exchange `{}` is; leave it out", minting::NAME),
        )),
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

pub(super) fn api_key(document: &mut Fields<'_>, variables: &Variables) -> Result<Key, Error> {
    Key::read(document, "api_key", variables)?.ok_or_else(|| {
        Error::new(
            Code::FieldMissing,
            "`api_key` is missing; give it, or a `source` and an `exchange` for workload identity",
        )
    })
}

fn api(mut fields: Fields<'_>, auth: &Auth) -> Result<Api, Error> {
    let flavour = flavour(&mut fields, auth)?;
    let base_url = match fields.url("base_url")? {
        Some(value) => Located { value, origin: Origin::Document },
        None => match auth {
            Auth::Minted(minting) => minting.base_url().map_or_else(
                || flavour.default_base_url(),
                |host| Ok(Located { value: host.clone(), origin: Origin::Document }),
            )?,
            Auth::ApiKey(_) | Auth::WorkloadIdentity { .. } => flavour.default_base_url()?,
        },
    };
    let (mut organization, mut project) = (None, None);
    if flavour.has_organizations {
        let located = |value| Located { value, origin: Origin::Document };
        organization = fields.header_text("organization")?.map(located);
        project = fields.header_text("project")?.map(located);
    }
    let default_headers = fields.object("default_headers")?.map_or_else(|| Ok(Vec::new()), headers::read)?;
    let exchanged = !matches!(auth, Auth::ApiKey(_));
    if let Some((name, _)) = default_headers.iter().find(|(name, _)| flavour.sets(name, exchanged)) {
        let name = format!("default_headers.{name}");
        return Err(fields.fault(Code::FieldConflict, &name, "is a header that the credential sets itself"));
    }
    fields.finish();
    Ok(Api { base_url, flavour, organization, project, default_headers })
}

/// An exchange brings tokens for one kind of API; only a static key can be for any.
fn flavour(fields: &mut Fields<'_>, auth: &Auth) -> Result<&'static Flavour, Error> {
    let implied = match auth {
        Auth::WorkloadIdentity { exchange, .. } => Some(exchange.api()),
        Auth::Minted(_) => Some(&api::OPENAI),
        Auth::ApiKey(_) => None,
    };
    let Some(name) = fields.filled_text("type")? else { return Ok(implied.unwrap_or(&api::OPENAI)) };
    let named = Flavour::named(&name).ok_or_else(|| {
        fields.fault(Code::FieldValue, "type", "is none of `openai`, `anthropic` and `bearer`")
    })?;
    match implied {
        Some(implied) if implied.name != named.name => Err(fields.fault(
            Code::FieldConflict,
            "type",
            format_args!(
                "is not `{}`, the kind of API that this exchange is for; leave it out",
                implied.name
            ),
        )),
        Some(implied) => Ok(implied),
        None => Ok(named),
    }
}
