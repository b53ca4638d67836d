//! Where compiled code is kept between runs.
//!
//! Whoever can write there can run code in this process: the directory is made for this user only, and one that others
//! may write to is refused.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::Error;

/// Where compiled code is kept, so that only the first start pays for compiling (about 0.1 s).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// `keyless/` in the user's cache directory: `$XDG_CACHE_HOME`, else `~/.cache` (`~/Library/Caches` on macOS,
    /// `%LOCALAPPDATA%` on Windows). Where that cannot be written, as in many containers, nothing is kept.
    #[default]
    Default,
    /// This directory; it is made when missing.
    Directory(PathBuf),
    /// Compile at every start, leave nothing behind.
    Off,
}

impl Cache {
    /// # Errors
    /// `cache-directory` when a directory that was asked for by name cannot be used.
    pub(crate) fn open(&self) -> Result<Option<wasmtime::Cache>, Error> {
        match self {
            Self::Off => Ok(None),
            Self::Default => {
                let opened =
                    platform_directory().ok_or_else(|| "no home directory".to_owned()).and_then(|d| open(&d));
                // A cache is a convenience: a read-only home must not keep anybody from a token.
                Ok(opened.inspect_err(|reason| tracing::debug!(%reason, "compiled code is not cached")).ok())
            }
            Self::Directory(directory) => match open(directory) {
                Ok(cache) => Ok(Some(cache)),
                Err(reason) => Err(Error::invalid(
                    "cache-directory",
                    format!(
                        "the cache directory {} cannot be used: {reason}; name another one, or turn the cache off",
                        directory.display()
                    ),
                )),
            },
        }
    }
}

fn open(directory: &Path) -> Result<wasmtime::Cache, String> {
    make_private(directory).map_err(|e| e.to_string())?;
    // wasmtime wants an absolute path without links.
    let directory = directory.canonicalize().map_err(|e| e.to_string())?;
    let mut config = wasmtime::CacheConfig::new();
    config.with_directory(directory);
    wasmtime::Cache::new(config).map_err(|e| e.to_string())
}

#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};

    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mode = fs::metadata(directory)?.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(io::Error::other(format!("others may write to it (mode {:03o})", mode & 0o777)));
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    // Below %LOCALAPPDATA% a directory inherits an access list that names its user only.
    fs::create_dir_all(directory)
}

fn platform_directory() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library/Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("keyless"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_directory_is_made_for_this_user_only() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("a/b");
        assert!(Cache::Directory(directory.clone()).open().unwrap().is_some());
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Cache::Directory(scratch.path().to_owned()).open().unwrap_err();
        assert_eq!(error.code, "cache-directory");
        assert!(error.message.contains("others may write"), "{error}");
    }
}
