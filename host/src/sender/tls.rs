//! Whom to believe: the platform's certificate store, and the certificates that were given beside it.

use std::sync::{Arc, OnceLock};

use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore};

use super::{ClientIdentity, Fault};
use crate::Error;

/// The certificates to trust. The platform's are read when the first connection is made, and then kept.
pub(super) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    roots: OnceLock<Arc<RootCertStore>>,
    config: OnceLock<Result<Arc<ClientConfig>, Fault>>,
}

impl Trust {
    /// # Errors
    /// `ca-certificates-invalid` for a PEM file without a certificate, or with a broken one.
    pub(super) fn new(pem_files: &[Vec<u8>]) -> Result<Self, Error> {
        let invalid = |pem: &[u8], reason: &str| {
            Error::invalid(
                "ca-certificates-invalid",
                format!(
                    "the CA file ({} bytes) {reason}; give a PEM file that holds `-----BEGIN CERTIFICATE-----`",
                    pem.len()
                ),
            )
        };
        let mut extra = Vec::new();
        for pem in pem_files {
            let before = extra.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| invalid(pem, "is not valid PEM"))?;
                // Added for the check only: a store that takes it now takes it later.
                RootCertStore::empty()
                    .add(certificate.clone())
                    .map_err(|_| invalid(pem, "holds a certificate that cannot be read"))?;
                extra.push(certificate);
            }
            if extra.len() == before {
                return Err(invalid(pem, "holds no certificate"));
            }
        }
        Ok(Self { extra, roots: OnceLock::new(), config: OnceLock::new() })
    }

    /// Reads the platform's certificates at the first call: a few milliseconds of file reading.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, Fault> {
        self.config
            .get_or_init(|| Ok(finished(self.builder()?.with_no_client_auth(), &["h2", "http/1.1"])))
            .clone()
    }

    /// As [`config`](Self::config), with a certificate to present.
    pub(super) fn config_presenting(&self, identity: &ClientIdentity) -> Result<Arc<ClientConfig>, Fault> {
        let (chain, key) = identity.read()?;
        let config = self.builder()?.with_client_auth_cert(chain, key).map_err(|error| {
            // In the middle of a rotation, most often: the next attempt finds both halves new.
            tracing::warn!(%error, "the client certificate and its key cannot be used together");
            Fault::ClientCertificate
        })?;
        // A server refuses a certificate when TLS 1.3 lets the client believe that the handshake is over. Only HTTP/1.1
        // hands such an error on as what it is.
        Ok(finished(config, &["http/1.1"]))
    }

    fn builder(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Fault> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Fault::Tls)?;
        Ok(builder.with_root_certificates(Arc::clone(self.roots.get_or_init(|| self.load()))))
    }

    fn load(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let platform = rustls_native_certs::load_native_certs();
        for error in &platform.errors {
            tracing::warn!(%error, "a certificate store of the platform cannot be read");
        }
        // Stores hold certificates of every age; one that cannot be parsed is skipped, as every client does.
        roots.add_parsable_certificates(platform.certs);
        roots.add_parsable_certificates(self.extra.iter().cloned());
        if roots.is_empty() {
            tracing::warn!(
                "no CA certificates on this platform: every https request will fail; install them, or give a CA file"
            );
        }
        Arc::new(roots)
    }
}

/// The same, without offering HTTP/2.
pub(super) fn http1_only(config: &ClientConfig) -> Arc<ClientConfig> {
    finished(config.clone(), &["http/1.1"])
}

fn finished(mut config: ClientConfig, protocols: &[&str]) -> Arc<ClientConfig> {
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// Why there is no TLS session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsFailure {
    /// The server's certificate was not accepted.
    Certificate(CertificateFault),
    /// Anything else.
    Other(Fault),
}

impl TlsFailure {
    /// Tells a certificate that is not trusted from any other trouble.
    pub(super) fn of(error: &std::io::Error) -> Self {
        let rustls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match rustls {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                Self::Certificate(CertificateFault::of(reason))
            }
            Some(rustls::Error::NoCertificatesPresented) => Self::Certificate(CertificateFault::Other),
            Some(_) => Self::Other(Fault::Tls),
            None => Self::Other(Fault::Terminated),
        }
    }

    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Certificate(_) => Fault::Certificate,
            Self::Other(fault) => fault,
        }
    }
}

/// Why a certificate was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateFault {
    /// Its life has ended, by this machine's clock.
    Expired,
    /// Its life has not begun, by this machine's clock.
    NotYetValid,
    /// It is for other names.
    OtherName,
    /// Nobody who is trusted has signed it.
    UnknownIssuer,
    /// Anything else: revoked, malformed, not made for servers.
    Other,
}

impl CertificateFault {
    fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::OtherName
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            _ => Self::Other,
        }
    }
}
