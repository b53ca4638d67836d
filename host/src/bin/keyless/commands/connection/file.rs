//! A `keyless.toml` that is being changed: by one process at a time, and as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use keyless_documents::{Fault, Names, Survey};
use zeroize::Zeroizing;

use crate::output::problem::{Class, Problem};

/// A file that nobody else changes as long as this is held.
pub(super) struct Locked {
    path: PathBuf,
    _lock: File,
}

impl Locked {
    /// Waits for others who are changing it. Links are followed: it is what they lead to that is changed. The directory of a file
    /// that is to be made is made, too.
    ///
    /// # Errors
    /// `config-unwritable`.
    pub(super) fn wait(path: &Path) -> Result<Self, Problem> {
        let path = resolve(path).map_err(|reason| unwritable(path, &reason))?;
        let lock = lock(&path).map_err(|reason| unwritable(&path, &reason))?;
        Ok(Self { path, _lock: lock })
    }

    /// What is in it; nothing where it is to be made.
    ///
    /// # Errors
    /// `config-unreadable`.
    pub(super) fn read(&self) -> Result<Zeroizing<String>, Problem> {
        read(&self.path)
    }

    /// Puts `text` in its place, at once, with the mode and the owner that it had.
    ///
    /// # Errors
    /// `config-unwritable`; nothing has changed.
    pub(super) fn write(&self, text: &str) -> Result<(), Problem> {
        replace(&self.path, text).map_err(|reason| unwritable(&self.path, &reason))
    }
}

/// What is in a file; nothing where there is none.
///
/// # Errors
/// `config-unreadable`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, Problem> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(reason) if reason.kind() == ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(reason) => Err(Problem::invalid(
            "config-unreadable",
            format!("{} cannot be read: {reason}", path.display()),
            "check its permissions, and that it is UTF-8 text",
        )),
    }
}

/// The connections in a text, the broken ones among them.
///
/// # Errors
/// `config-invalid` for what is not TOML.
pub(super) fn survey(path: &Path, text: &str) -> Result<Survey, Problem> {
    Names::survey(text).map_err(|fault| invalid(path, fault))
}

pub(super) fn invalid(path: &Path, fault: Fault) -> Problem {
    Problem::invalid("config-invalid", format!("{} {}", path.display(), fault.what), fault.next)
}

fn unwritable(path: &Path, reason: &io::Error) -> Problem {
    Problem::new(
        Class::Failed,
        "config-unwritable",
        format!("{} cannot be changed, and is as it was: {reason}", path.display()),
        "check that you may write to the file's directory, or name another file with `--config FILE`",
    )
}

fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(reason) if reason.kind() == ErrorKind::NotFound => {}
        resolved => return resolved,
    }
    if path.symlink_metadata().is_ok() {
        return Err(io::Error::new(ErrorKind::NotFound, "it is a link to a file that is not there"));
    }
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent)?;
    Ok(fs::canonicalize(parent)?.join(name))
}

/// The lock of the directory: the file itself is another one after each change, and nothing is left behind.
#[cfg(unix)]
fn lock(path: &Path) -> io::Result<File> {
    let lock = File::open(directory(path))?;
    hold(&lock, path)?;
    Ok(lock)
}

/// Directories have no locks elsewhere.
#[cfg(not(unix))]
fn lock(path: &Path) -> io::Result<File> {
    let lock = File::create(path.with_extension("lock"))?;
    hold(&lock, path)?;
    Ok(lock)
}

fn hold(lock: &File, path: &Path) -> io::Result<()> {
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(fs::TryLockError::WouldBlock) => {
            tracing::info!(file = %path.display(), "waiting for another process that is changing it");
            lock.lock()
        }
        Err(fs::TryLockError::Error(reason)) => Err(reason),
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut next = tempfile::Builder::new().prefix(".keyless-").tempfile_in(directory(path))?;
    if let Ok(old) = fs::metadata(path) {
        keep_owner(next.as_file(), &old)?;
        next.as_file().set_permissions(old.permissions())?;
    }
    next.write_all(text.as_bytes())?;
    next.as_file().sync_all()?;
    next.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    File::open(directory(path))?.sync_all()?;
    Ok(())
}

/// As another user, only root can.
#[cfg(unix)]
fn keep_owner(next: &File, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let new = next.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        return Ok(());
    }
    fchown(next, Some(old.uid()), Some(old.gid()))
}

/// It is inherited from the directory elsewhere.
#[cfg(not(unix))]
fn keep_owner(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn directory(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}
