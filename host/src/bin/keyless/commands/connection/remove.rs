//! `keyless connection remove`: the table goes, then the key that `add` has stored. With `--revoke` the key is deleted at OpenAI
//! first, and nothing is removed unless that has worked.

use std::path::Path;
use std::process::ExitCode;

use keyless_documents::{Survey, edit};
use serde_json::Value;

use super::file::{self, Locked};
use super::place::Place;
use super::{add, fields, revoke, unknown};
use crate::cli::{Cli, RemoveArgs};
use crate::config::Config;
use crate::output;
use crate::output::printable;
use crate::output::problem::{Class, Problem};

pub(super) async fn run(cli: &Cli, args: &RemoveArgs) -> Result<ExitCode, Problem> {
    let name = fields::name(&args.name)?;
    let path = Config::place(cli.connection.config.as_deref())?;
    let seen = file::read(&path)?;
    let before = document(&path, &file::survey(&path, &seen)?, name)?;
    let revoked = match (args.revoke, &before) {
        (false, _) => None,
        (true, Some(document)) => Some(revoke::revoke(cli, args, document).await?),
        (true, None) => {
            return Err(Problem::invalid(
                "revoke-unclear",
                format!("the connection `{name}` cannot be read, so it is not known which key it has"),
                "delete the key in OpenAI's settings, and remove the connection without `--revoke`",
            ));
        }
    };
    let removed = take_out(&path, name, before.as_ref().map(|document| document.as_str()));
    let (place, users) = match (removed, &revoked) {
        (Err(problem), Some(id)) => {
            tracing::warn!("the key {id} is deleted at OpenAI, but the connection is still there");
            return Err(problem);
        }
        (removed, _) => removed?,
    };
    let cleared = place.as_ref().filter(|place| place.is_ours()).map(Place::clear);
    let mut text = format!("removed {name} from {}\n", printable(&path.display().to_string()));
    text.push_str(&match (&place, &cleared) {
        (None, _) => String::new(),
        (Some(place), Some(Ok(()))) => {
            format!("its key, {}, is deleted here\n", printable(&place.to_string()))
        }
        (Some(place), None) => format!("its key is still {}\n", printable(&place.to_string())),
        (Some(_), Some(Err(_))) => "its key is still here\n".to_owned(),
    });
    text.push_str(&match (&revoked, &place) {
        (Some(id), _) => format!("the key {id} is deleted at OpenAI\n"),
        (None, Some(_)) => {
            "removing a connection does not delete the key at OpenAI: it is valid until it is deleted there\n"
                .to_owned()
        }
        (None, None) => String::new(),
    });
    output::write(&text)?;
    for user in users {
        tracing::warn!("[{user}] in {} still names the connection `{name}`", path.display());
    }
    cleared.unwrap_or(Ok(()))?;
    Ok(ExitCode::SUCCESS)
}

/// The connection's document; `None` where it cannot be read.
fn document(path: &Path, survey: &Survey, name: &str) -> Result<Option<zeroize::Zeroizing<String>>, Problem> {
    let found = survey.each().find(|(other, _)| *other == name);
    let (_, document) = found.ok_or_else(|| unknown(path, name, survey))?;
    Ok(document.ok().cloned())
}

/// Where the key was that nobody else in the file has, and the tables that still name the connection.
fn take_out(path: &Path, name: &str, before: Option<&str>) -> Result<(Option<Place>, Vec<String>), Problem> {
    let locked = Locked::wait(path)?;
    let text = locked.read()?;
    let survey = file::survey(path, &text)?;
    if document(path, &survey, name)?.as_ref().map(|document| document.as_str()) != before {
        return Err(Problem::new(
            Class::Failed,
            "config-changed",
            format!("somebody has changed the connection `{name}` in {} meanwhile", path.display()),
            "look at it with `keyless connection show`, and try again",
        ));
    }
    let without = edit::remove(&text, name).map_err(|fault| file::invalid(path, fault))?;
    locked.write(&without)?;
    let place = before.and_then(Place::of).filter(|place| !add::used(&survey, name, place));
    Ok((place, users(&survey, name)))
}

/// Tables such as `proxy.x` whose `connection` is this one.
fn users(survey: &Survey, name: &str) -> Vec<String> {
    let mut users = Vec::new();
    for (kind, value) in survey.others() {
        let Some(Value::Object(tables)) = value else { continue };
        users.extend(
            tables.iter().filter(|(_, table)| names(table, name)).map(|(table, _)| format!("{kind}.{table}")),
        );
    }
    users
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            (matches!(key.as_str(), "connection" | "connections") && is(value, name)) || names(value, name)
        }),
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        _ => false,
    }
}

fn is(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| is(item, name)),
        _ => false,
    }
}
