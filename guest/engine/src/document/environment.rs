//! `{"environment": "openai"}`: the variables that OpenAI's clients and guides use, and nothing else.

use crate::connection::{Api, Auth, Connection, Located};
use crate::document::{Fields, Variables, fields, native, registry};
use crate::error::{Code, Error, field};
use crate::plan::Origin;
use crate::url::WebUrl;
use serde_json::{Map, Value};

pub(super) fn read(mut document: Fields<'_>, variables: &Variables) -> Result<Connection, Error> {
    let name = document.required_text("environment")?;
    if name != "openai" {
        return Err(document.fault(
            Code::FieldValue,
            "environment",
            "names no known set of variables; known is openai",
        ));
    }
    // Both are read before either may fail, so that every variable is asked for.
    let (api, auth) = (api(variables), auth(&document, variables));
    document.finish();
    Ok(Connection { auth: auth?, api: api?, refresh_buffer_ms: None })
}

/// The settings of the API that OpenAI's clients take from the environment.
fn api(variables: &Variables) -> Result<Api, Error> {
    let (base_url, organization, project) =
        (base_url(variables), header(variables, "OPENAI_ORG_ID"), header(variables, "OPENAI_PROJECT_ID"));
    Ok(Api {
        base_url: base_url?.map_or_else(native::default_base_url, Ok)?,
        organization: organization?,
        project: project?,
        default_headers: Vec::new(),
    })
}

/// `OPENAI_BASE_URL`, where it is set.
pub(super) fn base_url(variables: &Variables) -> Result<Option<Located<WebUrl>>, Error> {
    const NAME: &str = "OPENAI_BASE_URL";
    variables
        .get(NAME)
        .map(|text| {
            let value = WebUrl::parse(text.expose()).map_err(|fault| field(Code::FieldUrl, NAME, fault))?;
            Ok(Located { value, origin: Origin::Variable(NAME.to_owned()) })
        })
        .transpose()
}

/// A variable that becomes a header, where it is set.
pub(super) fn header(variables: &Variables, name: &str) -> Result<Option<Located<String>>, Error> {
    variables
        .get(name)
        .map(|text| {
            let value = fields::header_secret(text.expose().to_owned(), name)?.expose().to_owned();
            Ok(Located { value, origin: Origin::Variable(name.to_owned()) })
        })
        .transpose()
}

/// `OPENAI_API_KEY`, where it is set.
pub(super) fn api_key(variables: &Variables) -> Result<Option<Auth>, Error> {
    const NAME: &str = "OPENAI_API_KEY";
    variables
        .get(NAME)
        .map(|text| {
            let value = fields::header_secret(text.expose().to_owned(), NAME)?;
            Ok(Auth::ApiKey(Located { value, origin: Origin::Variable(NAME.to_owned()) }))
        })
        .transpose()
}

const PROVIDER: &str = "OPENAI_IDENTITY_PROVIDER_ID";
const ACCOUNT: &str = "OPENAI_SERVICE_ACCOUNT_ID";
const TOKEN_FILE: &str = "OPENAI_IDENTITY_TOKEN_FILE";

/// Workload identity goes before a key: a key that is still lying about must not shadow the identity that was set up.
fn auth(document: &Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    let (provider, account, file) =
        (variables.get(PROVIDER), variables.get(ACCOUNT), variables.get(TOKEN_FILE));
    let key = api_key(variables)?;
    let (provider, account) = match (provider, account) {
        (Some(provider), Some(account)) => (provider, account),
        (Some(_), None) => return Err(half(PROVIDER, ACCOUNT)),
        (None, Some(_)) => return Err(half(ACCOUNT, PROVIDER)),
        (None, None) => {
            return key.ok_or_else(|| {
                Error::new(
                    Code::FieldMissing,
                    format!("neither `OPENAI_API_KEY` nor `{PROVIDER}` and `{ACCOUNT}` are set; set the one or the other"),
                )
            });
        }
    };
    if key.is_some() {
        document.warn(
            "key-not-used",
            format!("`OPENAI_API_KEY` is set and not used, because `{PROVIDER}` is set; remove the key"),
        );
    }
    let text = |text: &str| Value::String(text.to_owned());
    let mut settings = Map::new();
    if let Some(file) = file {
        settings.insert("token_file_path".to_owned(), text(file.expose().trim()));
    }
    let mut settings = document.inside("source", settings);
    let kind = if file.is_some() { "file" } else { "kubernetes" };
    let source = registry::source(kind, "source.type", &mut settings, variables)?;
    let mut settings = Map::new();
    settings.insert("identity_provider_id".to_owned(), text(provider.expose().trim()));
    settings.insert("service_account_id".to_owned(), text(account.expose().trim()));
    let mut settings = document.inside("exchange", settings);
    let exchange = registry::exchange("openai", "exchange.type", &mut settings)?;
    Ok(Auth::workload_identity(source, exchange))
}

fn half(set: &str, unset: &str) -> Error {
    Error::new(
        Code::FieldMissing,
        format!("`{set}` is set but `{unset}` is not; workload identity needs both"),
    )
}
