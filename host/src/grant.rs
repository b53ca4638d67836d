//! What the host allows. Never widened by the component: the sender and the preopened directories are built from here.

use std::collections::BTreeSet;

use crate::sender::AllowList;
use crate::{ClientCertificate, Endpoint, Error, Plan, Requirements};

/// What a connection may do: the requests it may send, the files it may read, the variables it may be given.
///
/// ```
/// use keyless::{Endpoint, Grant};
///
/// let grant = Grant::none()
///     .endpoint(Endpoint::new("POST", "https://auth.openai.com/oauth/token"))
///     .file("/var/run/secrets/openai/token");
/// assert_eq!(grant.endpoints().count(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    endpoints: BTreeSet<Endpoint>,
    files: BTreeSet<String>,
    variables: BTreeSet<String>,
    client_certificate: Option<ClientCertificate>,
    source: Option<Box<SourceGrant>>,
}

/// The component that gives identity tokens (the source `custom`), and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceGrant {
    path: String,
    sha256: Option<String>,
    grant: Grant,
}

impl SourceGrant {
    /// The component in that file, spelt as the document spells it, whatever stands in it, with this grant of its own.
    #[must_use]
    pub fn new(path: impl Into<String>, grant: Grant) -> Self {
        Self { path: path.into(), sha256: None, grant }
    }

    /// Only the file with this SHA-256, in lower-case hex.
    #[must_use]
    pub fn pinned(self, sha256: impl Into<String>) -> Self {
        Self { sha256: Some(sha256.into()), ..self }
    }

    /// The file, as the document spells it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The SHA-256 that it must have, if any.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.sha256.as_deref()
    }

    /// What it may do.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.grant
    }
}

impl Grant {
    /// Nothing is allowed: enough for a static API key.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Exactly what a plan asks for.
    #[must_use]
    pub fn for_plan(plan: &Plan) -> Self {
        Self::for_requirements(&plan.requirements)
    }

    /// Exactly these requirements.
    #[must_use]
    pub fn for_requirements(requirements: &Requirements) -> Self {
        Self {
            endpoints: requirements.endpoints.iter().cloned().collect(),
            files: requirements.files.iter().cloned().collect(),
            variables: requirements.variables.iter().cloned().collect(),
            client_certificate: requirements.client_certificate.clone(),
            source: requirements.source.as_ref().map(|source| {
                Box::new(SourceGrant::new(&source.path, Self::for_requirements(&source.requirements())))
            }),
        }
    }

    /// Also allows one method on one URL.
    #[must_use]
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.insert(endpoint);
        self
    }

    /// Also allows to read a file. `path` must be spelt as the document spells it.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>) -> Self {
        self.files.insert(path.into());
        self
    }

    /// Also allows to be given the value of a variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>) -> Self {
        self.variables.insert(name.into());
        self
    }

    /// Also has a client certificate presented to every endpoint of this grant. The component sees neither file.
    #[must_use]
    pub fn present(mut self, certificate: ClientCertificate) -> Self {
        self.client_certificate = Some(certificate);
        self
    }

    /// What is presented to every endpoint.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&ClientCertificate> {
        self.client_certificate.as_ref()
    }

    /// Also allows to ask a component for identity tokens.
    #[must_use]
    pub fn source(mut self, source: SourceGrant) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// The component that may be asked for identity tokens.
    #[must_use]
    pub fn source_component(&self) -> Option<&SourceGrant> {
        self.source.as_deref()
    }

    /// As much of this grant as is required, which has to be covered; a pinned component stays pinned.
    ///
    /// # Errors
    /// As [`covers`](Self::covers).
    pub fn narrowed(&self, requirements: &Requirements) -> Result<Self, Error> {
        self.covers(requirements)?;
        let mut narrowed = Self::for_requirements(requirements);
        if let (Some(source), Some(granted)) = (&mut narrowed.source, &self.source) {
            source.sha256.clone_from(&granted.sha256);
        }
        Ok(narrowed)
    }

    /// Requests that may be sent, sorted.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter()
    }

    /// Files that may be read, sorted.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Variables that may be handed over, sorted.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(String::as_str)
    }

    /// Whether everything required is granted. Endpoints are compared as URLs, so `https://a.example:443/x` is
    /// `https://A.example/x`; files and variables are compared as written.
    ///
    /// # Errors
    /// `grant-exceeded` ([`ErrorKind::Denied`](crate::ErrorKind::Denied)), naming everything that is beyond the grant;
    /// `grant-endpoint-invalid` or `grant-endpoint-insecure` when the grant itself holds what can never be allowed.
    pub fn covers(&self, requirements: &Requirements) -> Result<(), Error> {
        let beyond = self.beyond(requirements)?;
        if beyond.is_empty() {
            return Ok(());
        }
        Err(Error::denied(
            "grant-exceeded",
            format!(
                "the document needs more than is granted: {}; if that is intended, extend the grant (write the lock \
                 file anew), else correct the document",
                beyond.join(", ")
            ),
        ))
    }

    /// What is required and not granted, for people.
    fn beyond(&self, requirements: &Requirements) -> Result<Vec<String>, Error> {
        let allowed = AllowList::new(self)?;
        let endpoints = requirements.endpoints.iter().filter(|endpoint| !allowed.covers(endpoint));
        let mut beyond: Vec<_> = endpoints.map(ToString::to_string).collect();
        beyond.extend(
            requirements.files.iter().filter(|f| !self.files.contains(*f)).map(|f| format!("the file {f}")),
        );
        beyond.extend(
            requirements
                .variables
                .iter()
                .filter(|v| !self.variables.contains(*v))
                .map(|v| format!("the variable {v}")),
        );
        let certificate = requirements.client_certificate.iter();
        beyond.extend(
            certificate
                .filter(|certificate| self.client_certificate.as_ref() != Some(certificate))
                .map(|certificate| format!("the client certificate {certificate}")),
        );
        if let Some(wanted) = &requirements.source {
            match self.source.as_ref().filter(|source| source.path == wanted.path) {
                Some(source) => {
                    let more = source.grant.beyond(&wanted.requirements())?;
                    beyond
                        .extend(more.iter().map(|more| format!("{more} for the component {}", wanted.path)));
                }
                None => beyond.push(format!("the component {}", wanted.path)),
            }
        }
        Ok(beyond)
    }
}
