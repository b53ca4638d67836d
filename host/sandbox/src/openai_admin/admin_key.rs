//! The Admin key, `sk-admin-...`, in the file in which the workload finds it.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use zeroize::Zeroizing;

use crate::lock::lock;
use crate::random;
use crate::sha256::Sha256;

/// The one key in force. Known by its SHA-256 alone, but for the file.
pub(crate) struct AdminKey {
    file: PathBuf,
    digest: Mutex<Sha256>,
}

impl AdminKey {
    /// The first key, in a file that its owner alone can read.
    pub(crate) fn create(file: PathBuf) -> io::Result<Self> {
        let digest = write(&file)?;
        Ok(Self { file, digest: Mutex::new(digest) })
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Another key takes its place, in the file and at the API; the old one is refused from now on.
    pub(crate) fn rotate(&self) -> io::Result<()> {
        // Whoever reads the new file is judged by the new digest.
        let mut digest = lock(&self.digest);
        *digest = write(&self.file)?;
        Ok(())
    }

    pub(super) fn fits(&self, bearer: &str) -> bool {
        *lock(&self.digest) == Sha256::of(bearer.as_bytes())
    }
}

/// A new key in place of the file, by a rename.
fn write(file: &Path) -> io::Result<Sha256> {
    let text = Zeroizing::new(random::text(96).map_err(io::Error::other)?);
    let key = Zeroizing::new(format!("sk-admin-{}", *text));
    let fresh = file.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?.write_all(key.as_bytes())?;
    fs::rename(fresh, file)?;
    Ok(Sha256::of(key.as_bytes()))
}
