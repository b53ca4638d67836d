//! `keyless.toml`: connections with names, and whatever else stands beside them.
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

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::{Fault, toml};

/// Connections with names. Holds documents, so it has no `Debug`.
#[derive(Default)]
pub struct Names {
    documents: BTreeMap<String, Zeroizing<String>>,
    default: Option<String>,
    others: Map<String, Value>,
}

/// Connections with names, the broken ones among them. Holds documents, so it has no `Debug`.
#[derive(Default)]
pub struct Survey {
    each: BTreeMap<String, Result<Zeroizing<String>, Fault>>,
    default: Option<String>,
    others: BTreeMap<String, Option<Value>>,
}

/// The keys that are understood here.
pub const KEYS: [&str; 2] = ["connections", "default"];

/// Names of connections: letters, digits, `_` and `-`. No document looks like that.
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

impl Names {
    /// Reads the text of a `keyless.toml`.
    ///
    /// # Errors
    /// Says the place, or the name of the connection, and what is wrong there, and quotes no value.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let tree = toml::read(text)?;
        let mut read = Self::default();
        for (key, value) in tree.object() {
            match (key.as_str(), value) {
                ("connections", Value::Object(connections)) => {
                    for (name, value) in connections {
                        read.documents.insert(name.clone(), document(name, value)?);
                    }
                }
                ("connections", _) => {
                    return Err(Fault::new(
                        "has `connections` that is not a table",
                        "write [connections.NAME]",
                    ));
                }
                ("default", Value::String(name)) => read.default = Some(name.clone()),
                ("default", _) => {
                    return Err(Fault::new("has a `default` that is not text", "write default = \"NAME\""));
                }
                (other, value) => {
                    read.others.insert(other.to_owned(), value.clone());
                }
            }
        }
        Ok(read)
    }

    /// Reads the text of a `keyless.toml` as far as it can be: a connection that is wrong does not hide the others.
    ///
    /// # Errors
    /// When the text is not TOML.
    pub fn survey(text: &str) -> Result<Survey, Fault> {
        let mut survey = Survey::default();
        let (inside, beside) = toml::read_each(text, "connections")?;
        for (name, value) in inside {
            let document = value.and_then(|value| document(&name, &value));
            survey.each.insert(name, document);
        }
        for (key, value) in beside {
            match value {
                Ok(Value::String(name)) if key == "default" => survey.default = Some(name),
                value => {
                    survey.others.insert(key, value.ok());
                }
            }
        }
        Ok(survey)
    }

    /// The document of that name, as the component reads it.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<&Zeroizing<String>> {
        self.documents.get(name)
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// What `default` says, whether or not there is such a name.
    #[must_use]
    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// What stands at the top beside [`KEYS`]: tables of other readers, or mistakes.
    #[must_use]
    pub fn others(&self) -> &Map<String, Value> {
        &self.others
    }
}

impl Survey {
    /// Every name, sorted, with its document or what is wrong with it.
    pub fn each(&self) -> impl Iterator<Item = (&str, Result<&Zeroizing<String>, &Fault>)> {
        self.each.iter().map(|(name, document)| (name.as_str(), document.as_ref()))
    }

    /// What `default` says, whether or not there is such a name.
    #[must_use]
    pub fn default_name(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// What stands at the top beside connections and default; `None` for what JSON cannot express.
    #[must_use]
    pub fn others(&self) -> &BTreeMap<String, Option<Value>> {
        &self.others
    }
}

/// Text as it stands, a table as JSON.
fn document(name: &str, value: &Value) -> Result<Zeroizing<String>, Fault> {
    if !is_name(name) {
        return Err(Fault::new(
            "has a connection whose name is not made of letters, digits, _ and -",
            "rename it",
        ));
    }
    match value {
        Value::String(text) => Ok(Zeroizing::new(text.clone())),
        Value::Object(_) => Ok(Zeroizing::new(value.to_string())),
        _ => Err(Fault::new(
            format!("has a connection `{name}` that is neither a table nor text"),
            "write [connections.NAME] and the document below it, or NAME = \"openai://...\"",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_from_a_document() {
        for name in ["prod", "prod-1", "A_b"] {
            assert!(is_name(name), "{name}");
        }
        for other in ["", "{}", "openai://", "@x", "a.b", "a b", "ä"] {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn a_table_becomes_json_and_text_stays() {
        let names = "x = 1\ndefault = 'b'\n[connections]\na = 'openai://h'\nb.api_key = 'k'";
        let names = Names::read(names).unwrap_or_else(|fault| panic!("{fault:?}"));
        let text = |name: &str| names.document(name).map(|text| text.to_string());
        assert_eq!(text("a").as_deref(), Some("openai://h"));
        assert_eq!(text("b").as_deref(), Some(r#"{"api_key":"k"}"#));
        assert_eq!(text("c"), None);
        assert_eq!(names.default_name(), Some("b"));
        assert_eq!(names.others().iter().collect::<Vec<_>>(), [(&"x".to_owned(), &Value::from(1))]);
        assert_eq!(names.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_broken_connection_does_not_hide_the_others() {
        let text = "since = 07:30:00\n[connections]\na = 1\n'b c' = {}\nd = 'openai://h'\n[connections.e]\nat = 07:30:00\n";
        assert!(Names::read(text).is_err());
        let survey = Names::survey(text).unwrap();
        let faults: Vec<_> = survey.each().map(|(name, document)| (name, document.is_ok())).collect();
        assert_eq!(faults, [("a", false), ("b c", false), ("d", true), ("e", false)]);
        assert_eq!(survey.others().get("since"), Some(&None));
        assert!(Names::survey("a = ").is_err());
    }

    #[test]
    fn a_fault_quotes_no_value() {
        for text in [
            "connections = 'canary'",
            "default = ['canary']",
            "[connections]\n'canary!' = 1",
            "[connections]\na = ['canary']",
        ] {
            let fault = Names::read(text).err().unwrap();
            assert!(!fault.what.contains("canary"), "{fault:?}");
        }
    }
}
