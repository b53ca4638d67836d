//! The outside world as one fault needs it.

use std::cell::RefCell;
use std::fs;
use std::ops::Deref;
use std::sync::Arc;

use keyless_sandbox::{Fault, RetryAfter, ServiceName};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::harness::{Keyless, Outcome, World};

/// The sandbox, and the secrets that must not be told.
pub(super) struct Stage {
    world: World,
    secrets: RefCell<Vec<String>>,
}

impl Deref for Stage {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Stage {
    pub(super) fn new() -> Self {
        Self { world: World::new(), secrets: RefCell::default() }
    }

    /// The command with the sandbox's ready-made document: a pod's token, traded as OpenAI's endpoint does.
    pub(super) fn ready_made(&self) -> Keyless {
        self.world.keyless::<&str>([])
    }

    /// The command with the ready-made document in which one text is replaced.
    pub(super) fn with(&self, from: &str, to: &str) -> Keyless {
        self.ready_made().env("KEYLESS_CONNECTION", self.document_with(from, to))
    }

    /// The command with another document.
    pub(super) fn document(&self, document: impl AsRef<str>) -> Keyless {
        self.ready_made().env("KEYLESS_CONNECTION", document.as_ref())
    }

    /// The command with the document and the environment of a platform and an exchange, `SOURCE-EXCHANGE`.
    pub(super) fn recipe(&self, name: &str) -> Keyless {
        let recipe = self.sandbox.documents().combinations[name].clone();
        let mut keyless = self.document(&recipe.document);
        if !recipe.connect_to.is_empty() {
            keyless = keyless.env("KEYLESS_CONNECT_TO", recipe.connect_to.join(","));
        }
        for (name, value) in &recipe.variables {
            if ["_TOKEN", "_HEADER", "_SECRET_ACCESS_KEY"].into_iter().any(|secret| name.ends_with(secret)) {
                self.secrets.borrow_mut().push(value.clone());
            }
            keyless = keyless.env(name, value);
        }
        keyless
    }

    /// Lets a party do this from now on.
    pub(super) fn fault(&self, service: ServiceName, fault: Fault) -> &Self {
        self.sandbox.fault_until_cleared(service, fault);
        self
    }

    /// Lets a party answer with this status and body from now on.
    pub(super) fn answers(&self, service: ServiceName, status: u16, body: &str) -> &Self {
        let content_type = "application/json".to_owned();
        self.fault(service, Fault::Body { status, content_type, body: body.to_owned() })
    }

    /// Lets a party answer with this status from now on, and ask to be left alone for seven seconds.
    pub(super) fn busy(&self, service: ServiceName, status: u16) -> &Self {
        self.fault(service, Fault::Status { status, retry_after: Some(RetryAfter::Seconds(7)) })
    }

    /// Puts this into the token file. It counts as a secret.
    pub(super) fn token_file(&self, content: &str) -> &Self {
        if !content.is_empty() {
            self.secrets.borrow_mut().push(content.to_owned());
        }
        self.sandbox.write_raw(content.as_bytes()).unwrap();
        self
    }

    /// The token in the volume.
    pub(super) fn token(&self) -> String {
        fs::read_to_string(self.sandbox.token_path()).unwrap().trim().to_owned()
    }

    /// A TCP port of loopback at which nobody listens.
    pub(super) fn closed_port(&self) -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    /// Shakes hands with a certificate for `localhost` that ended with the last century, and the file of its authority.
    pub(super) fn expired_certificate(&self) -> (u16, String) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(2001, 1, 1);
        let certificate = params.signed_by(&key, &authority).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = self.tokio.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        self.tokio.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever looks at the certificate hangs up.
                let _refused = acceptor.accept(stream).await;
            }
        });
        let authority = self.scratch.file("expired-ca.pem", authority.pem());
        (port, authority.display().to_string())
    }

    /// Nothing that opens anything: no identity token, no access token, no key, no value of a secret variable.
    #[track_caller]
    pub(super) fn holds_no_secret(&self, outcome: &Outcome, name: &str) {
        let said = format!("{}{}", outcome.out, outcome.err);
        // A JSON web token whose header begins with its algorithm, and the credentials of the sandbox. The names of keys are
        // random and told: a shorter beginning would be found in them sooner or later.
        for beginning in ["eyJhbGciOi", "sk-sandbox-", "sk-ant-", "sk-canary"] {
            assert!(!said.contains(beginning), "{name}: {beginning} in {said}");
        }
        let token = fs::read_to_string(self.sandbox.token_path()).unwrap_or_default();
        if let Some((_, signature)) = token.trim().rsplit_once('.') {
            assert!(!said.contains(signature), "{name}: a signature in {said}");
        }
        for secret in self.secrets.borrow().iter() {
            assert!(!said.contains(secret.as_str()), "{name}: a secret in {said}");
        }
    }
}

/// The claims of the identity token that a report shows.
pub(super) fn claims(report: &Value) -> &Value {
    &report["steps"][2]["detail"]["token"]
}
