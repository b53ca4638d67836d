//! Deleting a key at OpenAI, by the Admin API: the project's keys are listed, and the one that shows what ours would show is
//! deleted. Anything that is not quite clear ends with nothing deleted.
//!
//! Two grants, of one endpoint each: the list, and then the one key.

mod admin;
mod redacted;

use http::Uri;
use serde_json::Value;
use zeroize::Zeroizing;

use super::fields;
use super::place::Place;
use crate::cli::{Cli, RemoveArgs};
use crate::key_files;
use crate::output::problem::{Class, Problem};
use admin::{Admin, Listed};

/// The variable in which OpenAI's own tools look for the key of the Admin API.
const ADMIN_KEY: &str = "OPENAI_ADMIN_KEY";

const OPENAI: &str = "https://api.openai.com/v1";

/// Deletes the key of this connection. Returns its identifier.
///
/// # Errors
/// `revoke-unclear` and the like, all of them with nothing deleted but `revoke-unknown`, with which that is not known.
pub(super) async fn revoke(cli: &Cli, args: &RemoveArgs, document: &str) -> Result<String, Problem> {
    let place = Place::of(document).ok_or_else(|| {
        unclear(
            "the connection has no API key in a form that can be read here, so there is none to delete",
            "remove it without `--revoke`",
        )
    })?;
    let key = place.key(document)?;
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let project = match &args.project {
        Some(project) => fields::project(project)?.to_owned(),
        None => {
            let named = ["/project_id", "/projectId", "/api/project"].into_iter().find_map(text);
            let named = named.ok_or_else(|| {
                unclear(
                    "the connection names no project, and keys are listed by project",
                    "say which one with `--project proj_...`",
                )
            })?;
            fields::project(named)?.to_owned()
        }
    };
    let base_url = ["/base_url", "/baseUrl", "/api/base_url"].into_iter().find_map(text).unwrap_or(OPENAI);
    let host = match &args.admin_url {
        Some(url) => url.as_str(),
        None if is_openai(base_url) => base_url,
        None => {
            return Err(unclear(
                "the connection's base URL is not OpenAI's, and an Admin key is not sent just anywhere",
                "say where the Admin API is with `--admin-url URL`",
            ));
        }
    };
    let admin = Admin::new(cli, host, &project, admin_key(args)?)?;
    let id = find(&admin.list().await?, &key)?;
    admin.delete(&id).await?;
    Ok(id)
}

/// The one key that ours can be.
fn find(listed: &[Listed], key: &str) -> Result<String, Problem> {
    let alike: Vec<_> =
        listed.iter().filter(|listed| redacted::may_be(&listed.redacted_value, key)).collect();
    let by_hand = "delete it in OpenAI's settings, and remove the connection without `--revoke`";
    let one = match alike.as_slice() {
        [one] => one,
        [] => {
            return Err(unclear(
                format!("none of the {} keys of the project is this one; nothing was deleted", listed.len()),
                "check the project; if the key is deleted already, remove the connection without `--revoke`",
            ));
        }
        several => {
            return Err(unclear(
                format!(
                    "{} keys of the project look like this one, as far as OpenAI shows them; nothing was deleted",
                    several.len()
                ),
                by_hand,
            ));
        }
    };
    if one.service_account {
        return Err(unclear(
            format!(
                "the key {} belongs to a service account, whose keys the Admin API does not delete one by one; nothing was \
                 deleted",
                one.id
            ),
            "delete the service account in OpenAI's settings, if nothing else uses it, and remove the connection without \
             `--revoke`",
        ));
    }
    if !redacted::is_telling(&one.redacted_value) {
        return Err(unclear(
            format!("OpenAI shows too little of the key {} to be sure; nothing was deleted", one.id),
            by_hand,
        ));
    }
    Ok(one.id.clone())
}

fn unclear(what: impl Into<String>, next: &str) -> Problem {
    Problem::new(Class::Failed, "revoke-unclear", what, next)
}

/// The global host or one of a region.
fn is_openai(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let host = url.host().unwrap_or_default();
    url.scheme_str() == Some("https") && (host == "api.openai.com" || host.ends_with(".api.openai.com"))
}

fn admin_key(args: &RemoveArgs) -> Result<Zeroizing<String>, Problem> {
    let key = match &args.admin_key_file {
        Some(path) => key_files::read(path).map_err(|reason| {
            Problem::invalid(
                "admin-key",
                format!("the Admin key's file {} cannot be read: {reason}", path.display()),
                "check the path and its permissions",
            )
        })?,
        None => Zeroizing::new(std::env::var(ADMIN_KEY).unwrap_or_default().trim().to_owned()),
    };
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::invalid(
            "admin-key",
            format!("there is no usable key for the Admin API ({})", super::place::shape(&key)),
            "name a file with it, `--admin-key-file FILE`, or set $OPENAI_ADMIN_KEY; an organization's owner makes one in \
             OpenAI's settings (sk-admin-...)",
        ));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, redacted_value: &str, service_account: bool) -> Listed {
        Listed { id: id.to_owned(), redacted_value: redacted_value.to_owned(), service_account }
    }

    #[test]
    fn only_the_one_that_is_surely_ours_is_found() {
        let key = "sk-proj-abcdefgh1234WXYZ";
        let ours = || listed("key_1", "sk-proj-********WXYZ", false);
        let other = || listed("key_2", "sk-proj-********wxyz", false);
        assert_eq!(find(&[other(), ours()], key).ok().as_deref(), Some("key_1"));
        for (list, why) in [
            (vec![], "none of the 0 keys"),
            (vec![other()], "none of the 1 keys"),
            (vec![ours(), listed("key_3", "sk-...WXYZ", false)], "2 keys of the project look like"),
            (vec![ours(), listed("key_3", "sk-p...", false)], "2 keys of the project look like"),
            (vec![listed("key_1", "sk-...YZ", false)], "too little"),
            (vec![listed("key_1", "sk-...WXYZ", true)], "service account"),
        ] {
            let problem = find(&list, key).err().unwrap();
            assert_eq!(problem.code(), "revoke-unclear");
            assert!(problem.what().contains(why), "{problem:?}");
        }
    }

    #[test]
    fn an_admin_key_goes_to_openai_alone() {
        for url in ["https://api.openai.com/v1", "https://eu.api.openai.com/v1"] {
            assert!(is_openai(url), "{url}");
        }
        for url in [
            "http://api.openai.com/v1",
            "https://api.openai.com.example/v1",
            "https://notapi.openai.com.evil/",
            "https://myapi.openai.com/v1",
            "http://127.0.0.1:1/v1",
            "api.openai.com",
            "",
        ] {
            assert!(!is_openai(url), "{url}");
        }
    }
}
