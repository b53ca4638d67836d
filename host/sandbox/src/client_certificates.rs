//! The client certificate that a platform keeps fresh in two files, as cert-manager and its like do.
//!
//! ```text
//! current -> 2            replaced by rename, so that both files change in one moment
//! 2/tls.crt, 2/tls.key
//! ```

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::lock::lock;
use crate::platform::SPIFFE_ID;
use crate::sha256::Sha256;
use crate::tls::{Authority, TlsError};

const CURRENT: &str = "current";

/// The two files, and the authority that signs what they hold.
pub(crate) struct ClientCertificates {
    authority: Authority,
    root: PathBuf,
    issued: Mutex<Issued>,
}

#[derive(Default)]
struct Issued {
    count: u64,
    /// By digest: all that were ever signed.
    known: HashSet<Sha256>,
}

impl ClientCertificates {
    /// No files yet.
    pub(crate) fn create(root: PathBuf) -> Result<Self, TlsError> {
        Ok(Self { authority: Authority::new()?, root, issued: Mutex::default() })
    }

    /// Whose certificates are accepted.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// A new certificate with a new key.
    pub(crate) fn rotate(&self) -> io::Result<()> {
        let made = self.authority.client_certificate(SPIFFE_ID).map_err(io::Error::other)?;
        let mut issued = lock(&self.issued);
        issued.count += 1;
        let name = issued.count.to_string();
        let directory = self.root.join(&name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        fs::write(directory.join("tls.crt"), &made.certificate_pem)?;
        fs::write(directory.join("tls.key"), made.private_key_pem.as_bytes())?;
        let fresh = self.root.join("current.new");
        symlink(&name, &fresh)?;
        fs::rename(fresh, self.root.join(CURRENT))?;
        issued.known.insert(Sha256::of(&made.der));
        Ok(())
    }

    /// Whom a certificate from a handshake belongs to.
    pub(crate) fn subject(&self, der: &[u8]) -> Option<&'static str> {
        lock(&self.issued).known.contains(&Sha256::of(der)).then_some(SPIFFE_ID)
    }

    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.file("tls.crt")
    }

    pub(crate) fn private_key_file(&self) -> PathBuf {
        self.file("tls.key")
    }

    fn file(&self, name: &str) -> PathBuf {
        Path::new(&self.root).join(CURRENT).join(name)
    }
}
