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
        let allowed = AllowList::new(self)?;
        let mut beyond = Vec::new();
        for endpoint in &requirements.endpoints {
            if !allowed.covers(endpoint) {
                beyond.push(endpoint.to_string());
            }
        }
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
        if requirements.client_certificate.is_some()
            && requirements.client_certificate != self.client_certificate
        {
            let wanted = requirements.client_certificate.iter();
            beyond.extend(wanted.map(|certificate| format!("the client certificate {certificate}")));
        }
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
}
