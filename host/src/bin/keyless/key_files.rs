//! Keys that `keyless connection add` keeps in files: `~/.local/share/keyless/keys/NAME/key`.
//!
//! Not beside `keyless.toml`: that file is committed and copied, and what lies beside it goes along. It is the user's data
//! directory, where GNOME Keyring keeps its own files, too. Each key has a directory to itself, because a file is granted to
//! the component by opening its directory: no connection can see the key of another.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::config;
use crate::output::problem::{Class, Problem};

const FILE: &str = "key";

/// More than any key has, in bytes. The component takes no longer one.
pub(crate) const LIMIT: u64 = 16 * 1024;

/// Keeps a key under that name, or under the name and a number where a connection of another file has it. Returns the file.
///
/// # Errors
/// `key-unwritable`; nothing is left behind.
pub(crate) fn store(name: &str, key: &str) -> Result<PathBuf, Problem> {
    let root = root().ok_or_else(|| {
        Problem::invalid(
            "key-unwritable",
            "there is no data directory to keep the key in: neither $XDG_DATA_HOME nor $HOME is an absolute path",
            "set $HOME, or keep the key in a file of your own and name that with `--key-file FILE`",
        )
    })?;
    let failed = |path: &Path, reason: &io::Error| {
        Problem::new(
            Class::Failed,
            "key-unwritable",
            format!("the key cannot be kept in {}: {reason}", path.display()),
            "check the directory and its permissions, or name a file of your own with `--key-file FILE`",
        )
    };
    directory(&root).map_err(|reason| failed(&root, &reason))?;
    let taken = (1..).map(|number| match number {
        1 => root.join(name),
        number => root.join(format!("{name}-{number}")),
    });
    for directory in taken {
        match private().create(&directory) {
            Ok(()) => {}
            Err(reason) if reason.kind() == ErrorKind::AlreadyExists => continue,
            Err(reason) => return Err(failed(&directory, &reason)),
        }
        let path = directory.join(FILE);
        return match write(&path, key) {
            Ok(()) => Ok(path),
            Err(reason) => {
                drop(fs::remove_file(&path));
                drop(fs::remove_dir(&directory));
                Err(failed(&path, &reason))
            }
        };
    }
    Err(failed(&root, &ErrorKind::AlreadyExists.into()))
}

/// Whether [`store`] made this file.
pub(crate) fn is_ours(path: &Path) -> bool {
    let (Some(root), Some(directory)) = (root(), path.parent()) else { return false };
    // `..` is no name.
    path.file_name() == Some(OsStr::new(FILE))
        && directory.file_name().is_some()
        && directory.parent() == Some(&root)
}

/// Whether this path leads into the directory that belongs to [`store`].
pub(crate) fn is_within(path: &Path) -> bool {
    root().is_some_and(|root| path.starts_with(root))
}

/// Takes a key away that [`store`] made. One that is gone already is no error.
pub(crate) fn delete(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(reason) if reason.kind() != ErrorKind::NotFound => return Err(reason),
        _ => {}
    }
    if let Some(directory) = path.parent() {
        // Somebody else's file in it stays, and so does the directory.
        drop(fs::remove_dir(directory));
    }
    Ok(())
}

/// The key in a file, without white space around it.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
    }
    text(file)
}

/// What a key is read from, to its end.
pub(crate) fn text(source: impl io::Read) -> io::Result<Zeroizing<String>> {
    // Room for everything from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT + 1).unwrap_or_default()));
    source.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(ErrorKind::InvalidData, "it holds more than 16 KiB"));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))?;
    Ok(Zeroizing::new(text.trim_start_matches('\u{feff}').trim().to_owned()))
}

fn root() -> Option<PathBuf> {
    config::user_directory("XDG_DATA_HOME", ".local/share").map(|directory| directory.join("keys"))
}

/// Makes it, for this user alone; one that others could look into is closed to them.
fn directory(path: &Path) -> io::Result<()> {
    private().recursive(true).create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn private() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;

    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// A user's data directory is that user's elsewhere.
#[cfg(not(unix))]
fn private() -> DirBuilder {
    DirBuilder::new()
}

fn write(path: &Path, key: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(key.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}
