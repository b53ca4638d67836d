//! Connection documents for this sandbox, ready to paste, one in each dialect.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::recipes::{self, Recipe};
use crate::world::World;

/// What Python's `quote` leaves alone, so that the URI looks as Airflow writes it.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same connection, written in different ways. No `Debug`: some hold secrets, if only the sandbox's.
#[derive(Clone, Serialize)]
pub struct Documents {
    /// Workload identity, in Keyless's own form.
    pub native: String,
    /// The static key, in Keyless's own form.
    pub native_static: String,
    /// Airflow connection as a URI; everything is inside `__extra__`, the only place that keeps a nested base URL.
    pub airflow_uri: String,
    /// Airflow connection as JSON, `extra` an object.
    pub airflow_json: String,
    /// Airflow connection as JSON, `extra` a string that holds JSON.
    pub airflow_json_text_extra: String,
    /// Every source with every exchange, by name: `SOURCE-EXCHANGE`, such as `azure-openai`.
    pub combinations: BTreeMap<String, Recipe>,
    /// Without a source: a service account of its own, made by OpenAI's Admin API, and the keys of those that follow it.
    pub openai_service_account: Recipe,
}

impl Documents {
    pub(crate) fn of(world: &World) -> Self {
        let base_url = world.addresses.base_url();
        let token_endpoint = world.addresses.token_endpoint();
        let token_file = world.volume.token_path().to_string_lossy().into_owned();
        let options = &world.options;

        let native = Native {
            auth_type: Some("workload_identity"),
            source: Some(Source { kind: "kubernetes", token_file_path: &token_file }),
            exchange: Some(Exchange {
                kind: "openai",
                identity_provider_id: &options.identity_provider_id,
                service_account_id: &options.service_account_id,
                token_endpoint: &token_endpoint,
            }),
            api_key: None,
            api: Api { base_url: &base_url },
        };
        let native_static = Native {
            auth_type: None,
            source: None,
            exchange: None,
            api_key: Some(world.tokens.api_key()),
            api: Api { base_url: &base_url },
        };
        let extra = json!({
            "auth_type": "workload_identity",
            "workload_identity_provider": "kubernetes",
            "identity_provider_id": options.identity_provider_id,
            "service_account_id": options.service_account_id,
            "token_file_path": token_file,
            "token_endpoint": token_endpoint,
            "openai_client_kwargs": {"base_url": base_url},
        });
        let extra_text = extra.to_string();
        Self {
            native: native.json(),
            native_static: native_static.json(),
            airflow_uri: format!("openai:///?__extra__={}", utf8_percent_encode(&extra_text, QUERY)),
            airflow_json: airflow(extra),
            airflow_json_text_extra: airflow(Value::String(extra_text)),
            combinations: recipes::all(world),
            openai_service_account: recipes::openai_service_account(world),
        }
    }
}

impl Documents {
    /// A `keyless.toml` that calls the native document `openai`, to write listeners behind.
    pub(crate) fn named(&self) -> String {
        // A text in JSON is a basic string in TOML.
        format!(
            "# For as long as this sandbox runs.\n[connections]\nopenai = {}\n",
            Value::from(self.native.as_str())
        )
    }
}

fn airflow(extra: Value) -> String {
    json!({"conn_type": "openai", "extra": extra}).to_string()
}

/// Written as a struct for the order of its fields: the one in which a person explains them.
#[derive(Serialize)]
struct Native<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<Exchange<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    api: Api<'a>,
}

#[derive(Serialize)]
struct Source<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    token_file_path: &'a str,
}

#[derive(Serialize)]
struct Exchange<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    identity_provider_id: &'a str,
    service_account_id: &'a str,
    token_endpoint: &'a str,
}

#[derive(Serialize)]
struct Api<'a> {
    base_url: &'a str,
}

impl Native<'_> {
    fn json(&self) -> String {
        // Text and options of text: there is nothing in it that could fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}
