//! Connection documents: every way people write a connection down, read into one [`Connection`].
//!
//! One file per dialect. [`read`] tells them apart by their shape, never by trying one after the other, so that an error
//! speaks the dialect that the author meant.

mod airflow;
mod environment;
mod external_secrets;
mod headers;
mod native;
mod okta;
mod registry;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, Map, Value};

use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::fields::{self, Fields, Warnings};
use crate::plan::{Plan, Warning};
use crate::variables::Variables;

/// No connection is longer; what is, is something else.
pub const LIMIT: usize = 64 * 1024;

/// A host that hands this variable over, not empty, wants identity tokens for control planes refused. No document asks
/// for it: how strict a machine is does not depend on what it runs.
pub const STRICT: &str = "KEYLESS_STRICT";

/// A host that hands this variable over, not empty, says who it is: it is the instance of a connection that makes its keys,
/// where the document names none. No two processes may go by one name at a time.
pub const INSTANCE: &str = "KEYLESS_INSTANCE";

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Our own JSON.
    Native,
    /// `openai://...`, as in `AIRFLOW_CONN_...`.
    AirflowUri,
    /// Airflow's JSON, as in `AIRFLOW_CONN_...`, or only its `extra`.
    AirflowJson,
    /// `{"environment": "openai"}`: the variables that OpenAI's clients read.
    Environment,
    /// A nickname, an organization and a key, as Okta's connector keeps them.
    Okta,
    /// A manifest of External Secrets' OpenAI generator.
    ExternalSecrets,
}

impl Dialect {
    /// As the contract spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::AirflowUri => "airflow-uri",
            Self::AirflowJson => "airflow-json",
            Self::Environment => "environment",
            Self::Okta => "okta",
            Self::ExternalSecrets => "external-secrets",
        }
    }
}

/// A document that was read.
pub struct Document {
    /// How it is written.
    pub dialect: Dialect,
    /// What it says. In a box: it is handed on a few times, and is large.
    pub connection: Box<Connection>,
    /// What is doubtful about how it says it.
    pub warnings: Vec<Warning>,
}

/// Reads a document.
pub fn read(text: &str, variables: &Variables) -> Result<Document, Error> {
    read_shaped(shape(text)?, variables)
}

fn read_shaped(shape: Shape<'_>, variables: &Variables) -> Result<Document, Error> {
    let warnings = Warnings::default();
    let (dialect, mut connection) = match shape {
        Shape::Uri(uri) => (Dialect::AirflowUri, airflow::read_uri(uri, variables, &warnings)?),
        Shape::Object(dialect, map) => {
            let connection = match dialect {
                Dialect::Environment => environment::read(Fields::new("", map, &warnings), variables)?,
                Dialect::Native => native::read(Fields::new("", map, &warnings), variables)?,
                Dialect::Okta => okta::read(map, variables, &warnings)?,
                Dialect::ExternalSecrets => external_secrets::read(map, variables, &warnings)?,
                Dialect::AirflowJson | Dialect::AirflowUri => airflow::read_json(map, variables, &warnings)?,
            };
            (dialect, connection)
        }
    };
    connection.strict = variables.of_host(STRICT).is_some();
    Ok(Document { dialect, connection, warnings: warnings.into_vec() })
}

/// The variables that a document reads: those that a reading without any asks for.
pub fn variables(text: &str) -> Result<Vec<String>, Error> {
    let shape = shape(text)?;
    let asked = Variables::default();
    // What else is wrong with the document is for `read` to say, once the variables are there.
    drop(read_shaped(shape, &asked));
    Ok(asked.asked())
}

/// Tells what a document says and needs.
pub fn plan(text: &str, variables: &Variables) -> Result<(Dialect, Plan), Error> {
    let document = read(text, variables)?;
    let mut plan = Plan { warnings: document.warnings, ..Plan::default() };
    document.connection.describe(&mut plan);
    plan.requirements.variables = variables.asked();
    Ok((document.dialect, plan))
}

enum Shape<'t> {
    Uri(&'t str),
    Object(Dialect, Map),
}

/// As Airflow does it: what begins with a brace is JSON, anything else is a URI.
fn shape(text: &str) -> Result<Shape<'_>, Error> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Error::new(
            Code::DocumentEmpty,
            "the connection document is empty; write a JSON object or a URI such as `openai://...`",
        ));
    }
    if text.len() > LIMIT {
        return Err(Error::new(
            Code::DocumentTooLarge,
            format_args!(
                "the connection document has {} bytes, more than 64 KiB; check that it is the right file",
                text.len()
            ),
        ));
    }
    if !text.starts_with('{') {
        return Ok(Shape::Uri(text));
    }
    let value: Value = json::parse(text.as_bytes()).map_err(|fault| syntax(&fault))?;
    match value {
        Value::Object(map) => Ok(Shape::Object(dialect(&map)?, map)),
        // Unreachable after the brace, and an error all the same.
        other => Err(Error::new(
            Code::DocumentSyntax,
            format_args!("the connection document is {}, not an object", fields::type_of(&other)),
        )),
    }
}

fn syntax(fault: &json::Fault) -> Error {
    let what = if fault.is_eof() { "ends in the middle of something" } else { "cannot be read" };
    Error::new(
        Code::DocumentSyntax,
        format_args!(
            "the connection document is not valid JSON: it {what} at line {}, column {}; check quotes, commas and braces there",
            fault.line(),
            fault.column()
        ),
    )
}

/// Keys that only one form has.
const NATIVE: &[&str] = &["source", "exchange", "api", "api_key"];
const AIRFLOW_CONNECTION: &[&str] =
    &["conn_type", "uri", "host", "login", "password", "schema", "port", "extra", "description", "conn_id"];
const AIRFLOW_EXTRA: &[&str] = &["workload_identity_provider", "openai_client_kwargs", "token_provider"];

fn dialect(map: &Map) -> Result<Dialect, Error> {
    if external_secrets::is_manifest(map) {
        return Ok(Dialect::ExternalSecrets);
    }
    let found = |names: &[&'static str]| names.iter().copied().find(|name| map.contains_key(name));
    let airflow = found(AIRFLOW_CONNECTION).or_else(|| found(AIRFLOW_EXTRA));
    let environment = found(&["environment"]);
    // `api_key` is in both forms.
    let native = NATIVE.iter().copied().filter(|name| *name != "api_key").find(|name| map.contains_key(name));
    if let Some(okta) = found(okta::KEYS) {
        return match native.or(airflow).or(environment) {
            Some(other) => Err(mixed(okta, other)),
            None => Ok(Dialect::Okta),
        };
    }
    match (found(NATIVE), airflow, environment) {
        (Some(a), Some(b), _) | (Some(a), _, Some(b)) | (_, Some(a), Some(b)) => Err(mixed(a, b)),
        (None, Some(_), None) => Ok(Dialect::AirflowJson),
        (None, None, Some(_)) => Ok(Dialect::Environment),
        (_, None, None) => Ok(Dialect::Native),
    }
}

fn mixed(a: &str, b: &str) -> Error {
    Error::new(
        Code::DocumentForm,
        format_args!(
            "the document mixes two forms: `{a}` and `{b}` do not belong together; write one of them"
        ),
    )
}

#[cfg(test)]
mod tests;
