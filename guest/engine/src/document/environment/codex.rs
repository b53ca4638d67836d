//! The variables of Codex (developers.openai.com, Codex, "Workload identity").

use super::{federated, half, none, plain_api};
use crate::api::Api;
use crate::connection::Auth;
use crate::error::Error;
use crate::fields::Fields;
use crate::variables::Variables;

const RULE: &str = "OPENAI_FEDERATION_RULE_ID";
const TOKEN_FILE: &str = "OPENAI_IDENTITY_TOKEN_FILE";
const CONTEXT: &str = "OPENAI_WORKLOAD_IDENTITY_CONTEXT";

/// The pair, or an error: as in Codex nothing else is fallen back to, and the context alone selects nothing.
pub(super) fn read(document: &Fields<'_>, variables: &Variables) -> Result<(Api, Auth), Error> {
    let (rule, file, context) = (variables.get(RULE), variables.get(TOKEN_FILE), variables.get(CONTEXT));
    match (rule, file) {
        (Some(_), None) => return Err(half(RULE, TOKEN_FILE)),
        (None, Some(_)) => return Err(half(TOKEN_FILE, RULE)),
        (None, None) => return Err(none(&format!("`{RULE}` nor `{TOKEN_FILE}`"))),
        (Some(_), Some(_)) => {}
    }
    let of_exchange = [("federation_rule_id", rule), ("workload_identity_context", context)];
    let (flavour, auth) =
        federated(document, variables, ("file", &[("token_file_path", file)]), ("codex", &of_exchange))?;
    Ok((plain_api(flavour, None)?, auth))
}
