//! The files that a component may read.
//!
//! A token file is a link into a directory that a kubelet swaps as a whole, so the *directory* is opened, read-only and
//! under its own name, and the component looks the file up anew each time. The directory is opened before every call: it
//! may not exist yet, and may be replaced later. Its other files can be read, too: keep secrets that are not meant for
//! the component in another directory (a projected volume holds nothing but the token).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder};

use crate::Variables;
use crate::clock::Clocks;

/// Directories to open, after the names that the component sees: a handful, in order, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directories(Box<[(String, Box<Path>)]>);

impl Directories {
    /// The parents of these files, as the document spells them; below `root` if there is one.
    pub(crate) fn of<'a>(files: impl Iterator<Item = &'a str>, root: Option<&Path>) -> Self {
        let mut names: Vec<_> = files.map(parent).collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into_iter().map(|name| (name.to_owned(), on_host(name, root).into())).collect())
    }

    /// A fresh context: these directories as far as they exist now, the given clocks, these variables, and nothing else.
    /// No arguments, standard streams that lead nowhere.
    pub(crate) fn context(&self, clocks: &Arc<dyn Clocks>, environment: &Variables) -> WasiCtx {
        let mut context = WasiCtxBuilder::new();
        context.envs(environment.as_pairs());
        context.wall_clock(Wall(Arc::clone(clocks))).monotonic_clock(Monotonic(Arc::clone(clocks)));
        for (name, directory) in &*self.0 {
            if let Err(reason) = open(&mut context, directory, name) {
                // The component says what it needed it for.
                tracing::debug!(directory = %directory.display(), %reason, "a granted directory cannot be opened");
            }
        }
        context.build()
    }
}

fn open(context: &mut WasiCtxBuilder, directory: &Path, name: &str) -> wasmtime::Result<()> {
    let Err(reason) = context.preopened_dir(directory, name, FsPerms::ReadOnly) else { return Ok(()) };
    let missing = |e: &io::Error| matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory);
    if !reason.downcast_ref::<io::Error>().is_some_and(missing) {
        return Err(reason);
    }
    // What is granted but not there must look missing, not forbidden: an empty directory stands in. It is gone again when
    // this returns; what stays is the open handle, in which nothing can be made any more.
    let empty = tempfile::tempdir()?;
    context.preopened_dir(empty.path(), name, FsPerms::ReadOnly)?;
    Ok(())
}

/// The directory part, as written: `/` for `/token`, `.` for `token`.
fn parent(file: &str) -> &str {
    match file.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((directory, _)) => directory,
        None => ".",
    }
}

pub(crate) fn on_host(name: &str, root: Option<&Path>) -> PathBuf {
    match root {
        None => PathBuf::from(name),
        Some(root) => root.join(name.trim_start_matches('/')),
    }
}

struct Wall(Arc<dyn Clocks>);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0.wall()
    }
}

struct Monotonic(Arc<dyn Clocks>);

impl HostMonotonicClock for Monotonic {
    /// In nanoseconds.
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.monotonic().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_directory_is_opened_under_its_own_name() {
        let files = [
            "/var/run/secrets/openai/token",
            "/token",
            "token",
            "./a/token",
            "/var/run/secrets/openai/other",
        ];
        let directories = Directories::of(files.into_iter(), None);
        let names: Vec<_> = directories.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [".", "./a", "/", "/var/run/secrets/openai"]);
        assert_eq!(*directories.0[2].1, *Path::new("/"));
    }

    #[test]
    fn a_root_moves_the_directory_but_not_its_name() {
        let directories = Directories::of(["/var/run/token", "token"].into_iter(), Some(Path::new("/image")));
        let places: Vec<_> = directories.0.iter().map(|(_, place)| &**place).collect();
        assert_eq!(places, [Path::new("/image/."), Path::new("/image/var/run")]);
    }
}
