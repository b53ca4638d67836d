//! `keyless connection list`: what there is. A broken connection is listed with what is wrong with it and hides no other.

use std::process::ExitCode;

use serde_json::json;

use super::described::Described;
use super::file;
use crate::cli::{Cli, ListArgs, ListFormat};
use crate::config::Config;
use crate::output::problem::Problem;
use crate::{output, session};

pub(super) async fn run(cli: &Cli, args: &ListArgs) -> Result<ExitCode, Problem> {
    let path = Config::place(cli.connection.config.as_deref())?;
    let text = file::read(&path)?;
    let survey = file::survey(&path, &text)?;
    let runtime = session::runtime(&cli.runtime)?;
    let mut connections = Vec::new();
    for (name, document) in survey.each() {
        let document = document.map_err(|fault| file::invalid(&path, fault.clone()));
        let document = document.as_ref().map(|document| document.as_str());
        let default = survey.default_name() == Some(name);
        connections.push(Described::of(&runtime, &text, name, document, default).await);
    }
    let text = match args.format {
        ListFormat::Json => {
            output::json(&json!({ "file": path.display().to_string(), "connections": connections }))?
        }
        ListFormat::Table => output::connection::table(&connections, &path),
    };
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}
