//! Where the key of a connection is, and what can be said about it without telling it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::output::counted;
use crate::output::problem::{Class, Problem};
use crate::{key_files, keyring};

/// Where a key is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In `keyless.toml` itself.
    Document,
    /// In a variable of this name.
    Variable(String),
    /// In this file.
    File(PathBuf),
    /// In this entry of the keyring.
    Keyring(String),
}

/// The spellings of the field.
const FIELDS: [&str; 2] = ["api_key", "apiKey"];

/// What the component is given instead, to understand a document whose key is of no importance.
pub(crate) const STAND_IN: &str = "KEYLESS_STAND_IN";

impl Place {
    /// By a connection's document. `None` without such a field, as with an identity, or in another form of documents.
    pub(crate) fn of(document: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(document).ok()?;
        let key = FIELDS.iter().find_map(|field| document.get(*field))?;
        let named = |kind: &str| key.get(kind).and_then(Value::as_str).map(str::to_owned);
        if key.is_string() {
            return Some(Self::Document);
        }
        named("variable")
            .map(Self::Variable)
            .or_else(|| named("file").map(|path| Self::File(path.into())))
            .or_else(|| named("keyring").map(Self::Keyring))
    }

    /// The document with [`STAND_IN`] as its key's variable, where the key is not in it.
    pub(crate) fn without_key(document: &str) -> Option<Zeroizing<String>> {
        let mut document: Value = serde_json::from_str(document).ok()?;
        let key = FIELDS.iter().find_map(|field| document.get(*field).filter(|key| key.is_object()))?;
        // What is no reference is for the component to refuse.
        let known =
            ["variable", "file", "keyring"].iter().any(|kind| key.get(*kind).is_some_and(Value::is_string));
        let alone = key.as_object().is_some_and(|key| key.len() == 1);
        let field = FIELDS.iter().find(|field| document.get(**field).is_some())?;
        if !known || !alone {
            return None;
        }
        *document.get_mut(*field)? = json!({ "variable": STAND_IN });
        Some(Zeroizing::new(document.to_string()))
    }

    /// The key.
    ///
    /// # Errors
    /// `key-unreadable`, `keyring-unavailable`.
    pub(crate) fn key(&self, document: &str) -> Result<Zeroizing<String>, Problem> {
        let unreadable = |what: String, next: &str| Problem::invalid("key-unreadable", what, next);
        let key = match self {
            Self::Document => {
                let document: Value = serde_json::from_str(document).unwrap_or_default();
                let key = FIELDS.iter().find_map(|field| document.get(*field)).and_then(Value::as_str);
                Zeroizing::new(key.unwrap_or_default().trim().to_owned())
            }
            Self::Variable(name) => {
                let key = std::env::var(name).map_err(|_| {
                    unreadable(
                        format!("the key's variable `{name}` is not set here"),
                        "set it, and try again",
                    )
                })?;
                Zeroizing::new(key.trim().to_owned())
            }
            Self::File(path) => key_files::read(path).map_err(|reason| {
                unreadable(
                    format!("the key's file {} cannot be read: {reason}", path.display()),
                    "check the path and its permissions",
                )
            })?,
            Self::Keyring(name) => keyring::get(name)?.ok_or_else(|| {
                unreadable(
                    format!("the keyring has no entry `{name}` of keyless"),
                    "store the key again with `keyless connection add NAME --store keyring --replace`",
                )
            })?,
        };
        if key.is_empty() {
            return Err(unreadable(format!("the key {self} is empty"), "store it again"));
        }
        Ok(key)
    }

    /// Whether `add` has put it there.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            Self::Keyring(_) => true,
            Self::File(path) => key_files::is_ours(path),
            Self::Document | Self::Variable(_) => false,
        }
    }

    /// Takes the key out of a place in which `add` has put it.
    ///
    /// # Errors
    /// `key-undeletable`, `keyring-unavailable`.
    pub(crate) fn clear(&self) -> Result<(), Problem> {
        match self {
            Self::Keyring(name) => keyring::delete(name),
            Self::File(path) => key_files::delete(path).map_err(|reason| {
                Problem::new(
                    Class::Failed,
                    "key-undeletable",
                    format!("the key's file {} cannot be deleted: {reason}", path.display()),
                    "delete it by hand",
                )
            }),
            Self::Document | Self::Variable(_) => Ok(()),
        }
    }

    /// A word for it: file, keyring, variable, document.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Variable(_) => "variable",
            Self::File(_) => "file",
            Self::Keyring(_) => "keyring",
        }
    }

    /// Its name in that kind of place.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Self::Document => None,
            Self::Variable(name) | Self::Keyring(name) => Some(name.clone()),
            Self::File(path) => Some(path.display().to_string()),
        }
    }
}

/// Continues a sentence that begins with the key.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("in keyless.toml itself"),
            Self::Variable(name) => write!(f, "in the variable {name}"),
            Self::File(path) => write!(f, "in the file {}", path.display()),
            Self::Keyring(name) => write!(f, "in the keyring, entry {name} of keyless"),
        }
    }
}

/// As much of a key as may be shown.
pub(crate) fn shape(key: &str) -> String {
    counted(key.chars().count(), "character")
}

/// What is doubtful about a place: who else could read it.
pub(crate) fn doubts(place: &Place) -> Vec<String> {
    match place {
        Place::Document => vec![
            "the key stands in keyless.toml itself, which is committed and copied easily; move it with `keyless connection add \
             NAME --replace`"
                .to_owned(),
        ],
        Place::File(path) => open_to_others(path),
        Place::Variable(_) | Place::Keyring(_) => Vec::new(),
    }
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Vec<String> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let mut doubts = Vec::new();
    if let Ok(file) = fs::metadata(path) {
        let mode = file.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            doubts.push(format!(
                "the file {} has the mode {mode:04o}, so that others can use it; set it with `chmod 600`",
                path.display()
            ));
        }
    }
    if let Some(parent) = path.parent()
        && let Ok(directory) = fs::metadata(parent)
    {
        let mode = directory.mode() & 0o1777;
        // Who can write to a directory can put another file there, unless it is sticky as /tmp is.
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            doubts.push(format!(
                "the directory {} has the mode {mode:04o}, so that others can replace the file; set it with `chmod go-w`",
                parent.display()
            ));
        }
    }
    doubts
}

/// Modes are a matter of Unix.
#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_read_from_the_document() {
        for (document, kind) in [
            (r#"{"api_key":"k"}"#, Some("document")),
            (r#"{"apiKey":{"variable":"K"}}"#, Some("variable")),
            (r#"{"api_key":{"file":"/k"}}"#, Some("file")),
            (r#"{"api_key":{"keyring":"k"}}"#, Some("keyring")),
            (r#"{"api_key":{"other":"k"}}"#, None),
            (r#"{"source":"kubernetes"}"#, None),
            ("openai://:k@", None),
        ] {
            assert_eq!(Place::of(document).map(|place| place.kind()), kind, "{document}");
        }
    }

    #[test]
    fn only_a_reference_is_replaced() {
        let replaced = Place::without_key(r#"{"api_key":{"keyring":"k"},"nickname":"n"}"#).unwrap();
        assert_eq!(*replaced, r#"{"api_key":{"variable":"KEYLESS_STAND_IN"},"nickname":"n"}"#);
        for other in [r#"{"api_key":"k"}"#, r#"{"api_key":{"file":1}}"#, r#"{"api_key":{"file":"a","x":1}}"#]
        {
            assert!(Place::without_key(other).is_none(), "{other}");
        }
    }
}
