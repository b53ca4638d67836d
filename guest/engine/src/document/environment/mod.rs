//! `{"environment": "openai"}`: the variables that a vendor's own clients and guides use, and nothing else.
//!
//! One file per vendor.

mod anthropic;
mod codex;
mod openai;

pub(super) use openai::{api_key, base_url, header};

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::json::{Map, Value};

use crate::api::{Api, Flavour};
use crate::connection::{Auth, Connection, Located};
use crate::document::registry;
use crate::error::{Code, Error, field};
use crate::fields::{self, Fields};
use crate::key::Key;
use crate::plan::Origin;
use crate::secret::Secret;
use crate::url::WebUrl;
use crate::variables::Variables;

pub(super) fn read(mut document: Fields<'_>, variables: &Variables) -> Result<Box<Connection>, Error> {
    let name = document.required_text("environment")?;
    let (api, auth) = match name.as_str() {
        "openai" => openai::read(&document, variables),
        "codex" => codex::read(&document, variables),
        "anthropic" => anthropic::read(&document, variables),
        _ => {
            return Err(document.fault(
                Code::FieldValue,
                "environment",
                "names no known set of variables; known are openai, codex and anthropic",
            ));
        }
    }?;
    document.finish();
    Ok(Box::new(Connection { nickname: None, api, auth, refresh_buffer_ms: None, strict: false }))
}

/// A source and an exchange with settings that are the values of variables, as far as these are set; and what the
/// exchange is for.
fn federated(
    document: &Fields<'_>,
    variables: &Variables,
    (source, of_source): (&str, &[(&str, Option<&Secret>)]),
    (exchange, of_exchange): (&str, &[(&str, Option<&Secret>)]),
) -> Result<(&'static Flavour, Auth), Error> {
    let mut of_exchange = settings(document, "exchange", of_exchange);
    let exchange = registry::exchange(exchange, "exchange.type", &mut of_exchange, variables);
    let audience = registry::audience(&exchange);
    let mut of_source = settings(document, "source", of_source);
    let source = registry::source(source, "source.type", &mut of_source, variables, audience)?;
    let exchange = exchange?;
    Ok((exchange.api(), Auth::workload_identity(source, exchange)?))
}

fn settings<'a>(document: &Fields<'a>, key: &str, values: &[(&str, Option<&Secret>)]) -> Fields<'a> {
    let mut settings = Map::new();
    for (name, value) in values {
        if let Some(value) = value {
            settings.insert((*name).to_owned(), Value::String(value.expose().trim().to_owned()));
        }
    }
    document.inside(key, settings)
}

/// An API of which nothing else is said.
fn plain_api(flavour: &'static Flavour, base_url: Option<Located<WebUrl>>) -> Result<Api, Error> {
    let base_url = base_url.map_or_else(|| flavour.default_base_url(), Ok)?;
    Ok(Api { base_url, flavour, organization: None, project: None, default_headers: Vec::new() })
}

/// A variable that is a base URL, where it is set.
fn url(variables: &Variables, name: &str) -> Result<Option<Located<WebUrl>>, Error> {
    let text = variables.get(name);
    let url =
        text.map(|text| WebUrl::parse(text.expose()).map_err(|fault| field(Code::FieldUrl, name, fault)));
    Ok(url.transpose()?.map(|value| Located { value, origin: Origin::Variable(name.to_owned()) }))
}

/// A variable that is a static key, where it is set.
fn key(variables: &Variables, name: &str) -> Result<Option<Auth>, Error> {
    let text = variables.get(name);
    let key = text.map(|text| fields::header_secret(text.expose().to_owned(), name)).transpose()?;
    Ok(key.map(|value| Auth::ApiKey(Key::Held(Located { value, origin: Origin::Variable(name.to_owned()) }))))
}

/// One variable is set and means nothing without another.
fn half(set: &str, unset: &str) -> Error {
    Error::new(
        Code::FieldMissing,
        format_args!("`{set}` is set but `{unset}` is not; workload identity needs both"),
    )
}

/// None of the variables is set.
fn none(names: &str) -> Error {
    Error::new(Code::FieldMissing, format_args!("neither {names} are set; set the one or the other"))
}
