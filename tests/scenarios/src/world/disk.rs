//! Files, in a real temporary directory: links, swaps and directories behave as they do.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use keyless_engine::io::FileFault;
use tempfile::TempDir;

/// Something that happens to the files.
#[derive(Clone)]
pub enum Change {
    Write { path: String, content: Vec<u8> },
    Volume { path: String, files: BTreeMap<String, String> },
    Remove { path: String },
    Directory { path: String },
}

/// A file system of its own. Paths of a document, absolute or not, lie below its root.
pub struct Disk {
    root: TempDir,
    /// Shown to a host in place of a directory that does not exist.
    empty: TempDir,
    swaps: AtomicU32,
}

impl Disk {
    pub fn new(files: &BTreeMap<String, Vec<u8>>) -> Result<Self> {
        let disk = Self { root: TempDir::new()?, empty: TempDir::new()?, swaps: AtomicU32::new(0) };
        for (path, content) in files {
            disk.apply(&Change::Write { path: path.clone(), content: content.clone() })?;
        }
        Ok(disk)
    }

    /// Where a path of a document really is.
    pub fn real(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    /// The directory of that name, or an empty one in its place: a directory that is not there (yet) holds no files, which
    /// is not the same as one that was not granted.
    pub fn directory(&self, name: &str) -> PathBuf {
        let real = self.real(name);
        if real.is_dir() { real } else { self.empty.path().to_owned() }
    }

    /// What a file holds, for a host that grants the directories of `granted`.
    pub fn read(&self, path: &str, granted: &[String]) -> Result<Vec<u8>, FileFault> {
        if !granted.iter().any(|file| parent(file) == parent(path)) {
            return Err(FileFault::Denied);
        }
        let (real, directory) = (self.real(path), self.real(parent(path)));
        let fault = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => FileFault::Missing,
            _ => FileFault::Failed,
        };
        // A link that leads out of the directory leads to what was not granted.
        let target = real.canonicalize().map_err(fault)?;
        if !target.starts_with(directory.canonicalize().map_err(fault)?) {
            return Err(FileFault::Denied);
        }
        if !target.is_file() {
            return Err(FileFault::NotAFile);
        }
        fs::read(target).map_err(fault)
    }

    pub fn apply(&self, change: &Change) -> Result<()> {
        match change {
            Change::Write { path, content } => {
                let real = self.real(path);
                fs::create_dir_all(real.parent().context("a file has a directory")?)?;
                fs::write(real, content)?;
            }
            Change::Volume { path, files } => self.swap(&self.real(path), files)?,
            Change::Remove { path } => {
                let real = self.real(path);
                if real.is_dir() {
                    fs::remove_dir_all(real)?;
                } else if fs::symlink_metadata(&real).is_ok() {
                    fs::remove_file(real)?;
                }
            }
            Change::Directory { path } => fs::create_dir_all(self.real(path))?,
        }
        Ok(())
    }

    /// As a kubelet's atomic writer: a new directory, a link to it renamed over the old one, the old directory removed.
    fn swap(&self, volume: &Path, files: &BTreeMap<String, String>) -> Result<()> {
        fs::create_dir_all(volume)?;
        let (data, old) = (volume.join("..data"), fs::read_link(volume.join("..data")).ok());
        let number = self.swaps.fetch_add(1, Ordering::Relaxed);
        let fresh = format!("..2027_01_15_08_00_00.{number:09}");
        fs::create_dir(volume.join(&fresh))?;
        for (name, content) in files {
            fs::write(volume.join(&fresh).join(name), content)?;
        }
        symlink(&fresh, volume.join("..data_tmp"))?;
        fs::rename(volume.join("..data_tmp"), &data)?;
        for name in files.keys() {
            let link = volume.join(name);
            if fs::symlink_metadata(&link).is_err() {
                symlink(format!("..data/{name}"), link)?;
            }
        }
        if let Some(old) = old {
            fs::remove_dir_all(volume.join(old))?;
        }
        Ok(())
    }
}

/// The directory part, as written: `/` for `/token`, `.` for `token`.
pub fn parent(file: &str) -> &str {
    match file.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None => ".",
    }
}

#[test]
fn a_swap_changes_what_the_link_leads_to_and_leaves_one_directory() {
    let disk = Disk::new(&BTreeMap::new()).unwrap();
    for content in ["one", "two", "three"] {
        let files = BTreeMap::from([("token".to_owned(), content.to_owned())]);
        disk.apply(&Change::Volume { path: "/v".to_owned(), files }).unwrap();
        assert_eq!(fs::read_to_string(disk.real("/v/token")).unwrap(), content);
    }
    assert_eq!(fs::read_link(disk.real("/v/token")).unwrap(), Path::new("..data/token"));
    assert_eq!(fs::read_dir(disk.real("/v")).unwrap().count(), 3);
}
