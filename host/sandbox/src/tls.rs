//! The sandbox's certificate authority: made at start, held in memory, trusted by whoever is given its certificate.

use std::sync::Arc;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Public names that the sandbox plays, so that `--connect-to auth.openai.com:443:127.0.0.1:PORT` needs nothing else.
const PLAYED_NAMES: &[&str] = &[
    "auth.openai.com",
    "api.openai.com",
    "mtls.auth.openai.com",
    "api.anthropic.com",
    "sts.eu-central-1.amazonaws.com",
    "openrouter.ai",
    "sts.googleapis.com",
    "login.microsoftonline.com",
];

/// Names and addresses of loopback itself.
const LOOPBACK_NAMES: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("the certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    #[error("the TLS library refused its settings: {0}")]
    Settings(#[from] rustls::Error),
    #[error("client certificates cannot be asked for: {0}")]
    Clients(#[from] VerifierBuilderError),
}

/// Signs certificates for the sandbox's servers.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    provider: Arc<CryptoProvider>,
}

impl Authority {
    pub(crate) fn new() -> Result<Self, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Keyless sandbox CA (this run only)");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        limit_validity(&mut params);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, provider: Arc::new(ring::default_provider()) })
    }

    /// The certificate to trust, as PEM.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A server that speaks HTTP/2 and HTTP/1.1 under every name of the sandbox and `extra_names`.
    pub(crate) fn server(&self, extra_names: &[String]) -> Result<ServerConfig, TlsError> {
        self.server_with(extra_names, None)
    }

    /// As [`server`](Self::server), but it ends the handshake with whoever presents no certificate of `clients`.
    pub(crate) fn server_for(
        &self,
        clients: &Self,
        extra_names: &[String],
    ) -> Result<ServerConfig, TlsError> {
        self.server_with(extra_names, Some(clients))
    }

    fn server_with(&self, extra_names: &[String], clients: Option<&Self>) -> Result<ServerConfig, TlsError> {
        let names: Vec<String> = LOOPBACK_NAMES
            .iter()
            .chain(PLAYED_NAMES)
            .map(ToString::to_string)
            .chain(extra_names.iter().cloned())
            .collect();
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "Keyless sandbox");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Strict verifiers (Python 3.13 and later) insist on it.
        params.use_authority_key_identifier_extension = true;
        limit_validity(&mut params);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(
                    Arc::new(clients.roots()?),
                    Arc::clone(&self.provider),
                )
                .build()?,
            ),
        };
        let mut config = builder.with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// A client that trusts this authority alone and speaks HTTP/1.1.
    pub(crate) fn client(&self) -> Result<ClientConfig, TlsError> {
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A certificate for a client and its key, as PEM, and the certificate as it is seen in a handshake.
pub(crate) struct ClientCertificate {
    pub(crate) certificate_pem: String,
    pub(crate) private_key_pem: Zeroizing<String>,
    pub(crate) der: Vec<u8>,
}

impl Authority {
    /// A certificate of which `uri` is the one name.
    pub(crate) fn client_certificate(&self, uri: &str) -> Result<ClientCertificate, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI(uri.try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        limit_validity(&mut params);
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ClientCertificate {
            certificate_pem: certificate.pem(),
            private_key_pem: Zeroizing::new(key.serialize_pem()),
            der: certificate.der().to_vec(),
        })
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone())?;
        Ok(roots)
    }
}

/// From yesterday, for machines whose clocks disagree a little, for a year.
fn limit_validity(params: &mut CertificateParams) {
    let now = OffsetDateTime::from(SystemTime::now());
    params.not_before = now - Duration::DAY;
    params.not_after = now + Duration::days(365);
}
