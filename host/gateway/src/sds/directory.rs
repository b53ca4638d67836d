//! A directory for secrets, and files that appear in it whole or not at all.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::Fault;

/// Bits of a mode that let others than the owner write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// A directory that nobody else can put files into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directory {
    path: PathBuf,
    file_mode: u32,
}

impl Directory {
    /// Makes it where it is absent: for this user alone, or readable by the group when the files are.
    ///
    /// # Errors
    /// `sds-directory` when it cannot be used.
    pub(super) fn open(path: &Path, file_mode: u32) -> Result<Self, Fault> {
        let fault = |what: String, next: &str| {
            Fault::new("sds-directory", format!("the directory for secrets {} {what}", path.display()), next)
        };
        let mode = if file_mode & 0o040 == 0 { 0o700 } else { 0o750 };
        let unusable = |reason: io::Error| {
            let next =
                "choose a directory that this user may write to, best in memory such as /run/keyless/sds";
            fault(format!("cannot be used: {reason}"), next)
        };
        DirBuilder::new().recursive(true).mode(mode).create(path).map_err(unusable)?;
        let found = fs::metadata(path).map_err(unusable)?;
        let user = rustix::process::geteuid().as_raw();
        if found.uid() != user && found.uid() != 0 {
            return Err(fault(
                format!("belongs to another user ({})", found.uid()),
                "choose a directory of this user's",
            ));
        }
        if found.mode() & WRITABLE_BY_OTHERS != 0 {
            return Err(fault(
                format!("can be written to by others (mode {:04o})", found.mode() & 0o7777),
                "take that right away, as with `chmod go-w`, or name a directory inside of it, which is then made",
            ));
        }
        let directory = Self { path: path.to_owned(), file_mode };
        directory.unfinished("try", b"").map_err(unusable)?;
        directory.remove(&unfinished_name("try")).map_err(unusable)?;
        Ok(directory)
    }

    /// Gives the file this content: whoever reads it meanwhile has the old or the new one, whole.
    ///
    /// # Errors
    /// When the system refuses; then the old content stands.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.unfinished(name, content)?;
        let unfinished = self.path.join(unfinished_name(name));
        fs::rename(&unfinished, self.path.join(name)).inspect_err(|_| {
            let _not_left_behind = fs::remove_file(&unfinished);
        })
    }

    /// Takes the file away, if it is there.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The content under another name, on the disk: after a power cut the name stands for the old or the new content.
    fn unfinished(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path.join(unfinished_name(name));
        let _left_by_a_dead_process = fs::remove_file(&path);
        let written = (|| {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(self.file_mode).open(&path)?;
            // Whatever the umask takes away.
            file.set_permissions(fs::Permissions::from_mode(self.file_mode))?;
            file.write_all(content)?;
            file.sync_all()
        })();
        if written.is_err() {
            let _half = fs::remove_file(&path);
        }
        written
    }
}

/// Hidden, and not what any program looks for.
fn unfinished_name(name: &str) -> String {
    format!(".{name}.{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn it_is_made_for_this_user_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let directory = Directory::open(&path, 0o600).unwrap();
        assert_eq!((mode(&path), fs::read_dir(&path).unwrap().count()), (0o700, 0));
        directory.write("x", b"one").unwrap();
        directory.write("x", b"two").unwrap();
        assert_eq!(fs::read(path.join("x")).unwrap(), b"two");
        assert_eq!((mode(&path.join("x")), fs::read_dir(&path).unwrap().count()), (0o600, 1));
        directory.remove("x").unwrap();
        directory.remove("x").unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        let for_a_group = parent.path().join("c");
        Directory::open(&for_a_group, 0o640).unwrap().write("x", b"").unwrap();
        assert_eq!((mode(&for_a_group), mode(&for_a_group.join("x"))), (0o750, 0o640));
    }

    #[test]
    fn one_that_others_can_write_to_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for unsafe_mode in [0o777, 0o1777, 0o770, 0o702] {
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(unsafe_mode)).unwrap();
            let fault = Directory::open(directory.path(), 0o600).unwrap_err();
            assert_eq!(fault.code, "sds-directory");
            assert!(fault.what.contains(&format!("{unsafe_mode:04o}")), "{fault}");
        }
    }

    #[test]
    fn what_is_no_directory_is_refused_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(Directory::open(&file, 0o600).unwrap_err().code, "sds-directory");
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let parent = tempfile::tempdir().unwrap();
        let directory = Directory::open(&parent.path().join("x"), 0o600).unwrap();
        // A directory in the place of the file cannot be renamed over.
        fs::create_dir(parent.path().join("x/name")).unwrap();
        assert!(directory.write("name", b"secret").is_err());
        let left: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["name"]);
    }
}
