//! Connection documents in the forms in which people keep them. The component reads JSON and URIs; YAML and TOML become
//! JSON here.

pub mod edit;
mod names;
mod toml;
mod yaml;

pub use names::{KEYS, Names, Survey, is_name};

use std::path::Path;

use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For the component to read as it stands.
    Json,
    /// For the component to read as it stands: `openai://...`
    Uri,
    /// YAML 1.2.
    Yaml,
    /// TOML 1.0.
    Toml,
}

impl Format {
    /// By the file's extension. `None` when that says nothing.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }

    /// By its shape, never by trying one after the other, so that an error speaks of the form that was meant.
    fn of_text(text: &str) -> Self {
        let text = text.trim_start();
        if text.starts_with('{') {
            return Self::Json;
        }
        if is_uri(text) {
            return Self::Uri;
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        match lines.next() {
            Some(line) if line.starts_with('[') => Self::Toml,
            // The first sign decides: `a = "b: c"` is TOML, `a: "b=c"` is YAML.
            Some(line) if line.find(['=', ':']).is_some_and(|at| line.as_bytes().get(at) == Some(&b'=')) => {
                Self::Toml
            }
            _ => Self::Yaml,
        }
    }
}

/// `scheme://`, whatever the scheme.
fn is_uri(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b))
    })
}

/// What is wrong with a document, without any part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Continues a sentence that begins with where the document came from.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

impl Fault {
    fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }

    /// `line` and `column` count from 1.
    fn at(line: usize, column: usize, what: impl std::fmt::Display, next: impl Into<String>) -> Self {
        Self::new(format!("{what} at line {line}, column {column}"), next)
    }
}

/// The document as the component reads it. `format` is what the file's extension says, if it says anything.
///
/// # Errors
/// Says the place and what is wrong there, and quotes nothing.
pub fn to_document(text: &str, format: Option<Format>) -> Result<Zeroizing<String>, Fault> {
    let text = text.trim_start_matches('\u{feff}');
    // A URI is one in a file of any name.
    let format =
        if is_uri(text.trim_start()) { Format::Uri } else { format.unwrap_or_else(|| Format::of_text(text)) };
    match format {
        Format::Json | Format::Uri => Ok(Zeroizing::new(text.to_owned())),
        Format::Yaml => Ok(yaml::read(text)?.to_json()),
        Format::Toml => Ok(toml::read(text)?.to_json()),
    }
}

/// A JSON object that may hold secrets: its texts are wiped on drop, and it has no `Debug`.
struct Tree(Map<String, Value>);

impl Tree {
    fn object(&self) -> &Map<String, Value> {
        &self.0
    }

    fn to_json(&self) -> Zeroizing<String> {
        // Writing JSON values as JSON cannot fail.
        Zeroizing::new(serde_json::to_string(&self.0).unwrap_or_default())
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_tells_the_form() {
        for (text, format) in [
            ("{\"a\": 1}", Format::Json),
            ("  \n{", Format::Json),
            ("openai://:x@host", Format::Uri),
            ("google-cloud_platform://?a=b", Format::Uri),
            ("a = 'x: y'", Format::Toml),
            ("# c\n\n[source]\ntype = 'x'", Format::Toml),
            ("a: 'x = y'", Format::Yaml),
            ("---\na: b", Format::Yaml),
            ("# a = b\na: b", Format::Yaml),
            ("base_url: https://x", Format::Yaml),
            ("", Format::Yaml),
        ] {
            assert_eq!(Format::of_text(text), format, "{text}");
        }
    }

    #[test]
    fn an_extension_counts_unless_it_is_a_uri_all_the_same() {
        assert_eq!(*to_document("a = 1", Some(Format::Toml)).unwrap(), r#"{"a":1}"#);
        assert!(to_document("a = 1", Some(Format::Yaml)).is_err());
        assert_eq!(*to_document("\u{feff}openai://x\n", Some(Format::Yaml)).unwrap(), "openai://x\n");
    }
}
