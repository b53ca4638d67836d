//! The file of such a component: read whole, named by its digest.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::Error;

/// In bytes. A component without an interpreter in it has a few hundred kilobytes.
const LARGEST: u64 = 8 << 20;

/// What stood in the file when it was read.
pub(crate) struct ComponentFile {
    pub(crate) bytes: Vec<u8>,
    /// Lower-case hex.
    pub(crate) sha256: String,
}

/// Reads the file that a document calls `path`; below `root` if there is one.
///
/// # Errors
/// `source-component-unreadable`.
pub(crate) fn read(path: &str, root: Option<&Path>) -> Result<ComponentFile, Error> {
    let place = root.map_or_else(|| PathBuf::from(path), |root| root.join(path.trim_start_matches('/')));
    let unreadable = |reason: &dyn std::fmt::Display| {
        Error::invalid(
            "source-component-unreadable",
            format!(
                "the component {path} cannot be read: {reason}; check `source.component` and the file's mode"
            ),
        )
    };
    let file = File::open(place).map_err(|reason| unreadable(&reason))?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|reason| unreadable(&reason))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unreadable(&format_args!("it has more than {} MiB", LARGEST >> 20)));
    }
    let sha256 = digest(&bytes);
    Ok(ComponentFile { bytes, sha256 })
}

/// SHA-256 in lower-case hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// # Errors
/// `source-component-changed` when the file is not the one that was granted.
pub(crate) fn same(path: &str, granted: &str, found: &str) -> Result<(), Error> {
    if granted == found {
        return Ok(());
    }
    Err(Error::denied(
        "source-component-changed",
        format!(
            "the component {path} is not the one that was granted: its SHA-256 is {found}, granted is {granted}; if the \
             change is intended, review it and write the lock file anew"
        ),
    ))
}
