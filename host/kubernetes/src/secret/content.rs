//! What is to stand in the Secret.

use std::collections::BTreeMap;
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::OWNED;
use crate::{Fault, ObjectName};

/// Which Secret, and how it is dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub secret: ObjectName,
    /// Its keys: what [`Content::values`] will have.
    pub keys: Vec<String>,
    /// Set on it beside our own.
    pub labels: BTreeMap<String, String>,
    /// Take fields over that others hold.
    pub force: bool,
    /// Take a Secret over that is not ours.
    pub adopt: bool,
}

/// A credential, as it is to stand in the Secret. Holds secrets, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// By key.
    pub values: BTreeMap<String, Zeroizing<String>>,
    /// Counts the credentials of one connection.
    pub generation: u64,
    /// When its successor becomes due. `None`: never.
    pub renew_at: Option<SystemTime>,
    /// When it ends. `None`: it does not.
    pub expires_at: Option<SystemTime>,
}

impl Target {
    /// Checks keys and labels before anything is asked.
    ///
    /// # Errors
    /// `secret-key` and `secret-label` for what Kubernetes would refuse, or what is ours to set.
    pub fn check(&self) -> Result<(), Fault> {
        for key in &self.keys {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if key.is_empty() || key.len() > 253 || key == "." || key == ".." || !key.bytes().all(allowed) {
                return Err(Fault::invalid(
                    "secret-key",
                    format!("a key of the Secret is not one ({} characters)", key.chars().count()),
                    "write letters, digits, hyphens, underscores and dots",
                ));
            }
        }
        match self.labels.keys().find(|label| *label == OWNED.0) {
            Some(label) => Err(Fault::invalid(
                "secret-label",
                format!("the label {label} is set by keyless itself"),
                "leave it out",
            )),
            None => Ok(()),
        }
    }
}
