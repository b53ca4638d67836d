//! What a connection is and needs, told without doing anything.

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use crate::error::one_line;
use crate::secret::Secret;

/// A connection document as it was understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the native document.
    pub settings: Vec<Setting>,
    /// What works but is doubtful.
    pub warnings: Vec<Warning>,
    /// What a host has to grant.
    pub requirements: Requirements,
}

/// A setting as it was understood. A secret is shown as its shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Dotted, in the words of the native document.
    pub name: String,
    /// For people.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Written in the document.
    Document,
    /// Nobody said anything else.
    Default,
    /// An environment variable.
    Variable(String),
}

impl Origin {
    /// As the contract spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Document => "document",
            Self::Default => "default",
            Self::Variable(name) => name,
        }
    }
}

/// Something that works, but probably not as its author hopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// For people. Holds no secret.
    pub message: String,
}

impl Warning {
    /// `message` says what was found and what to write instead.
    pub fn new(code: &'static str, message: impl fmt::Display) -> Self {
        Self::of(code, &message)
    }

    #[inline(never)]
    fn of(code: &'static str, message: &dyn fmt::Display) -> Self {
        Self { code, message: one_line(message.to_string()) }
    }
}

/// Everything outside itself that a connection will ever ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// Method and URL without query.
    pub endpoints: Vec<Endpoint>,
    /// Paths as the document spells them.
    pub files: Vec<String>,
    /// Names.
    pub variables: Vec<String>,
    /// To be presented to each of `endpoints`.
    pub client_certificate: Option<ClientCertificate>,
    /// The component that gives identity tokens, if one does.
    pub source_component: Option<SourceComponent>,
}

/// A certificate and its key, which the host presents in the TLS handshake: neither gets to the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// PEM, the certificate first, then those that lead to the root. As the document spells it.
    pub certificate_file: String,
    /// PEM. As the document spells it.
    pub private_key_file: String,
}

/// A component that gives identity tokens, and all that it may reach. None of that is open to the connection itself, and
/// nothing of the connection's is open to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceComponent {
    /// Its file, as the document spells it.
    pub path: String,
    /// Method and URL without query.
    pub endpoints: Vec<Endpoint>,
    /// Paths as the document spells them.
    pub files: Vec<String>,
    /// Names.
    pub variables: Vec<String>,
}

/// A place on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Upper case.
    pub method: &'static str,
    /// Absolute, without query or fragment. A last segment `*` stands for one that only the other side knows.
    pub url: String,
}

impl Plan {
    /// A setting with its origin.
    pub fn set(&mut self, name: &str, value: impl Into<String>, origin: Origin) {
        self.settings.push(Setting { name: name.to_owned(), value: value.into(), origin });
    }

    /// A setting that the document may have made: `None` is not shown.
    pub fn set_if(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.set(name, value, Origin::Document);
        }
    }

    /// A setting that the document may have made, else its default.
    pub fn set_or(&mut self, name: &str, value: Option<&str>, default: &str) {
        let origin = if value.is_some() { Origin::Document } else { Origin::Default };
        self.set(name, value.unwrap_or(default), origin);
    }

    /// The shape of a secret.
    pub fn set_secret(&mut self, name: &str, secret: &Secret, origin: Origin) {
        self.set(name, secret.shape(), origin);
    }

    /// A request that will be sent.
    pub fn needs_endpoint(&mut self, method: &'static str, url: &str) {
        self.requirements.endpoints.push(Endpoint { method, url: url.to_owned() });
    }

    /// A file that will be read.
    pub fn needs_file(&mut self, path: &str) {
        self.requirements.files.push(path.to_owned());
    }

    /// A component that will be asked for identity tokens.
    pub fn needs_source(&mut self, component: SourceComponent) {
        self.requirements.source_component = Some(component);
    }

    /// Something doubtful.
    pub fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }
}
