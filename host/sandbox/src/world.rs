//! The state that the parties share, and what can be done to it while they run.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ring::error::Unspecified;
use rustls::ClientConfig;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::aws::STS_AUDIENCE;
use crate::aws::keys::AccessKeys;
use crate::client_certificates::ClientCertificates;
use crate::clock::Clock;
use crate::documents::Documents;
use crate::exchange::TOKEN_PATH;
use crate::exchange::refusal::ErrorShape;
use crate::faults::Faults;
use crate::issuer::claims::{Claims, Pod};
use crate::issuer::keys::KeyRing;
use crate::ledger::Ledger;
use crate::lock::lock;
use crate::openai_admin::PROJECT_ID;
use crate::openai_admin::admin_key::AdminKey;
use crate::openai_admin::service_accounts::ServiceAccounts;
use crate::options::Options;
use crate::platform::{Platform, Platforms};
use crate::service::ServiceName;
use crate::tokens::Tokens;
use crate::volume::Volume;

/// Everything that outlives a request.
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) addresses: Addresses,
    pub(crate) ca_pem: String,
    /// Trusts the sandbox's own authority.
    pub(crate) tls_client: Arc<ClientConfig>,
    pub(crate) clock: Clock,
    /// The cluster's.
    pub(crate) keys: KeyRing,
    pub(crate) platforms: Platforms,
    pub(crate) pod: Pod,
    pub(crate) volume: Volume,
    /// A second one, with tokens for AWS alone, as EKS mounts it.
    pub(crate) aws_volume: Volume,
    /// A third one, with JWT-SVIDs, as spiffe-helper keeps it.
    pub(crate) svid_volume: Volume,
    /// OpenAI's.
    pub(crate) tokens: Tokens,
    pub(crate) anthropic: Tokens,
    /// Opens OpenAI's Admin API.
    pub(crate) admin_key: AdminKey,
    /// Made by OpenAI's Admin API.
    pub(crate) service_accounts: ServiceAccounts,
    /// The workload's, for those who want one.
    pub(crate) client_certificates: ClientCertificates,
    /// Sessions with EC2's metadata service.
    pub(crate) instance_sessions: Tokens,
    pub(crate) access_keys: AccessKeys,
    pub(crate) ledger: Ledger,
    pub(crate) faults: Faults,
    pub(crate) settings: Settings,
    pub(crate) shutdown: CancellationToken,
}

/// What may change while the sandbox runs.
pub(crate) struct Settings {
    access_token_lifetime_s: AtomicU64,
    error_shape: Mutex<ErrorShape>,
}

impl Settings {
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            access_token_lifetime_s: AtomicU64::new(options.access_token_lifetime.as_secs()),
            error_shape: Mutex::new(options.error_shape),
        }
    }
}

impl World {
    /// Signs a token now.
    pub(crate) fn issue(&self, claims: &Claims) -> Result<String, Unspecified> {
        let payload = claims.payload(&self.addresses.issuer(), self.clock.now_s(), &self.pod)?;
        let key = self.keys.current();
        key.sign(&json!({"alg": self.keys.curve().algorithm(), "kid": key.kid()}), &payload)
    }

    /// Puts a fresh token into the volume, one that differs in its audience alone into AWS's, and a JWT-SVID into SPIFFE's.
    pub(crate) fn rotate_token(&self, claims: &Claims) -> io::Result<()> {
        let for_aws = Claims { audience: vec![STS_AUDIENCE.to_owned()], ..claims.clone() };
        self.aws_volume.write(self.issue(&for_aws).map_err(io::Error::other)?.as_bytes())?;
        let audience = json!(claims.audience);
        let svid = self.issue_as(Platform::Spiffe, &audience, claims.lifetime.as_secs(), json!({}));
        self.svid_volume.write(svid.map_err(io::Error::other)?.token.as_bytes())?;
        let token = self.issue(claims).map_err(io::Error::other)?;
        self.volume.write(token.as_bytes())
    }

    pub(crate) fn access_token_lifetime(&self) -> Duration {
        Duration::from_secs(self.settings.access_token_lifetime_s.load(Ordering::Relaxed))
    }

    /// For tokens issued from now on.
    pub(crate) fn set_access_token_lifetime(&self, lifetime: Duration) {
        self.settings.access_token_lifetime_s.store(lifetime.as_secs(), Ordering::Relaxed);
    }

    /// Takes back one of OpenAI's tokens, or all of OpenAI's and Anthropic's. Says how many that ended.
    pub(crate) fn revoke(&self, generation: Option<u64>) -> usize {
        let others = if generation.is_none() { self.anthropic.revoke(None) } else { 0 };
        self.tokens.revoke(generation) + others
    }

    pub(crate) fn error_shape(&self) -> ErrorShape {
        *lock(&self.settings.error_shape)
    }

    pub(crate) fn set_error_shape(&self, shape: ErrorShape) {
        *lock(&self.settings.error_shape) = shape;
    }

    pub(crate) fn documents(&self) -> Documents {
        Documents::of(self)
    }

    /// All that the admin endpoint shows. The only secrets are the sandbox's own, inside the documents.
    pub(crate) fn state(&self) -> Value {
        let per_service = |show: &dyn Fn(ServiceName) -> Value| -> Value {
            ServiceName::ALL
                .iter()
                .map(|name| (name.as_str().to_owned(), show(*name)))
                .collect::<Map<_, _>>()
                .into()
        };
        json!({
            "now_ms": self.clock.now_ms(),
            "addresses": {
                "issuer": self.addresses.issuer(),
                "token_endpoint": self.addresses.token_endpoint(),
                "base_url": self.addresses.base_url(),
                "admin": self.addresses.admin(),
                "token_file": self.volume.token_path(),
                "openai_admin_key_file": self.admin_key.file(),
                "services": per_service(&|name| self.addresses.url(name).into()),
            },
            "ports": per_service(&|name| self.addresses.port(name).into()),
            "keys": self.keys.kids(),
            "openai_project_id": PROJECT_ID,
            "service_accounts": self.service_accounts.record(),
            "access_token_lifetime_seconds": self.access_token_lifetime().as_secs(),
            "last_generation": self.tokens.last_generation(),
            "error_shape": self.error_shape(),
            "faults": self.faults.snapshot(),
            "counters": per_service(&|name| json!(self.ledger.counters(name))),
            "requests": per_service(&|name| json!(self.ledger.records(name))),
            "documents": self.documents(),
        })
    }
}

/// Where everything listens.
pub(crate) struct Addresses {
    pub(crate) ports: BTreeMap<ServiceName, u16>,
    pub(crate) admin_port: u16,
}

impl Addresses {
    pub(crate) fn port(&self, service: ServiceName) -> u16 {
        self.ports.get(&service).copied().unwrap_or(0)
    }

    pub(crate) fn issuer(&self) -> String {
        self.url(ServiceName::Issuer)
    }

    pub(crate) fn issuer_of(&self, platform: Platform) -> String {
        format!("{}/{}", self.issuer(), platform.as_str())
    }

    pub(crate) fn token_endpoint(&self) -> String {
        format!("{}{TOKEN_PATH}", self.url(ServiceName::Exchange))
    }

    pub(crate) fn base_url(&self) -> String {
        format!("{}/v1", self.url(ServiceName::Upstream))
    }

    pub(crate) fn admin(&self) -> String {
        format!("http://localhost:{}", self.admin_port)
    }

    /// The root of a party, without a trailing slash.
    pub(crate) fn url(&self, service: ServiceName) -> String {
        let scheme = if service.encrypted() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.port(service))
    }
}
