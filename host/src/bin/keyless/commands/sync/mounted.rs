//! `--kube-secrets`: the Secret that a manifest of External Secrets' generator refers to, where no volume shows it.
//!
//! The component reads files. So the key of that Secret becomes one, in a directory for this process alone, in memory where the
//! system has such a place; and it is read from the cluster again now and then, as a volume would be.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyless_kubernetes::{Cluster, ObjectName, secret};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::output::problem::{Class, Problem};
use crate::session::Session;

/// What says where Secrets are mounted.
const DIRECTORY: &str = "KEYLESS_SECRETS_DIR";

/// A volume takes as long to show a Secret that has changed.
const LOOK: Duration = Duration::from_secs(60);

/// A Secret's key as a file, for as long as this lives.
pub(super) struct Mounted {
    _directory: TempDir,
    following: JoinHandle<()>,
}

impl Mounted {
    /// Reads the Secret that the document refers to, and has the document read it there. `None` for a document that refers to
    /// none, or to one that is mounted.
    pub(super) async fn of(session: &mut Session, cluster: &Cluster) -> Result<Option<Self>, Problem> {
        let Some(reference) = Reference::of(session) else { return Ok(None) };
        let directory = directory().map_err(|reason| unwritable(&reason))?;
        let object =
            ObjectName::parse(&reference.name, cluster.default_namespace(), "`openAiAdminKey.name`")?;
        let file = directory.path().join(&reference.name).join(&reference.key);
        show(cluster, &object, &reference.key, &file).await?;
        let place = directory.path().to_str().unwrap_or_default().to_owned();
        session.with_variable(DIRECTORY, place).await?;
        let following = tokio::spawn(follow(cluster.clone(), object, reference.key, file));
        Ok(Some(Self { _directory: directory, following }))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// A key of a Secret, as the manifest names it.
struct Reference {
    name: String,
    key: String,
}

impl Reference {
    /// By the file that the plan asks for: `DIRECTORY/NAME/KEY`.
    fn of(session: &Session) -> Option<Self> {
        let plan = &session.plan;
        let file = plan.requirements.files.first().filter(|_| plan.dialect == "external-secrets")?;
        let path = Path::new(file);
        if path.exists() {
            return None;
        }
        let part = |part: Option<&std::ffi::OsStr>| part?.to_str().map(str::to_owned);
        Some(Self { name: part(path.parent()?.file_name())?, key: part(path.file_name())? })
    }
}

async fn follow(cluster: Cluster, object: ObjectName, key: String, file: PathBuf) {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(problem) = show(&cluster, &object, &key, &file).await {
            // The last one stays, as in a volume.
            tracing::warn!(code = %problem.code(), "the Admin key was not read again: {}", problem.what());
        }
    }
}

async fn show(cluster: &Cluster, object: &ObjectName, key: &str, file: &Path) -> Result<(), Problem> {
    let value = secret(cluster, object, key).await?;
    write(file, &value).map_err(|reason| unwritable(&reason))
}

/// In place of the one before, never half of it.
fn write(file: &Path, value: &[u8]) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let fresh = file.with_extension("fresh");
    let mut opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    opened.write_all(value)?;
    fs::rename(&fresh, file)
}

/// Where nothing reaches a disk, if there is such a place. For this user alone.
fn directory() -> io::Result<TempDir> {
    let mut private = tempfile::Builder::new();
    private.prefix("keyless-").permissions(fs::Permissions::from_mode(0o700));
    private.tempdir_in("/dev/shm").or_else(|_| private.tempdir())
}

fn unwritable(reason: &io::Error) -> Problem {
    Problem::new(
        Class::Failed,
        "secret-unwritable",
        format!("the Admin key cannot be kept in a file of this process: {reason}"),
        "give the pod a writable /dev/shm or /tmp, or mount the Secret",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_file_for_this_user_alone() {
        let directory = directory().unwrap();
        let file = directory.path().join("admin/api.key");
        for value in [b"one".as_slice(), b"two"] {
            write(&file, value).unwrap();
            assert_eq!(fs::read(&file).unwrap(), value);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(directory.path())), (0o600, 0o700));
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }
}
