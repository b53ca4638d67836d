//! A connection document as the component understood it: what a person wants to see before anything is granted.
//!
//! The records mirror `wit/types.wit` one to one; they exist so that callers depend on plain data and not on generated
//! bindings.

use serde::{Deserialize, Serialize};

/// A connection document as it was understood. Computed without any I/O.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// How the document is written: `native`, `airflow-uri`, `airflow-json`, `environment`, `okta`.
    pub dialect: String,
    /// In the order of the native document.
    pub settings: Vec<Setting>,
    /// Empty when nothing is doubtful.
    pub warnings: Vec<Warning>,
    /// What a host has to grant.
    pub requirements: Requirements,
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// Dotted name in the words of the native document, such as `source.token_file_path`.
    pub name: String,
    /// The value. A secret is given as its shape (`secret, 51 characters`).
    pub value: String,
    /// `document`, `default`, or the name of a variable.
    pub origin: String,
}

/// Something that works, but probably not as its author hopes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Warning {
    /// Stable, kebab-case.
    pub code: String,
    /// For people: what was found, and what to write instead.
    pub message: String,
}

/// Everything outside itself that a connection will ever ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirements {
    /// Requests that may be sent.
    pub endpoints: Vec<Endpoint>,
    /// Files that may be read, as the document spells them.
    pub files: Vec<String>,
    /// Environment variables whose values the component wants to be given.
    pub variables: Vec<String>,
    /// To be presented in the TLS handshake with each of `endpoints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
    /// A further component, which gives identity tokens (the source `custom`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceComponent>,
}

/// A certificate and its private key, which the host presents: the component sees neither.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// PEM, the certificate first, then those that lead to the root. As the document spells it.
    pub certificate_file: String,
    /// PEM: PKCS #8, PKCS #1 or SEC 1, not encrypted. As the document spells it.
    pub private_key_file: String,
}

impl std::fmt::Display for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with the key {}", self.certificate_file, self.private_key_file)
    }
}

/// A component that gives identity tokens, and all that it may reach. Nothing of that is open to the provider, and nothing
/// of the provider's is open to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceComponent {
    /// Its file, as the document spells it.
    pub path: String,
    /// Requests that it may send.
    pub endpoints: Vec<Endpoint>,
    /// Files that it may read, as the document spells them.
    pub files: Vec<String>,
    /// Environment variables that it may see: hand them over with
    /// [`Variables::with_source`](crate::Variables::with_source).
    pub variables: Vec<String>,
}

impl SourceComponent {
    /// What it may reach, as requirements of its own.
    #[must_use]
    pub fn requirements(&self) -> Requirements {
        let Self { endpoints, files, variables, .. } = self.clone();
        Requirements { endpoints, files, variables, ..Requirements::default() }
    }
}

/// A place on the network: one method on one URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Upper case: `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// Absolute, without query or fragment. A last segment `*` stands for one that only the other side knows.
    pub url: String,
}

impl Endpoint {
    /// One method on one URL.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into() }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}
