//! Where compiled code is kept between runs.

use std::env;
use std::path::PathBuf;

use crate::Error;
use crate::compiled::Kept;

/// Where compiled code is kept, so that only the first start pays for compiling (some tenths of a second).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// `keyless/` in the user's cache directory: `$XDG_CACHE_HOME`, else `~/.cache` (`~/Library/Caches` on macOS,
    /// `%LOCALAPPDATA%` on Windows). Where that cannot be written, as in many containers, nothing is kept.
    #[default]
    Default,
    /// This directory; it is made when missing.
    Directory(PathBuf),
    /// Compile at every start, leave nothing behind. For that a faster compiler is used (about 0.2 s on two idle cores), whose
    /// code takes half as long again.
    Off,
}

impl Cache {
    /// # Errors
    /// `cache-directory` when a directory that was asked for by name cannot be used.
    pub(crate) fn open(&self) -> Result<Option<Kept>, Error> {
        match self {
            Self::Off => Ok(None),
            Self::Default => {
                let opened = platform_directory()
                    .ok_or_else(|| "no home directory".to_owned())
                    .and_then(|directory| Kept::open(&directory));
                // A cache is a convenience: a read-only home must not keep anybody from a token.
                Ok(opened.inspect_err(|reason| tracing::debug!(%reason, "compiled code is not cached")).ok())
            }
            Self::Directory(directory) => match Kept::open(directory) {
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
