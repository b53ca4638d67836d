//! Whom to believe: the certificates that were given, and the platform's.
//!
//! Reading all that a platform trusts takes several milliseconds, most of them for a directory of hundreds of files, while
//! nearly every server is vouched for by what was given or by the one file in which a platform bundles its certificates. So a
//! server's certificate is held against these first, each a part of the whole. What is refused is refused by the whole.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_native_certs::CertificateResult;

/// Verifies a server's certificate by the cheapest part of the roots that vouches for it.
pub(super) struct Roots {
    crypto: Arc<CryptoProvider>,
    given: Vec<CertificateDer<'static>>,
    by_given: Part,
    by_bundle: OnceLock<Part>,
    by_all: OnceLock<Part>,
}

/// A verifier for some of the roots; `None` where there are none.
type Part = Option<Arc<WebPkiServerVerifier>>;

impl Roots {
    pub(super) fn new(crypto: Arc<CryptoProvider>, given: Vec<CertificateDer<'static>>) -> Self {
        let by_given = part(&crypto, given.iter().cloned());
        Self { crypto, given, by_given, by_bundle: OnceLock::new(), by_all: OnceLock::new() }
    }

    /// Whether certificates were given, so that the platform's may never be asked for.
    pub(super) fn has_given(&self) -> bool {
        self.by_given.is_some()
    }

    /// The platform's certificates in one file. Reads it at the first call: one or two milliseconds, where there is one.
    pub(super) fn bundle(&self) -> &Part {
        self.by_bundle.get_or_init(|| part(&self.crypto, load_bundle().certs))
    }

    /// All that is trusted. Reads all of the platform's certificates at the first call.
    fn all(&self) -> &Part {
        self.by_all.get_or_init(|| {
            let platform = rustls_native_certs::load_native_certs();
            for error in &platform.errors {
                tracing::warn!(%error, "a certificate store of the platform cannot be read");
            }
            let all = part(&self.crypto, platform.certs.into_iter().chain(self.given.iter().cloned()));
            if all.is_none() {
                tracing::warn!(
                    "no CA certificates on this platform: every https request will fail; install them, or give a CA file"
                );
            }
            all
        })
    }
}

/// Stores hold certificates of every age; one that cannot be parsed is skipped, as every client does.
fn part(
    crypto: &Arc<CryptoProvider>,
    certificates: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Part {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    // It fails without any roots, only: no revocation lists are given.
    WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(crypto)).build().ok()
}

/// The one file among all that is read; where there is none, all.
#[cfg(all(unix, not(target_vendor = "apple")))]
fn load_bundle() -> CertificateResult {
    let named = |name| std::env::var_os(name).map(std::path::PathBuf::from);
    let file = match (named("SSL_CERT_FILE"), named("SSL_CERT_DIR")) {
        (Some(file), _) => Some(file),
        // Then the platform's file is not trusted.
        (None, Some(_)) => None,
        (None, None) => openssl_probe::probe().cert_file,
    };
    match file {
        // What cannot be read is told when all is read.
        Some(file) => rustls_native_certs::load_certs_from_paths(Some(&file), None),
        None => rustls_native_certs::load_native_certs(),
    }
}

#[cfg(not(all(unix, not(target_vendor = "apple"))))]
fn load_bundle() -> CertificateResult {
    rustls_native_certs::load_native_certs()
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |part: &Part| match part {
            Some(part) => part.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        };
        verify(&self.by_given).or_else(|_| verify(self.bundle())).or_else(|_| verify(self.all()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.crypto.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.crypto.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots").field("given", &self.given.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;

    struct Authority(CertifiedIssuer<'static, KeyPair>);

    impl Authority {
        fn new(name: &str) -> Self {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
        }

        fn certificate(&self) -> CertificateDer<'static> {
            self.0.der().clone()
        }

        /// A certificate for `localhost`.
        fn server(&self) -> CertificateDer<'static> {
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.signed_by(&KeyPair::generate().unwrap(), &self.0).unwrap().der().clone()
        }
    }

    /// Roots that hold one authority in each place.
    fn roots(given: &Authority, bundled: &Authority, elsewhere: &Authority) -> Roots {
        let roots = Roots::new(Arc::new(rustls::crypto::ring::default_provider()), vec![given.certificate()]);
        let of = |authorities: &[&Authority]| {
            part(&roots.crypto, authorities.iter().map(|authority| authority.certificate()))
        };
        let (bundle, all) = (of(&[bundled]), of(&[given, bundled, elsewhere]));
        assert!(roots.by_bundle.set(bundle).is_ok() && roots.by_all.set(all).is_ok());
        roots
    }

    fn verify(
        roots: &Roots,
        certificate: &CertificateDer<'_>,
        name: &str,
    ) -> Result<ServerCertVerified, Error> {
        let now = UnixTime::since_unix_epoch(Duration::from_secs(1_780_000_000));
        roots.verify_server_cert(certificate, &[], &ServerName::try_from(name).unwrap(), &[], now)
    }

    #[test]
    fn whoever_is_trusted_anywhere_vouches() {
        let [given, bundled, elsewhere, nowhere] =
            ["given", "bundled", "elsewhere", "nowhere"].map(Authority::new);
        let roots = roots(&given, &bundled, &elsewhere);
        for authority in [&given, &bundled, &elsewhere] {
            verify(&roots, &authority.server(), "localhost").unwrap();
        }
        let refused = verify(&roots, &nowhere.server(), "localhost").unwrap_err();
        assert_eq!(refused, CertificateError::UnknownIssuer.into());
        let refused = verify(&roots, &bundled.server(), "example.com").unwrap_err();
        assert!(matches!(
            refused,
            Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
            )
        ));
    }

    #[test]
    fn the_platform_is_not_read_for_whom_the_given_certificates_vouch() {
        let given = Authority::new("given");
        let roots = Roots::new(Arc::new(rustls::crypto::ring::default_provider()), vec![given.certificate()]);
        verify(&roots, &given.server(), "localhost").unwrap();
        assert!(roots.by_bundle.get().is_none() && roots.by_all.get().is_none());
    }

    #[test]
    fn without_any_roots_nobody_is_believed() {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Roots::new(crypto, Vec::new());
        assert!(!roots.has_given());
        assert!(roots.by_bundle.set(None).is_ok() && roots.by_all.set(None).is_ok());
        let server = Authority::new("somebody").server();
        assert_eq!(verify(&roots, &server, "localhost").unwrap_err(), CertificateError::UnknownIssuer.into());
    }
}
