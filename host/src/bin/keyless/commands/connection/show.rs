//! `keyless connection show`: one connection, where its key is, and whether it is there. Never the key.

use std::process::ExitCode;

use serde::Serialize;

use super::described::{Described, FaultShown};
use super::place::{self, Place};
use super::{fields, file, unknown};
use crate::cli::{Cli, ListFormat, ShowArgs};
use crate::config::Config;
use crate::output::problem::Problem;
use crate::{output, session};

/// A connection and the state of its key.
#[derive(Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) connection: Described,
    /// `None` where it has no key.
    pub(crate) secret: Option<Secret>,
}

/// What can be said about a key.
#[derive(Serialize)]
pub(crate) struct Secret {
    pub(crate) readable: bool,
    /// Its length, in words.
    pub(crate) shape: Option<String>,
    pub(crate) fault: Option<FaultShown>,
    /// Who else could read it, and the like.
    pub(crate) warnings: Vec<String>,
}

pub(super) async fn run(cli: &Cli, args: &ShowArgs) -> Result<ExitCode, Problem> {
    let name = fields::name(&args.name)?;
    let path = Config::place(cli.connection.config.as_deref())?;
    let text = file::read(&path)?;
    let survey = file::survey(&path, &text)?;
    let Some((_, document)) = survey.each().find(|(other, _)| *other == name) else {
        return Err(unknown(&path, name, &survey));
    };
    let document = document.map_err(|fault| file::invalid(&path, fault.clone()));
    let document = document.as_ref().map(|document| document.as_str());
    let runtime = session::runtime(&cli.runtime)?;
    let default = survey.default_name() == Some(name);
    let shown = Shown {
        connection: Described::of(&runtime, &text, name, document, default).await,
        secret: document.ok().and_then(secret),
    };
    let text = match args.format {
        ListFormat::Json => output::json(&shown)?,
        ListFormat::Table => output::connection::shown(&shown, &path),
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn secret(document: &str) -> Option<Secret> {
    let place = Place::of(document)?;
    let key = place.key(document);
    Some(Secret {
        readable: key.is_ok(),
        shape: key.as_ref().ok().map(|key| place::shape(key)),
        fault: key.as_ref().err().map(FaultShown::from),
        warnings: place::doubts(&place),
    })
}
