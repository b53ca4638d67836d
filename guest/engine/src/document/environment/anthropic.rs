//! The variables of Anthropic's clients (platform.claude.com, "Workload identity federation").
//!
//! Profiles (`ANTHROPIC_PROFILE`, `ANTHROPIC_CONFIG_DIR`) are files of a person's machine and are not read.

use alloc::borrow::ToOwned as _;

use super::{federated, half, key, none, plain_api, url};
use crate::api::{self, Api};
use crate::connection::Auth;
use crate::error::Error;
use crate::fields::Fields;
use crate::secret::Secret;
use crate::variables::Variables;

const KEY: &str = "ANTHROPIC_API_KEY";
const RULE: &str = "ANTHROPIC_FEDERATION_RULE_ID";
const ORGANIZATION: &str = "ANTHROPIC_ORGANIZATION_ID";
const TOKEN_FILE: &str = "ANTHROPIC_IDENTITY_TOKEN_FILE";
const TOKEN: &str = "ANTHROPIC_IDENTITY_TOKEN";

/// Everything is read before anything may fail, so that every variable is asked for.
pub(super) fn read(document: &Fields<'_>, variables: &Variables) -> Result<(Api, Auth), Error> {
    let (base_url, auth) = (url(variables, "ANTHROPIC_BASE_URL"), auth(document, variables));
    let auth = auth?;
    Ok((plain_api(&api::ANTHROPIC, base_url?)?, auth))
}

/// A key goes before workload identity, as in the official clients, and as there that is reported.
fn auth(document: &Fields<'_>, variables: &Variables) -> Result<Auth, Error> {
    let (rule, organization, file) =
        (variables.get(RULE), variables.get(ORGANIZATION), variables.get(TOKEN_FILE));
    let token = variables.get(TOKEN).map(|_| Secret::new(TOKEN.to_owned()));
    let account = variables.get("ANTHROPIC_SERVICE_ACCOUNT_ID");
    let workspace = variables.get("ANTHROPIC_WORKSPACE_ID");
    if let Some(key) = key(variables, KEY)? {
        if rule.is_some() {
            document.warn(
                "identity-not-used",
                format_args!("`{KEY}` is set and goes before workload identity, as in Anthropic's clients, so `{RULE}` has no effect; remove the key"),
            );
        }
        return Ok(key);
    }
    // A file is renewed, a variable is not.
    let source: (&str, &[_]) = match &token {
        Some(name) if file.is_none() => ("variable", &[("variable", Some(name))]),
        _ => ("file", &[("token_file_path", file)]),
    };
    match (rule, organization, file.or(token.as_ref())) {
        (Some(_), Some(_), Some(_)) => {}
        (Some(_), None, _) => return Err(half(RULE, ORGANIZATION)),
        (Some(_), Some(_), None) => return Err(half(RULE, TOKEN_FILE)),
        (None, Some(_), _) => return Err(half(ORGANIZATION, RULE)),
        (None, None, Some(_)) => return Err(half(TOKEN_FILE, RULE)),
        (None, None, None) => {
            return Err(none(&format!("`{KEY}` nor `{RULE}`, `{ORGANIZATION}` and `{TOKEN_FILE}`")));
        }
    }
    let of_exchange = [
        ("federation_rule_id", rule),
        ("organization_id", organization),
        ("service_account_id", account),
        ("workspace_id", workspace),
    ];
    let (_, auth) = federated(document, variables, source, ("anthropic", &of_exchange))?;
    Ok(auth)
}
