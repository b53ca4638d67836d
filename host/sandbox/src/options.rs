//! What a sandbox is like at its start.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::exchange::refusal::ErrorShape;
use crate::service::ServiceName;

/// How to start a sandbox. The default suits almost everybody: `Options { access_token_lifetime, ..Default::default() }`.
#[derive(Debug, Clone)]
pub struct Options {
    /// TCP ports by party. Absent or 0: the operating system chooses.
    pub ports: BTreeMap<ServiceName, u16>,
    /// TCP port of the admin endpoint. 0: the operating system chooses.
    pub admin_port: u16,
    /// DNS names for the certificate beside `localhost` and the names that the sandbox plays anyway.
    pub extra_names: Vec<String>,
    /// Kubernetes namespace of the workload.
    pub namespace: String,
    /// Kubernetes service account of the workload.
    pub service_account: String,
    /// `aud` of projected tokens, and the only one that the token endpoint accepts.
    pub audience: String,
    /// Lifetime of projected tokens.
    pub subject_lifetime: Duration,
    /// The identity provider of the cluster, `idp_...`. The other platforms' are called `idp_..._azure` and so on.
    pub identity_provider_id: String,
    /// Who may have which service account. Empty: the workload named above and those of the
    /// other platforms may have [`Options::service_account_id`].
    pub mappings: Vec<Mapping>,
    /// The service account that the ready-made documents ask for, `svc_acct_...`.
    pub service_account_id: String,
    /// Lifetime of access tokens, before it is capped by the remaining life of the subject token. Whole seconds.
    pub access_token_lifetime: Duration,
    /// Length of access tokens in characters, at least 43 (256 random bits).
    pub access_token_length: usize,
    /// `scope` of the token endpoint's answers; none leaves the field out, as for a mapping without permissions.
    pub scope: Option<String>,
    /// How the token endpoint words a refusal.
    pub error_shape: ErrorShape,
    /// Whether the token endpoint tolerates `client_id`, which some SDKs can send and the documentation does not mention.
    pub accept_client_id: bool,
    /// Pause between two events of a streamed answer.
    pub stream_pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ports: BTreeMap::new(),
            admin_port: 0,
            extra_names: Vec::new(),
            namespace: "default".to_owned(),
            service_account: "app".to_owned(),
            audience: "https://api.openai.com/v1".to_owned(),
            subject_lifetime: Duration::from_secs(3_600),
            identity_provider_id: "idp_sandbox".to_owned(),
            mappings: Vec::new(),
            service_account_id: "svc_acct_sandbox".to_owned(),
            access_token_lifetime: Duration::from_secs(3_600),
            access_token_length: 1_200,
            scope: Some("api.model.read api.model.request".to_owned()),
            error_shape: ErrorShape::Flat,
            accept_client_id: true,
            stream_pause: Duration::from_millis(20),
        }
    }
}

impl Options {
    /// `sub` of the workload's tokens, as Kubernetes spells it.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.service_account)
    }

    /// `subject` is the workload's, as the provider at hand spells it.
    pub(crate) fn effective_mappings(&self, subject: &str) -> Vec<Mapping> {
        if !self.mappings.is_empty() {
            return self.mappings.clone();
        }
        vec![Mapping {
            service_account_id: self.service_account_id.clone(),
            subject: subject.to_owned(),
            enabled: true,
        }]
    }
}

/// "This identity may have that service account."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// `svc_acct_...`
    pub service_account_id: String,
    /// The `sub` that matches: exactly, or with a trailing `*` by what comes before it.
    pub subject: String,
    /// A disabled mapping matches nobody.
    pub enabled: bool,
}

impl Mapping {
    /// Whether a token with this `sub` fits.
    #[must_use]
    pub fn admits(&self, subject: &str) -> bool {
        match self.subject.strip_suffix('*') {
            Some(prefix) => subject.starts_with(prefix),
            None => subject == self.subject,
        }
    }
}
