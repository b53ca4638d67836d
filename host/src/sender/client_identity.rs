//! The client certificate that a grant has presented (RFC 8446, section 4.4.2).

use std::path::{Path, PathBuf};
use std::{fs, io};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::Fault;
use crate::{ClientCertificate, files};

/// No chain and no key is longer, in bytes.
const LIMIT: u64 = 64 * 1024;

/// Where the certificate and its key are. Read for every connection, because both rotate while nobody looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientIdentity {
    certificate_file: PathBuf,
    private_key_file: PathBuf,
}

/// What is presented: the chain, its first certificate that of the key.
pub(super) type Credentials = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl ClientIdentity {
    /// The files as the document spells them.
    #[must_use]
    pub fn new(names: &ClientCertificate) -> Self {
        Self::below(None, names)
    }

    pub(crate) fn below(root: Option<&Path>, names: &ClientCertificate) -> Self {
        Self {
            certificate_file: files::on_host(&names.certificate_file, root),
            private_key_file: files::on_host(&names.private_key_file, root),
        }
    }

    /// Blocks for two small files. What is wrong with them is for the host's operator, so it is logged: the component is
    /// told only that there is no certificate.
    pub(super) fn read(&self) -> Result<Credentials, Fault> {
        let unusable = |path: &Path, reason: &str| {
            let file = path.display();
            tracing::warn!(%file, reason, "the client certificate cannot be presented");
            Fault::ClientCertificate
        };
        let read = |path: &Path| content(path).map_err(|error| unusable(path, &error.to_string()));
        let chain = CertificateDer::pem_slice_iter(&read(&self.certificate_file)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unusable(&self.certificate_file, "not valid PEM"))?;
        if chain.is_empty() {
            return Err(unusable(&self.certificate_file, "holds no certificate"));
        }
        let pem = zeroize::Zeroizing::new(read(&self.private_key_file)?);
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|_| unusable(&self.private_key_file, "holds no private key that is not encrypted"))?;
        Ok((chain, key))
    }
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if about.len() > LIMIT {
        return Err(io::Error::other("more than 64 KiB"));
    }
    fs::read(path)
}
