//! A directory of compiled code that nobody but this user can write to.
//!
//! Whoever can write there can run code in this process. So the directory is made for this user only, and neither it nor a file
//! in it is used when another user owns it or may write to it. Root may: that is no news to anybody.

use std::fs::{self, Metadata};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

/// How the names of the files end.
pub(super) const ENDING: &str = ".cwasm";

/// Beyond so many files the oldest goes. One takes about a megabyte, and every version of a component has its own.
const MOST: usize = 64;

#[derive(Debug)]
pub(crate) struct Kept {
    directory: PathBuf,
}

impl Kept {
    /// Makes the directory where it is missing.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn open(directory: &Path) -> Result<Self, String> {
        make_private(directory).map_err(|error| error.to_string())?;
        // What was looked at is what is used, wherever a link leads or this process goes later.
        let directory = directory.canonicalize().map_err(|error| error.to_string())?;
        trusted(&fs::metadata(&directory).map_err(|error| error.to_string())?)?;
        Ok(Self { directory })
    }

    /// `None` where there is none that can be used: none of the name, or one for another machine.
    pub(super) fn load(&self, engine: &Engine, name: &str) -> Option<Component> {
        let path = self.directory.join(name);
        let metadata = fs::symlink_metadata(&path).ok()?;
        let checked = if metadata.is_file() { trusted(&metadata) } else { Err("it is no file".to_owned()) };
        if let Err(reason) = checked {
            tracing::warn!(path = %path.display(), reason, "compiled code is not used");
            return None;
        }
        #[expect(
            unsafe_code,
            reason = "mapping code takes a quarter of a millisecond, a safe way six: most of a start"
        )]
        // SAFETY: the file has to hold what `Component::serialize` gave, and to stay as it is while it is mapped.
        // - Only `store` makes files of this name. It writes what `Component::serialize` gave to a file of another name, has
        //   the disk take it, and gives it this name in one step: there is never a part of one under it.
        // - Nobody writes to it afterwards: `store` replaces a file by another one, and takes one away by its name; on Unix a
        //   file that is mapped outlives both, on Windows neither is possible. On a network's file system it may not outlive
        //   what another machine does; touching it then ends the process, and does nothing else.
        // - Nobody else can do either: directory and file were just seen to belong to this user, or to root, and to be writable
        //   by no other. What runs as this user is trusted with this, as SECURITY.md says; `--no-cache` does without.
        // - Code of another version of wasmtime, for other settings or for another processor is refused by wasmtime.
        let loaded = unsafe { Component::deserialize_file(engine, &path) };
        loaded
            .inspect_err(|error| tracing::debug!(path = %path.display(), %error, "compiled code is not used"))
            .ok()
    }

    /// Keeps code under this name, in place of what is there.
    ///
    /// # Errors
    /// Why it cannot be written.
    pub(super) fn store(&self, name: &str, code: &[u8]) -> Result<(), String> {
        self.write(name, code).map_err(|error| error.to_string())?;
        self.forget_the_oldest();
        Ok(())
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(code)?;
        // After a power cut there is the whole file or none.
        file.as_file().sync_all()?;
        file.persist(self.directory.join(name))?;
        Ok(())
    }

    fn forget_the_oldest(&self) {
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        let of_ours = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ENDING)));
        let mut files: Vec<_> = of_ours
            .filter_map(|path| Some((fs::symlink_metadata(&path).ok()?.modified().ok()?, path)))
            .collect();
        files.sort();
        for (_, path) in files.iter().rev().skip(MOST) {
            // Another process may have been faster.
            let _gone = fs::remove_file(path);
        }
    }
}

#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    // Below %LOCALAPPDATA% a directory inherits an access list that names its user only.
    fs::create_dir_all(directory)
}

/// # Errors
/// Who else could have written it.
#[cfg(unix)]
fn trusted(metadata: &Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;

    trusted_by(rustix::process::geteuid().as_raw(), metadata.uid(), metadata.mode())
}

#[cfg(unix)]
fn trusted_by(user: u32, owner: u32, mode: u32) -> Result<(), String> {
    if owner != user && owner != 0 {
        return Err(format!("it belongs to another user ({owner})"));
    }
    if mode & 0o022 != 0 {
        return Err(format!("others may write to it (mode {:03o})", mode & 0o777));
    }
    Ok(())
}

#[cfg(not(unix))]
fn trusted(_: &Metadata) -> Result<(), String> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::cache::Cache;
    use crate::compiled::Compiler;
    use crate::limits::Limits;

    /// The smallest component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn compiler(directory: &Path) -> Compiler {
        Compiler::new(&Cache::Directory(directory.to_owned()), &Limits::default()).unwrap()
    }

    fn kept(directory: &Path) -> Vec<PathBuf> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn a_directory_is_made_for_this_user_only() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("a/b");
        Kept::open(&directory).unwrap();
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

    #[test]
    fn what_another_user_owns_is_refused() {
        assert!(trusted_by(1000, 1000, 0o40700).is_ok());
        assert!(trusted_by(1000, 0, 0o40755).is_ok(), "an image made by root");
        assert!(trusted_by(1000, 1001, 0o40700).unwrap_err().contains("another user"));
        assert!(trusted_by(0, 1000, 0o40700).unwrap_err().contains("another user"), "root in a user's home");
    }

    #[test]
    fn code_is_kept_whole_and_for_this_user_only() {
        let scratch = tempfile::tempdir().unwrap();
        let compiler = compiler(scratch.path());
        compiler.component(EMPTY, "digest").unwrap();
        let [file] = &kept(scratch.path())[..] else { panic!("one file") };
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(Kept::open(scratch.path()).unwrap().load(compiler.engine(), name).is_some());
    }

    #[test]
    fn code_that_cannot_be_trusted_is_compiled_anew() {
        let scratch = tempfile::tempdir().unwrap();
        let compiler = compiler(scratch.path());
        compiler.component(EMPTY, "digest").unwrap();
        let [file] = &kept(scratch.path())[..] else { panic!("one file") };
        let name = file.file_name().unwrap().to_str().unwrap();
        let whole = fs::read(file).unwrap();
        let again = || {
            let before = Kept::open(scratch.path()).unwrap().load(compiler.engine(), name);
            compiler.component(EMPTY, "digest").unwrap();
            assert_eq!(fs::read(file).unwrap(), whole);
            before
        };

        fs::set_permissions(file, fs::Permissions::from_mode(0o620)).unwrap();
        assert!(again().is_none(), "others may write to it");
        fs::write(file, &whole[..whole.len() / 2]).unwrap();
        assert!(again().is_none(), "half of it");
        fs::rename(file, scratch.path().join("elsewhere")).unwrap();
        std::os::unix::fs::symlink("elsewhere", file).unwrap();
        assert!(again().is_none(), "a link");
        assert!(again().is_some());
    }

    #[test]
    fn the_oldest_goes() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = Kept::open(scratch.path()).unwrap();
        fs::write(scratch.path().join("not of ours"), "").unwrap();
        for number in 0..=MOST {
            directory.store(&format!("{number}{ENDING}"), b"code").unwrap();
        }
        let left = kept(scratch.path());
        assert_eq!(left.len(), MOST + 1, "the newest, and what is not of ours");
    }
}
