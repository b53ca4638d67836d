//! The variables of OpenAI's clients and guides.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::{federated, half, key, none, url};
use crate::api::{self, Api};
use crate::connection::{Auth, Located};
use crate::error::Error;
use crate::fields::{self, Fields};
use crate::plan::Origin;
use crate::url::WebUrl;
use crate::variables::Variables;

/// Both are read before either may fail, so that every variable is asked for.
pub(super) fn read(document: &Fields<'_>, variables: &Variables) -> Result<(Api, Auth), Error> {
    let (api, auth) = (api(variables), auth(document, variables));
    let auth = auth?;
    Ok((api?, auth))
}

/// The settings of the API that OpenAI's clients take from the environment.
fn api(variables: &Variables) -> Result<Api, Error> {
    let (base_url, organization, project) =
        (base_url(variables), header(variables, "OPENAI_ORG_ID"), header(variables, "OPENAI_PROJECT_ID"));
    Ok(Api {
        base_url: base_url?.map_or_else(|| api::OPENAI.default_base_url(), Ok)?,
        flavour: &api::OPENAI,
        organization: organization?,
        project: project?,
        default_headers: Vec::new(),
    })
}

/// `OPENAI_BASE_URL`, where it is set.
pub(in crate::document) fn base_url(variables: &Variables) -> Result<Option<Located<WebUrl>>, Error> {
    url(variables, "OPENAI_BASE_URL")
}

/// A variable that becomes a header, where it is set.
pub(in crate::document) fn header(
    variables: &Variables,
    name: &str,
) -> Result<Option<Located<String>>, Error> {
    variables
        .get(name)
        .map(|text| {
            let value = fields::header_secret(text.expose().to_owned(), name)?.expose().to_owned();
            Ok(Located { value, origin: Origin::Variable(name.to_owned()) })
        })
        .transpose()
}

/// `OPENAI_API_KEY`, where it is set.
pub(in crate::document) fn api_key(variables: &Variables) -> Result<Option<Auth>, Error> {
    key(variables, "OPENAI_API_KEY")
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
            return key.ok_or_else(|| none(&format!("`OPENAI_API_KEY` nor `{PROVIDER}` and `{ACCOUNT}`")));
        }
    };
    if key.is_some() {
        document.warn(
            "key-not-used",
            format_args!("`OPENAI_API_KEY` is set and not used, because `{PROVIDER}` is set; remove the key"),
        );
    }
    let (_, auth) = federated(
        document,
        variables,
        (if file.is_some() { "file" } else { "kubernetes" }, &[("token_file_path", file)]),
        ("openai", &[("identity_provider_id", Some(provider)), ("service_account_id", Some(account))]),
    )?;
    Ok(auth)
}
