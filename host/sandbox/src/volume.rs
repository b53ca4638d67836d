//! A projected-token volume, laid out and changed exactly as the kubelet does it.
//!
//! ```text
//! ..2026_11_21_12_00_00.1234567890/token    the file
//! ..data -> ..2026_11_21_12_00_00.1234567890 replaced by rename, so that a path never points nowhere
//! token -> ..data/token                      what the workload opens
//! ```
//!
//! Source: `pkg/volume/util/atomic_writer.go` of Kubernetes. One difference: the kubelet deletes the previous directory
//! at once, and a reader that has followed `..data` but not yet opened the file misses it; here it is deleted by a later
//! change, so that a test which sees a missing file has found a fault of its own.

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;

use crate::lock::lock;
use crate::random;

const FILE: &str = "token";
const DATA: &str = "..data";
const DATA_NEW: &str = "..data_tmp";

/// How long a superseded directory stays: longer than any machine stalls a reader inside one `open`.
const LINGER: Duration = Duration::from_secs(10);

/// The volume.
pub(crate) struct Volume {
    root: PathBuf,
    linger: Duration,
    generations: Mutex<Generations>,
}

/// Timestamped directories.
#[derive(Default)]
struct Generations {
    current: Option<PathBuf>,
    /// Oldest first, each with the moment at which it was superseded.
    superseded: VecDeque<(Instant, PathBuf)>,
}

impl Volume {
    /// An empty volume at `root`, which must not exist yet.
    pub(crate) fn create(root: PathBuf) -> io::Result<Self> {
        Self::lingering(root, LINGER)
    }

    fn lingering(root: PathBuf, linger: Duration) -> io::Result<Self> {
        fs::create_dir(&root)?;
        // As the tmpfs that the kubelet mounts. What surrounds it is private to the sandbox's user.
        fs::set_permissions(&root, Permissions::from_mode(0o1777))?;
        Ok(Self { root, linger, generations: Mutex::default() })
    }

    /// Where the workload finds its token.
    pub(crate) fn token_path(&self) -> PathBuf {
        self.root.join(FILE)
    }

    /// The directory to mount or to grant.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Replaces the token file by one with this content.
    pub(crate) fn write(&self, content: &[u8]) -> io::Result<()> {
        self.swap(Some(content))
    }

    /// Takes the token file away, as when the projection is removed from the pod.
    pub(crate) fn remove(&self) -> io::Result<()> {
        self.swap(None)
    }

    fn swap(&self, content: Option<&[u8]>) -> io::Result<()> {
        let mut generations = lock(&self.generations);
        let (name, directory) = self.timestamped_directory()?;
        if let Some(content) = content {
            let file = directory.join(FILE);
            fs::write(&file, content)?;
            fs::set_permissions(&file, Permissions::from_mode(0o644))?;
        }

        let new_link = self.root.join(DATA_NEW);
        symlink(&name, &new_link)?;
        fs::rename(&new_link, self.root.join(DATA))?;
        let replaced = generations.current.replace(directory);
        generations.superseded.extend(replaced.map(|directory| (Instant::now(), directory)));

        let visible = self.token_path();
        let is_visible = fs::symlink_metadata(&visible).is_ok();
        match content {
            Some(_) if !is_visible => symlink(Path::new(DATA).join(FILE), &visible)?,
            None if is_visible => fs::remove_file(&visible)?,
            _ => {}
        }
        while let Some((_, directory)) =
            generations.superseded.pop_front_if(|(since, _)| since.elapsed() >= self.linger)
        {
            fs::remove_dir_all(directory)?;
        }
        Ok(())
    }

    fn timestamped_directory(&self) -> io::Result<(String, PathBuf)> {
        let now = OffsetDateTime::from(SystemTime::now());
        let suffix = random::hex(10).map_err(io::Error::other)?;
        let name = format!(
            "..{:04}_{:02}_{:02}_{:02}_{:02}_{:02}.{suffix}",
            now.year(),
            u8::from(now.month()),
            now.day(),
            now.hour(),
            now.minute(),
            now.second(),
        );
        let path = self.root.join(&name);
        DirBuilder::new().mode(0o755).create(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
        Ok((name, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn superseded_directories_go_once_they_have_lingered() {
        let directory = tempfile::tempdir().unwrap();
        let entries = |volume: &Volume| fs::read_dir(volume.root()).unwrap().count();
        let patient = Volume::lingering(directory.path().join("patient"), LINGER).unwrap();
        let hasty = Volume::lingering(directory.path().join("hasty"), Duration::ZERO).unwrap();
        for content in ["a", "b", "c"] {
            patient.write(content.as_bytes()).unwrap();
            hasty.write(content.as_bytes()).unwrap();
        }
        // Two links and the directories.
        assert_eq!((entries(&patient), entries(&hasty)), (2 + 3, 2 + 1));
        assert_eq!(fs::read(hasty.token_path()).unwrap(), b"c");
    }
}
