//! `keyless connection add`: a table in `keyless.toml`, and its key where only this user can read it.
//!
//! All that can be wrong is found before anything is written. Then the key is stored, and last the table that names it; when
//! that fails, the key goes again.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum as _;
use keyless::{Runtime, Variables};
use keyless_documents::Survey;
use keyless_documents::edit::{self, Line};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::described::PERMISSIONS;
use super::file::{self, Locked};
use super::place::{self, Place};
use super::{fields, key};
use crate::cli::{AddArgs, Cli, Store};
use crate::config::Config;
use crate::output::printable;
use crate::output::problem::Problem;
use crate::{key_files, keyring, output, session};

pub(super) async fn run(cli: &Cli, args: &AddArgs) -> Result<ExitCode, Problem> {
    if args.key.is_some() || !args.more.is_empty() {
        return Err(fields::no_argument());
    }
    let name = fields::name(&args.name)?;
    let path = Config::place(cli.connection.config.as_deref())?;
    // Asked twice: before anybody has to type a key, and when nobody else can change the file any more.
    let text = file::read(&path)?;
    let wanted = Wanted::of(name, args, &free(&path, &text, name, args)?)?;
    wanted.is_unique(&path, &file::survey(&path, &text)?)?;
    let key = Key::of(name, args)?;
    wanted.understand(&session::runtime(&cli.runtime)?, key.known()).await?;

    let locked = Locked::wait(&path)?;
    let text = locked.read()?;
    let old = free(&path, &text, name, args)?;
    wanted.is_unique(&path, &file::survey(&path, &text)?)?;
    let place = key.store(name, args.store)?;
    let written = wanted.written(&text, &place, args.default);
    let written = written.map_err(|fault| file::invalid(&path, fault)).and_then(|text| locked.write(&text));
    if let Err(problem) = written {
        if place.is_ours() {
            // What went wrong first is what counts.
            drop(place.clear());
        }
        return Err(problem);
    }
    let replaced = old.place.filter(|old| *old != place && old.is_ours());
    // It is still somebody's if the file says so.
    let replaced =
        replaced.filter(|old| !file::survey(&path, &text).is_ok_and(|survey| used(&survey, name, old)));
    output::write(&told(name, &path, &place, args))?;
    replaced.map_or(Ok(()), |old| old.clear())?;
    Ok(ExitCode::SUCCESS)
}

/// Whether another connection than `name` has its key there.
pub(super) fn used(survey: &Survey, name: &str, place: &Place) -> bool {
    let mut others = survey.each().filter(|(other, _)| *other != name);
    others.any(|(_, document)| {
        document.is_ok_and(|document| Place::of(document).is_some_and(|other| other == *place))
    })
}

/// What a connection that is replaced says.
#[derive(Default)]
struct Old {
    document: Value,
    place: Option<Place>,
    permissions: Option<String>,
}

impl Old {
    fn text(&self, keys: [&str; 2]) -> Option<String> {
        keys.into_iter().find_map(|key| self.document.get(key)).and_then(Value::as_str).map(str::to_owned)
    }
}

/// Whether the name may be taken, and what it says until now.
fn free(path: &Path, text: &str, name: &str, args: &AddArgs) -> Result<Old, Problem> {
    let survey = file::survey(path, text)?;
    let Some((_, document)) = survey.each().find(|(other, _)| *other == name) else {
        return Ok(Old::default());
    };
    if !args.replace {
        return Err(Problem::invalid(
            "connection-exists",
            format!("{} has a connection `{name}` already", path.display()),
            "choose another name, or replace it with `--replace`, which keeps what is not given",
        ));
    }
    let document = document.map(|document| document.as_str()).unwrap_or_default();
    let comments = edit::comments_above(text, name, "api_key");
    Ok(Old {
        place: Place::of(document),
        document: serde_json::from_str(document).unwrap_or_default(),
        permissions: comments.iter().find_map(|comment| comment.strip_prefix(PERMISSIONS)).map(str::to_owned),
    })
}

/// The connection that is to be.
struct Wanted {
    name: String,
    nickname: String,
    organization: Option<String>,
    project: Option<String>,
    base_url: Option<String>,
    permissions: Option<String>,
}

impl Wanted {
    fn of(name: &str, args: &AddArgs, old: &Old) -> Result<Self, Problem> {
        let given = |given: &Option<String>, check: fn(&str) -> Result<&str, Problem>, keys| match given {
            Some(given) => check(given).map(|given| Some(given.to_owned())),
            None => Ok(old.text(keys)),
        };
        let noted = args.permissions.and_then(|permissions| permissions.to_possible_value());
        let noted =
            noted.map(|noted| format!("{} (a note; OpenAI decides what the key may do)", noted.get_name()));
        Ok(Self {
            name: name.to_owned(),
            nickname: given(&args.nickname, fields::nickname, ["nickname"; 2])?
                .unwrap_or_else(|| name.to_owned()),
            organization: given(
                &args.organization,
                fields::organization,
                ["organization_id", "organizationId"],
            )?,
            project: given(&args.project, fields::project, ["project_id", "projectId"])?,
            base_url: args.base_url.clone().or_else(|| old.text(["base_url", "baseUrl"])),
            permissions: noted.or_else(|| old.permissions.clone()),
        })
    }

    /// # Errors
    /// `connection-nickname` when another connection is called so.
    fn is_unique(&self, path: &Path, survey: &Survey) -> Result<(), Problem> {
        let wanted = self.nickname.to_lowercase();
        let taken = survey.each().filter(|(name, _)| *name != self.name).find(|(_, document)| {
            let document: Option<Value> = document.ok().and_then(|text| serde_json::from_str(text).ok());
            let nickname = document.as_ref().and_then(|document| document.get("nickname")?.as_str());
            nickname.is_some_and(|nickname| nickname.trim().to_lowercase() == wanted)
        });
        taken.map_or(Ok(()), |(name, _)| {
            Err(Problem::invalid(
                "connection-nickname",
                format!("the connection `{name}` in {} has this nickname already", path.display()),
                "give another one with `--nickname`",
            ))
        })
    }

    /// Has the component read the document, so that what it would refuse is never written.
    async fn understand(&self, runtime: &Runtime, key: Option<&str>) -> Result<(), Problem> {
        let mut document = json!({ "nickname": self.nickname, "api_key": { "variable": place::STAND_IN } });
        let optional = [
            ("organization_id", &self.organization),
            ("project_id", &self.project),
            ("base_url", &self.base_url),
        ];
        if let Some(document) = document.as_object_mut() {
            let given =
                optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?)));
            document.extend(given.map(|(key, value)| (key, Value::String(value))));
        }
        let variables: Variables = [(place::STAND_IN, key.unwrap_or("stand-in"))].into_iter().collect();
        let plan = runtime.plan(&document.to_string(), &variables).await;
        let plan = plan.map_err(|error| {
            if error.message.contains(place::STAND_IN) {
                return Problem::invalid(
                    "key-unusable",
                    format!(
                        "the key ({}) has spaces or characters that cannot stand in a header",
                        place::shape(key.unwrap_or_default())
                    ),
                    "copy it again, and nothing else with it",
                );
            }
            error.into()
        })?;
        for warning in &plan.warnings {
            tracing::warn!(code = %warning.code, "{}", warning.message);
        }
        Ok(())
    }

    /// The file with it.
    fn written(&self, text: &str, place: &Place, default: bool) -> Result<String, keyless_documents::Fault> {
        let note = self.permissions.as_ref().map(|noted| format!("{PERMISSIONS}{noted}"));
        let mut lines = vec![Line::Text("nickname", &self.nickname)];
        let optional = [
            ("organization_id", &self.organization),
            ("project_id", &self.project),
            ("base_url", &self.base_url),
        ];
        lines.extend(optional.iter().filter_map(|(key, value)| Some(Line::Text(key, value.as_deref()?))));
        lines.extend(note.as_deref().map(Line::Comment));
        let named = place.name().unwrap_or_default();
        lines.push(Line::Reference("api_key", place.kind(), &named));
        let text = edit::put(text, &self.name, &lines)?;
        if default { edit::set_default(&text, &self.name) } else { Ok(text) }
    }
}

/// The key, or where its owner keeps it.
enum Key {
    Here(Zeroizing<String>),
    There(Place, Option<Zeroizing<String>>),
}

impl Key {
    fn of(name: &str, args: &AddArgs) -> Result<Self, Problem> {
        if let Some(variable) = &args.key_variable {
            let place = Place::Variable(fields::variable(variable)?.to_owned());
            return Ok(Self::There(place, None));
        }
        let Some(path) = &args.key_file else { return Ok(Self::Here(key::ask(name)?)) };
        let place = Place::File(absolute(path)?);
        for doubt in place::doubts(&place) {
            tracing::warn!(code = "key-file-open", "{doubt}");
        }
        let held = match place.key("") {
            Ok(held) => Some(held),
            Err(problem) => {
                // It may be mounted where the connection is used, and only there.
                tracing::warn!(code = problem.code(), next = problem.next(), "{}", problem.what());
                None
            }
        };
        held.as_ref().map_or(Ok(()), |held| key::check(held))?;
        Ok(Self::There(place, held))
    }

    /// The key, as far as it is known here.
    fn known(&self) -> Option<&str> {
        match self {
            Self::Here(key) => Some(key),
            Self::There(_, key) => key.as_ref().map(|key| key.as_str()),
        }
    }

    fn store(&self, name: &str, store: Store) -> Result<Place, Problem> {
        match self {
            Self::There(place, _) => Ok(place.clone()),
            Self::Here(key) => match store {
                Store::File => key_files::store(name, key).map(Place::File),
                Store::Keyring => keyring::store(name, key).map(Place::Keyring),
            },
        }
    }
}

/// A file is named wherever the connection is used, so its path must not depend on where one is.
fn absolute(path: &Path) -> Result<PathBuf, Problem> {
    let unusable =
        |what: &str, next: &str| Err(Problem::invalid("field-value", format!("`--key-file` {what}"), next));
    let Ok(path) = std::path::absolute(path) else {
        return unusable("is empty", "name the file in which the key is");
    };
    if path.to_str().is_none() {
        return unusable("is not UTF-8, which keyless.toml has to be", "name a link to it that is");
    }
    if key_files::is_within(&path) {
        return unusable(
            "is in the directory in which keyless keeps keys itself",
            "name a file of your own, which no other connection takes away",
        );
    }
    Ok(path)
}

fn told(name: &str, path: &Path, place: &Place, args: &AddArgs) -> String {
    let did = if args.replace { "written" } else { "added" };
    let default = if args.default { ", the default" } else { "" };
    let whose = match (place, place.is_ours()) {
        (Place::File(_), true) => ", which only you can read",
        (Place::File(_), false) => ", which stays yours",
        _ => "",
    };
    let place = place.to_string();
    format!(
        "{did} {name}{default} in {}\nits key is {}{whose}\nnext: keyless doctor -c {name}\n",
        printable(&path.display().to_string()),
        printable(&place),
    )
}
