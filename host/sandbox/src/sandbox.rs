//! Starting and stopping the sandbox, and everything that can be done to it from Rust.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Admin;
use crate::announce::announce;
use crate::aws::keys::AccessKeys;
use crate::client_certificates::ClientCertificates;
use crate::clock::Clock;
use crate::documents::Documents;
use crate::exchange::refusal::ErrorShape;
use crate::faults::{Fault, Faults};
use crate::front::Front;
use crate::issuer::claims::{Claims, Pod};
use crate::issuer::curve::Curve;
use crate::issuer::keys::KeyRing;
use crate::ledger::{Counters, Ledger, RequestRecord};
use crate::listen::Port;
use crate::openai_admin::admin_key::AdminKey;
use crate::openai_admin::service_accounts::ServiceAccounts;
use crate::options::Options;
use crate::platform::Platforms;
use crate::service::{ServiceName, roster};
use crate::tls::Authority;
use crate::tokens::Tokens;
use crate::volume::Volume;
use crate::world::{Addresses, Settings, World};

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port is taken or not allowed.
    #[error("port {port} for the {service} cannot be used: {source}; choose another, or 0 for any free one")]
    Port {
        /// The party, as [`ServiceName::as_str`] spells it, or `admin`.
        service: &'static str,
        /// As asked for; 0 means any.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The temporary directory could not be made or filled.
    #[error("the sandbox's directory cannot be used: {0}; check TMPDIR")]
    Directory(#[from] io::Error),
    /// A certificate could not be made, for a malformed extra name most likely.
    #[error("TLS cannot be set up: {0}; check the extra names")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system gave no random numbers.
    #[error("keys cannot be made: the operating system gave no random numbers")]
    Random,
}

impl From<ring::error::Unspecified> for Error {
    fn from(_: ring::error::Unspecified) -> Self {
        Self::Random
    }
}

/// A running sandbox. It stops when it is dropped; [`Sandbox::stop`] also waits until it has stopped.
pub struct Sandbox {
    pub(crate) world: Arc<World>,
    directory: TempDir,
    tasks: TaskTracker,
}

impl Sandbox {
    /// Starts every party. Needs a Tokio runtime with time and I/O; when this returns, all ports answer.
    ///
    /// # Errors
    /// A port, the temporary directory, a certificate name or the random number source cannot be used.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let mut ports = Vec::new();
        for name in ServiceName::ALL {
            let wanted = options.ports.get(&name).copied().unwrap_or(0);
            ports.push((name, bind(name.as_str(), wanted).await?));
        }
        let admin_port = bind("admin", options.admin_port).await?;

        let tls = |error| Error::Tls(Box::new(error));
        let authority = Authority::new().map_err(tls)?;
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(&options.extra_names).map_err(tls)?));
        let private = fs::Permissions::from_mode(0o700);
        let directory = tempfile::Builder::new().prefix("keyless-sandbox-").permissions(private).tempdir()?;
        fs::write(directory.path().join("ca.pem"), authority.pem())?;

        let client_certificates =
            ClientCertificates::create(directory.path().join("client-certificate")).map_err(tls)?;
        client_certificates.rotate()?;
        let for_clients =
            authority.server_for(client_certificates.authority(), &options.extra_names).map_err(tls)?;
        let for_clients = TlsAcceptor::from(Arc::new(for_clients));

        let world = Arc::new(World {
            client_certificates,
            addresses: Addresses {
                ports: ports.iter().map(|(name, port)| (*name, port.number())).collect::<BTreeMap<_, _>>(),
                admin_port: admin_port.number(),
            },
            ca_pem: authority.pem(),
            tls_client: Arc::new(authority.client().map_err(tls)?),
            clock: Clock::default(),
            keys: KeyRing::new(Curve::P256)?,
            platforms: Platforms::new()?,
            pod: Pod::new()?,
            volume: Volume::create(directory.path().join("tokens"))?,
            aws_volume: Volume::create(directory.path().join("aws-tokens"))?,
            svid_volume: Volume::create(directory.path().join("svid"))?,
            instance_sessions: Tokens::new("", "")?,
            access_keys: AccessKeys::new()?,
            tokens: Tokens::new("sk-sandbox-", "")?,
            anthropic: Tokens::new("sk-ant-api03-sandbox-", "sk-ant-oat01-")?,
            admin_key: AdminKey::create(directory.path().join("openai-admin-key"))?,
            service_accounts: ServiceAccounts::new(),
            ledger: Ledger::new(),
            faults: Faults::default(),
            settings: Settings::of(&options),
            shutdown: CancellationToken::new(),
            options,
        });
        let sandbox = Self { world, directory, tasks: TaskTracker::new() };
        sandbox.rotate_token()?;

        let services: BTreeMap<_, _> = roster(&sandbox.world)?.into_iter().collect();
        for (name, port) in ports {
            if let Some(service) = services.get(&name) {
                let acceptor = if name == ServiceName::MutualTls { &for_clients } else { &acceptor };
                let front = Front::watched(name, Arc::clone(service), Arc::clone(&sandbox.world));
                port.serve(
                    front,
                    name.encrypted().then_some(acceptor),
                    &sandbox.world.shutdown,
                    &sandbox.tasks,
                );
            }
        }
        let admin = Front::plain(Arc::new(Admin::new(&sandbox.world)));
        admin_port.serve(admin, None, &sandbox.world.shutdown, &sandbox.tasks);
        Ok(sandbox)
    }

    /// Stops accepting, gives requests under way a moment, and returns when every task has ended and the directory is gone.
    pub async fn stop(self) {
        self.world.shutdown.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Until somebody asks for the end over the admin endpoint.
    pub async fn shutdown_requested(&self) {
        self.world.shutdown.cancelled().await;
    }

    /// The text that explains this sandbox to a person.
    #[must_use]
    pub fn announce(&self) -> String {
        announce(&self.world, &self.ca_path())
    }

    /// Connection documents, ready to paste.
    #[must_use]
    pub fn documents(&self) -> Documents {
        self.world.documents()
    }

    /// What `GET /state` of the admin endpoint shows.
    #[must_use]
    pub fn state(&self) -> Value {
        self.world.state()
    }
}

/// Where everything is.
impl Sandbox {
    /// The issuer, `https://localhost:PORT`, without a trailing slash.
    #[must_use]
    pub fn issuer_url(&self) -> String {
        self.world.addresses.issuer()
    }

    /// The token endpoint, `https://localhost:PORT/oauth/token`.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.world.addresses.token_endpoint()
    }

    /// The API, `https://localhost:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.world.addresses.base_url()
    }

    /// The admin endpoint, `http://localhost:PORT`.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.world.addresses.admin()
    }

    /// The root of a party, `https://localhost:PORT` or `http://localhost:PORT`.
    #[must_use]
    pub fn url(&self, service: ServiceName) -> String {
        self.world.addresses.url(service)
    }

    /// The TCP port of a party, on 127.0.0.1 and `::1`.
    #[must_use]
    pub fn port(&self, service: ServiceName) -> u16 {
        self.world.addresses.port(service)
    }

    /// The sandbox's own directory, removed at its end.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The certificate to trust, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.world.ca_pem
    }

    /// The file that holds [`Sandbox::ca_pem`].
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The projected volume.
    #[must_use]
    pub fn volume_path(&self) -> &Path {
        self.world.volume.root()
    }

    /// Where the workload's client certificate is, PEM.
    #[must_use]
    pub fn client_certificate_path(&self) -> PathBuf {
        self.world.client_certificates.certificate_file()
    }

    /// Where its key is, PEM.
    #[must_use]
    pub fn client_key_path(&self) -> PathBuf {
        self.world.client_certificates.private_key_file()
    }

    /// Puts a new certificate with a new key into place, both in one moment.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn rotate_client_certificate(&self) -> io::Result<()> {
        self.world.client_certificates.rotate()
    }

    /// The projected token in it.
    #[must_use]
    pub fn token_path(&self) -> PathBuf {
        self.world.volume.token_path()
    }

    /// A static key that Anthropic's API accepts, as `x-api-key`. A secret, if only the sandbox's.
    #[must_use]
    pub fn anthropic_api_key(&self) -> &str {
        self.world.anthropic.api_key()
    }

    /// A static key that the API accepts. A secret, if only the sandbox's.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.world.tokens.api_key()
    }
}

/// The cluster's side.
impl Sandbox {
    /// The claims of the workload's tokens, to be changed as a test needs.
    #[must_use]
    pub fn claims(&self) -> Claims {
        Claims::of_workload(&self.world.options)
    }

    /// Signs a token with the issuer's current key.
    ///
    /// # Errors
    /// The operating system gave no random numbers.
    pub fn issue(&self, claims: &Claims) -> Result<String, Error> {
        Ok(self.world.issue(claims)?)
    }

    /// Signs any header and payload with the issuer's current key: for tokens that no issuer would make.
    ///
    /// # Errors
    /// The operating system gave no random numbers.
    pub fn sign(&self, header: &Value, payload: &Value) -> Result<String, Error> {
        Ok(self.world.keys.current().sign(header, payload)?)
    }

    /// The names of the published keys, the signing one first.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.world.keys.kids()
    }

    /// A new key signs from now on; the old ones stay published, or are dropped. The token in the volume stays as it is.
    ///
    /// # Errors
    /// The operating system gave no random numbers.
    pub fn rotate_keys(&self, keep_old: bool) -> Result<(), Error> {
        Ok(self.world.keys.rotate(keep_old)?)
    }

    /// Puts a fresh token of the workload into the volume, as the kubelet does.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn rotate_token(&self) -> io::Result<()> {
        self.write_token(&self.claims())
    }

    /// Puts a token with these claims into the volume.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write_token(&self, claims: &Claims) -> io::Result<()> {
        self.world.rotate_token(claims)
    }

    /// Puts any bytes into the token file, through the same swap.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write_raw(&self, content: &[u8]) -> io::Result<()> {
        self.world.volume.write(content)
    }

    /// Takes the token file away.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn remove_token(&self) -> io::Result<()> {
        self.world.volume.remove()
    }
}

/// The vendor's side.
impl Sandbox {
    /// Lifetime of access tokens issued from now on. Whole seconds.
    pub fn set_access_token_lifetime(&self, lifetime: Duration) {
        self.world.set_access_token_lifetime(lifetime);
    }

    /// How the token endpoint words refusals from now on.
    pub fn set_error_shape(&self, shape: ErrorShape) {
        self.world.set_error_shape(shape);
    }

    /// Takes back every access token issued so far, of OpenAI and Anthropic: their APIs answer 401. Says how many that ended.
    pub fn revoke_all(&self) -> usize {
        self.world.revoke(None)
    }

    /// Takes back one access token, by its place in the order of issue, from 1. False if there is nothing to take back.
    pub fn revoke(&self, generation: u64) -> bool {
        self.world.tokens.revoke(Some(generation)) > 0
    }

    /// Access tokens issued so far.
    #[must_use]
    pub fn tokens_issued(&self) -> u64 {
        self.world.tokens.last_generation()
    }

    /// Puts the clock of every party ahead: tokens expire without anybody waiting. The client's clock stays.
    pub fn advance_clock(&self, by: Duration) {
        self.world.clock.advance(by);
    }

    /// The parties' time in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.world.clock.now_ms()
    }
}

/// What goes wrong, and what has happened.
impl Sandbox {
    /// Arms a fault for the next `times` requests of a party. Faults apply one after the other, in the order of arming.
    pub fn fault(&self, service: ServiceName, fault: Fault, times: u64) {
        self.world.faults.arm(service, None, fault, Some(times));
    }

    /// Arms a fault that lasts until it is cleared or until another is armed after it.
    pub fn fault_until_cleared(&self, service: ServiceName, fault: Fault) {
        self.world.faults.arm(service, None, fault, None);
    }

    /// Clears the faults of one party, or of all. Requests that are already suffering go on suffering.
    pub fn clear_faults(&self, service: Option<ServiceName>) {
        self.world.faults.clear(service);
    }

    /// The requests of a party, oldest first, at most the last 2048.
    #[must_use]
    pub fn requests(&self, service: ServiceName) -> Vec<RequestRecord> {
        self.world.ledger.records(service)
    }

    /// The requests that reached the token endpoint.
    #[must_use]
    pub fn exchanges(&self) -> Vec<RequestRecord> {
        self.requests(ServiceName::Exchange)
    }

    /// The counters of a party.
    #[must_use]
    pub fn counters(&self, service: ServiceName) -> Counters {
        self.world.ledger.counters(service)
    }

    /// Waits until `count` requests have reached a party since the start, answered or not.
    pub async fn wait_for_requests(&self, service: ServiceName, count: u64) {
        self.world.ledger.wait_for(service, count).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.world.shutdown.cancel();
    }
}

async fn bind(service: &'static str, port: u16) -> Result<Port, Error> {
    Port::bind(port).await.map_err(|source| Error::Port { service, port, source })
}
