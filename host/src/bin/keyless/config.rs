//! Where `keyless.toml` is found, and which of its connections is meant.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use keyless_documents::{KEYS, Names};
#[cfg(unix)]
use keyless_gateway::config::KEYS as SERVED;
use zeroize::Zeroizing;

use crate::document::{self, Document};
use crate::output::problem::Problem;

/// What is served elsewhere means nothing here.
#[cfg(not(unix))]
const SERVED: [&str; 0] = [];

const FILE: &str = "keyless.toml";

/// A `keyless.toml` that was read. Holds documents, so it has no `Debug`.
pub(crate) struct Config {
    path: PathBuf,
    names: Names,
}

impl Config {
    /// Reads the file that was named; else the one in the current directory, else the one in the user's configuration
    /// directory. `None` when there is none of these two.
    ///
    /// # Errors
    /// `config-unreadable`, `config-invalid`.
    pub(crate) fn find(named: Option<&Path>) -> Result<Option<Self>, Problem> {
        if let Some(path) = named {
            return Self::read(path).map(Some);
        }
        for path in [Some(PathBuf::from(FILE)), user_file()].into_iter().flatten() {
            match path.try_exists() {
                Ok(false) => {}
                // What cannot be looked at is reported by reading it.
                Ok(true) | Err(_) => return Self::read(&path).map(Some),
            }
        }
        Ok(None)
    }

    /// The file that [`find`](Self::find) would read; where there is none, the one in the user's configuration directory,
    /// which is to be made.
    ///
    /// # Errors
    /// `config-unreadable` without such a directory.
    pub(crate) fn place(named: Option<&Path>) -> Result<PathBuf, Problem> {
        if let Some(path) = named {
            return Ok(path.to_owned());
        }
        let user = user_file();
        let there = |path: &PathBuf| path.symlink_metadata().is_ok();
        let found = [Some(PathBuf::from(FILE)), user.clone()].into_iter().flatten().find(there);
        found.or(user).ok_or_else(|| {
            Problem::invalid(
                "config-unreadable",
                "there is no keyless.toml here, and without $HOME no configuration directory to make one in",
                "name the file with `--config FILE`, or set $HOME",
            )
        })
    }

    /// The document of this name.
    ///
    /// # Errors
    /// `connection-name`, listing the names that there are, nearest first.
    pub(crate) fn document(&self, name: &str) -> Result<Document, Problem> {
        match self.names.document(name) {
            Some(text) => {
                Document::new(text.clone(), format!("[connections.{name}] in {}", self.path.display()))
            }
            None => Err(self.unknown(name)),
        }
    }

    /// The document that `default` names. `None` without a `default`.
    ///
    /// # Errors
    /// `config-invalid` when it names none.
    pub(crate) fn default_document(&self) -> Result<Option<Document>, Problem> {
        let Some(name) = self.names.default_name() else { return Ok(None) };
        if self.names.document(name).is_some() {
            return self.document(name).map(Some);
        }
        Err(Problem::invalid(
            "config-invalid",
            format!("`default` in {} names no connection in it", self.path.display()),
            self.choices(name),
        ))
    }

    /// Where it was read.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all connections.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.names()
    }

    /// The tables that say what is to be served.
    pub(crate) fn served(&self) -> serde_json::Map<String, serde_json::Value> {
        let served = self.names.others().iter().filter(|(key, _)| SERVED.contains(&key.as_str()));
        served.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Reads this file.
    ///
    /// # Errors
    /// `config-unreadable`, `config-invalid`.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let shown = path.display();
        let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|reason| {
            let next = match reason.kind() {
                ErrorKind::NotFound => "check the path given with `--config` or $KEYLESS_CONFIG",
                _ => "check its permissions, and that it is UTF-8 text",
            };
            Problem::invalid("config-unreadable", format!("{shown} cannot be read: {reason}"), next)
        })?;
        let names = Names::read(&text).map_err(|fault| {
            Problem::invalid("config-invalid", format!("{shown} {}", fault.what), fault.next)
        })?;
        tracing::debug!(file = %shown, "connections have names");
        for unknown in names.others().keys().filter(|key| !SERVED.contains(&key.as_str())) {
            let known = nearest(unknown, KEYS.into_iter().chain(SERVED)).join(", ");
            tracing::warn!(file = %shown, key = unknown, "unknown key, without effect; known are {known}");
        }
        Ok(Self { path: path.to_owned(), names })
    }

    fn unknown(&self, name: &str) -> Problem {
        Problem::invalid(
            "connection-name",
            format!("{} has no connection of this name ({} characters)", self.path.display(), name.len()),
            format!("{}{}", document::hint(name), self.choices(name)),
        )
    }

    fn choices(&self, name: &str) -> String {
        if self.names.names().next().is_none() {
            return "write [connections.NAME] and the document below it".to_owned();
        }
        format!("choose one of {}", nearest(name, self.names.names()).join(", "))
    }
}

/// `$XDG_CONFIG_HOME/keyless/keyless.toml`, else `~/.config/keyless/keyless.toml`.
fn user_file() -> Option<PathBuf> {
    user_directory("XDG_CONFIG_HOME", ".config").map(|directory| directory.join(FILE))
}

/// Ours in the directory that this variable of the XDG Base Directory Specification names, else in that one below `$HOME`.
pub(crate) fn user_directory(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))?;
    Some(base.join("keyless"))
}

/// The names that are there, the most alike first.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.collect();
    names.sort_by_key(|name| strsim::damerau_levenshtein(wanted, name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_name_comes_first() {
        let names = nearest("prdo", ["airflow", "stage", "prod"].into_iter());
        assert_eq!((names.len(), names.first()), (3, Some(&"prod")));
    }
}
