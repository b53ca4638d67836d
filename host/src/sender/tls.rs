//! The settings of a TLS session, and why there is none.

use std::sync::{Arc, OnceLock};

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore};

use super::roots::Roots;
use super::{ClientIdentity, Fault};
use crate::Error;

/// The certificates to trust, and the settings that follow from them.
pub(super) struct Trust {
    roots: Arc<Roots>,
    crypto: Arc<CryptoProvider>,
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
        let mut given = Vec::new();
        for pem in pem_files {
            let before = given.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|_| invalid(pem, "is not valid PEM"))?;
                // Added for the check only: a store that takes it now takes it later.
                RootCertStore::empty()
                    .add(certificate.clone())
                    .map_err(|_| invalid(pem, "holds a certificate that cannot be read"))?;
                given.push(certificate);
            }
            if given.len() == before {
                return Err(invalid(pem, "holds no certificate"));
            }
        }
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(Roots::new(Arc::clone(&crypto), given));
        Ok(Self { roots, crypto, config: OnceLock::new() })
    }

    /// What is there without reading a file.
    pub(super) fn config_at_once(&self) -> Option<Result<Arc<ClientConfig>, Fault>> {
        if self.roots.has_given() { Some(self.config()) } else { self.config.get().cloned() }
    }

    /// Reads the platform's certificates at the first call, unless others were given: then they are read when these do not
    /// vouch for a server, in the middle of its handshake, once.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, Fault> {
        let config = || Ok(finished(self.builder()?.with_no_client_auth(), &["h2", "http/1.1"]));
        self.config.get_or_init(config).clone()
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
        if !self.roots.has_given() {
            self.roots.bundle();
        }
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.crypto))
            .with_safe_default_protocol_versions()
            .map_err(|_| Fault::Tls)?;
        // Dangerous is what a verifier could do; ours leaves the verifying to rustls's own.
        Ok(builder.dangerous().with_custom_certificate_verifier(Arc::<Roots>::clone(&self.roots)))
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
