//! Noticing that a file has changed, in the ways in which files change: written in place, replaced by renaming, or behind
//! the symbolic links of a Kubernetes volume. Every one of them is an event in the file's directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Editors write a file in several steps; what comes within this time of the first is one change.
const SETTLED: Duration = Duration::from_millis(100);

/// Where the system tells of no changes, the file is looked at this often.
const LOOK: Duration = Duration::from_secs(5);

/// Watches one file.
pub(super) struct Watch {
    path: PathBuf,
    /// `None` where the system tells of no changes.
    events: Option<mpsc::Receiver<()>>,
    content: Option<Zeroizing<Vec<u8>>>,
}

impl Watch {
    /// Changes count from now on.
    pub(super) fn new(path: &Path) -> Self {
        let events = events(path);
        if let Err(reason) = &events {
            tracing::debug!(%reason, "the system does not tell of changes; the file is looked at now and then");
        }
        Self { path: path.to_owned(), events: events.ok(), content: read(path) }
    }

    /// Returns when the content is another one than before. A file that is gone is no change: it is being replaced.
    pub(super) async fn changed(&mut self) {
        loop {
            match &mut self.events {
                Some(events) => {
                    if events.recv().await.is_none() {
                        self.events = None;
                    }
                    tokio::time::sleep(SETTLED).await;
                }
                None => tokio::time::sleep(LOOK).await,
            }
            let content = read(&self.path);
            if content.is_some() && content != self.content {
                self.content = content;
                return;
            }
        }
    }
}

fn read(path: &Path) -> Option<Zeroizing<Vec<u8>>> {
    fs::read(path).ok().map(Zeroizing::new)
}

/// One message for any number of events in the file's directory: which they are is of no importance, the content decides.
/// A thread of its own waits for them; it ends at the first event that nobody wants to hear of.
#[cfg(target_os = "linux")]
fn events(path: &Path) -> io::Result<mpsc::Receiver<()>> {
    use std::mem::MaybeUninit;
    use std::thread;

    use rustix::fs::inotify;

    let directory = match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let watching = inotify::init(inotify::CreateFlags::CLOEXEC)?;
    let kinds =
        inotify::WatchFlags::CLOSE_WRITE | inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
    inotify::add_watch(&watching, directory, kinds)?;
    let (sender, events) = mpsc::channel(1);
    thread::Builder::new().name("watch".to_owned()).spawn(move || {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&watching, &mut buffer);
        loop {
            match reader.next() {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            // A message that is waiting already tells of this event too.
            if let Err(mpsc::error::TrySendError::Closed(())) = sender.try_send(()) {
                return;
            }
        }
    })?;
    Ok(events)
}

/// Linux alone tells of changes in this way.
#[cfg(not(target_os = "linux"))]
fn events(_: &Path) -> io::Result<mpsc::Receiver<()>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    async fn noticed(watch: &mut Watch) {
        tokio::time::timeout(Duration::from_secs(20), watch.changed()).await.unwrap();
    }

    #[tokio::test]
    async fn writing_replacing_and_the_links_of_a_volume_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyless.toml");
        fs::write(&path, "1").unwrap();
        let mut watch = Watch::new(&path);
        fs::write(&path, "2").unwrap();
        noticed(&mut watch).await;

        let next = directory.path().join("next");
        fs::write(&next, "3").unwrap();
        fs::rename(&next, &path).unwrap();
        noticed(&mut watch).await;
        assert_eq!(watch.content.as_ref().unwrap().as_slice(), b"3");

        for version in ["v1", "v2"] {
            fs::create_dir(directory.path().join(version)).unwrap();
            fs::write(directory.path().join(version).join("keyless.toml"), version).unwrap();
        }
        fs::remove_file(&path).unwrap();
        symlink("v1", directory.path().join("..data")).unwrap();
        symlink("..data/keyless.toml", &path).unwrap();
        noticed(&mut watch).await;
        symlink("v2", directory.path().join("..next")).unwrap();
        fs::rename(directory.path().join("..next"), directory.path().join("..data")).unwrap();
        noticed(&mut watch).await;
        assert_eq!(watch.content.as_ref().unwrap().as_slice(), b"v2");
    }

    #[tokio::test]
    async fn the_same_content_is_no_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyless.toml");
        fs::write(&path, "1").unwrap();
        let mut watch = Watch::new(&path);
        fs::write(&path, "1").unwrap();
        let waited = tokio::time::timeout(SETTLED * 5, watch.changed()).await;
        assert!(waited.is_err());
    }
}
