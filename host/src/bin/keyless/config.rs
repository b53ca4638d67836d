//! `keyless.toml`: connections with names.
//!
//! ```toml
//! default = "prod"
//!
//! [connections]
//! airflow = "openai://..."
//!
//! [connections.prod]
//! source = "kubernetes"
//! exchange = { identity_provider_id = "idp_1", service_account_id = "svc_acct_1" }
//! ```

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;
use zeroize::Zeroizing;

use crate::document::{self, Document};
use crate::formats::{Tree, toml};
use crate::output::problem::Problem;

const FILE: &str = "keyless.toml";

/// The keys that may stand at the top.
const KEYS: [&str; 2] = ["connections", "default"];

/// A `keyless.toml` that was read. Holds documents, so it has no `Debug`.
pub(crate) struct Config {
    path: PathBuf,
    connections: BTreeMap<String, Zeroizing<String>>,
    default: Option<String>,
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

    /// The document of this name.
    ///
    /// # Errors
    /// `connection-name`, listing the names that there are, nearest first.
    pub(crate) fn document(&self, name: &str) -> Result<Document, Problem> {
        match self.connections.get(name) {
            Some(text) => Ok(Document {
                text: text.clone(),
                origin: format!("[connections.{name}] in {}", self.path.display()),
            }),
            None => Err(self.unknown(name)),
        }
    }

    /// The document that `default` names. `None` without a `default`.
    ///
    /// # Errors
    /// `config-invalid` when it names none.
    pub(crate) fn default_document(&self) -> Result<Option<Document>, Problem> {
        let Some(name) = &self.default else { return Ok(None) };
        if self.connections.contains_key(name) {
            return self.document(name).map(Some);
        }
        Err(Problem::invalid(
            "config-invalid",
            format!("`default` in {} names no connection in it", self.path.display()),
            self.choices(name),
        ))
    }

    fn read(path: &Path) -> Result<Self, Problem> {
        let shown = path.display();
        let text = fs::read_to_string(path).map(Zeroizing::new).map_err(|reason| {
            let next = match reason.kind() {
                ErrorKind::NotFound => "check the path given with `--config` or $KEYLESS_CONFIG",
                _ => "check its permissions, and that it is UTF-8 text",
            };
            Problem::invalid("config-unreadable", format!("{shown} cannot be read: {reason}"), next)
        })?;
        let tree = toml::read(&text).map_err(|fault| {
            Problem::invalid("config-invalid", format!("{shown} {}", fault.what), fault.next)
        })?;
        tracing::debug!(file = %shown, "connections have names");
        Self::parse(path, &tree)
    }

    fn parse(path: &Path, tree: &Tree) -> Result<Self, Problem> {
        let invalid = |what: String, next: &str| {
            Problem::invalid("config-invalid", format!("{} {what}", path.display()), next)
        };
        let mut config = Self { path: path.to_owned(), connections: BTreeMap::new(), default: None };
        for (key, value) in tree.object() {
            match (key.as_str(), value) {
                ("connections", Value::Object(connections)) => {
                    for (name, value) in connections {
                        if !document::is_name(name) {
                            return Err(invalid(
                                "has a connection whose name is not made of letters, digits, _ and -"
                                    .to_owned(),
                                "rename it",
                            ));
                        }
                        let text = connection(value).ok_or_else(|| {
                            invalid(
                                format!("has a connection `{name}` that is neither a table nor text"),
                                "write [connections.NAME] and the document below it, or NAME = \"openai://...\"",
                            )
                        })?;
                        config.connections.insert(name.clone(), text);
                    }
                }
                ("connections", _) => {
                    return Err(invalid(
                        "has `connections` that is not a table".to_owned(),
                        "write [connections.NAME]",
                    ));
                }
                ("default", Value::String(name)) => config.default = Some(name.clone()),
                ("default", _) => {
                    return Err(invalid(
                        "has a `default` that is not text".to_owned(),
                        "write default = \"NAME\"",
                    ));
                }
                (unknown, _) => {
                    let known = nearest(unknown, KEYS.into_iter()).join(" and ");
                    tracing::warn!(file = %path.display(), key = unknown, "unknown key, without effect; known are {known}");
                }
            }
        }
        Ok(config)
    }

    fn unknown(&self, name: &str) -> Problem {
        Problem::invalid(
            "connection-name",
            format!("{} has no connection of this name ({} characters)", self.path.display(), name.len()),
            format!("{}{}", document::hint(name), self.choices(name)),
        )
    }

    fn choices(&self, name: &str) -> String {
        if self.connections.is_empty() {
            return "write [connections.NAME] and the document below it".to_owned();
        }
        format!("choose one of {}", nearest(name, self.connections.keys().map(String::as_str)).join(", "))
    }
}

/// Text as it stands, a table as JSON.
fn connection(value: &Value) -> Option<Zeroizing<String>> {
    match value {
        Value::String(text) => Some(Zeroizing::new(text.clone())),
        Value::Object(_) => Some(Zeroizing::new(value.to_string())),
        _ => None,
    }
}

/// `$XDG_CONFIG_HOME/keyless/keyless.toml`, else `~/.config/keyless/keyless.toml`.
fn user_file() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(base.join("keyless").join(FILE))
}

/// The names that are there, the most alike first.
fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
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
