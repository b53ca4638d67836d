//! The plugin's configuration: a connection document, and the clusters of Envoy that it may use.
//!
//! ```json
//! {
//!   "connection": { "source": { ... }, "exchange": { ... } },
//!   "exchange_cluster": "auth.openai.com",
//!   "identity_cluster": "identity",
//!   "clusters": { "sts.eu-west-1.amazonaws.com": "sts" },
//!   "serve": false
//! }
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use keyless_engine::connection::Auth;
use keyless_engine::document;
use keyless_engine::error::{Code, Error};
use keyless_engine::fields::{Fields, Warnings};
use keyless_engine::json::{self, Value};
use keyless_engine::plan::{Plan, Warning};
use keyless_engine::secret::Secret;
use keyless_engine::variables::Variables;

use crate::clusters::Clusters;
use crate::protobuf;

/// A configuration that was read.
pub(crate) struct Settings {
    /// The connection, as text.
    pub(crate) document: Secret,
    /// The API that its credential opens.
    pub(crate) base_url: String,
    /// Where its requests go.
    pub(crate) clusters: Clusters,
    /// Whether requests are for the credential and not for the API.
    pub(crate) serves: bool,
    /// What is doubtful.
    pub(crate) warnings: Vec<Warning>,
}

/// Reads it, and sees to it that everything the connection needs has a cluster.
pub(crate) fn read(configuration: &[u8], variables: &Variables) -> Result<Settings, Error> {
    let warnings = Warnings::default();
    let mut fields = Fields::new("", object(configuration)?, &warnings);
    let document = connection(&mut fields, configuration.len())?;
    let exchange = fields.filled_text("exchange_cluster")?;
    let identity = fields.filled_text("identity_cluster")?;
    let mut named = Vec::new();
    if let Some(mut places) = fields.object("clusters")? {
        for (place, cluster) in places.rest() {
            match cluster {
                Value::String(cluster) if !cluster.trim().is_empty() => named.push((place, cluster)),
                _ => {
                    let fault = "has to be the name of a cluster";
                    return Err(fields.fault(Code::FieldType, &format!("clusters.{place}"), fault));
                }
            }
        }
    }
    let serves = match fields.take("serve") {
        None => false,
        Some(Value::Bool(serves)) => serves,
        Some(_) => return Err(fields.fault(Code::FieldType, "serve", "has to be true or false")),
    };
    fields.finish();

    let read = document::read(document.expose(), variables)?;
    let (mut source_needs, mut exchange_needs) = (Plan::default(), Plan::default());
    match &read.connection.auth {
        Auth::ApiKey(_) => {}
        Auth::WorkloadIdentity { source, exchange } => {
            source.describe(&mut source_needs);
            exchange.describe(&mut exchange_needs);
        }
        Auth::Minted(minting) => minting.describe(&mut exchange_needs),
    }
    let clusters =
        Clusters::new(exchange, identity, named, &source_needs.requirements, &exchange_needs.requirements)?;
    for name in clusters.unused() {
        let message = format!("`{name}` has no effect: nothing that the connection needs is there");
        warnings.push(Warning::new("unused-field", message));
    }
    let base_url = read.connection.api.base_url.value.as_str().into();
    let mut whole = Plan { warnings: warnings.into_vec(), ..Plan::default() };
    whole.warnings.extend(read.warnings);
    read.connection.describe(&mut whole);
    let warnings = whole.warnings;
    Ok(Settings { document, base_url, clusters, serves, warnings })
}

fn object(configuration: &[u8]) -> Result<json::Map, Error> {
    let missing = "the plugin has no configuration; write a JSON object with `connection` and the clusters that it needs";
    if configuration.trim_ascii().is_empty() {
        return Err(Error::new(Code::DocumentEmpty, missing));
    }
    let read = json::parse(configuration);
    // What Envoy was given as YAML is no text.
    if let (Err(_), Some(map)) = (&read, protobuf::object(configuration)) {
        return Ok(map);
    }
    match read {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(Error::new(
            Code::DocumentForm,
            "the plugin's configuration is not a JSON object; write one with `connection` and the clusters that it needs",
        )),
        // Never the parser's own words: they may quote it.
        Err(fault) => Err(Error::new(
            Code::DocumentSyntax,
            format_args!(
                "the plugin's configuration is not valid JSON: it cannot be read at line {}, column {}; check quotes, commas and braces there",
                fault.line(),
                fault.column()
            ),
        )),
    }
}

/// As an object, or as a text in any dialect.
fn connection(fields: &mut Fields<'_>, room: usize) -> Result<Secret, Error> {
    match fields.take("connection") {
        None => Err(fields.missing("connection")),
        Some(Value::String(text)) => Ok(Secret::new(text)),
        Some(object @ Value::Object(_)) => Ok(json::text(&object, 2 * room)),
        Some(_) => {
            let fault = "has to be a connection document: an object, or a text such as `openai://...`";
            Err(fields.fault(Code::FieldType, "connection", fault))
        }
    }
}

/// What the operator handed over.
pub(crate) fn variables(given: Vec<(String, String)>) -> Variables {
    given.into_iter().collect()
}
