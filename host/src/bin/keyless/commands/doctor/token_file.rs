//! What a token file looks like from outside, and what the token in it says of itself.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::identity_token::IdentityToken;

/// As much as the component reads (16 KiB).
const LIMIT: u64 = 16 * 1024;

/// A look at a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TokenFile {
    pub(super) path: String,
    /// Whether its directory is there.
    pub(super) in_directory: bool,
    /// Whether the path is a symbolic link, wherever it leads.
    pub(super) link: bool,
    /// Whether there is something, at the end of all links.
    pub(super) exists: bool,
    pub(super) regular: bool,
    /// Permissions, where the platform has them.
    pub(super) mode: Option<u32>,
    /// User and group that own it.
    pub(super) owner: Option<(u32, u32)>,
    /// Whether this process was kept from reading it.
    pub(super) forbidden: bool,
    pub(super) bytes: u64,
    /// When it was last written, in seconds before now.
    pub(super) age: Option<u64>,
    /// Whether a kubelet keeps it: such a volume holds a `..data` link that is swapped.
    pub(super) projected: bool,
    /// Whether the content begins as a JSON web token does.
    pub(super) begins_as_token: bool,
    pub(super) token: Option<IdentityToken>,
}

impl TokenFile {
    pub(super) fn look(path: &str) -> Self {
        let place = Path::new(path);
        let directory =
            place.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = Self {
            path: path.to_owned(),
            in_directory: directory.is_dir(),
            link: fs::symlink_metadata(place).is_ok_and(|found| found.is_symlink()),
            projected: fs::symlink_metadata(directory.join("..data")).is_ok(),
            ..Self::default()
        };
        let Ok(found) = fs::metadata(place) else { return file };
        file.exists = true;
        file.regular = found.is_file();
        file.bytes = found.len();
        (file.mode, file.owner) = permissions(&found);
        let written = found.modified().ok();
        file.age = written.and_then(|at| SystemTime::now().duration_since(at).ok()).map(|age| age.as_secs());
        // Anything but a regular file could keep its reader waiting.
        if file.regular {
            match content(place) {
                Ok(content) => {
                    // Every JSON object in base64url begins like this.
                    file.begins_as_token = content.trim_ascii_start().starts_with(b"eyJ");
                    file.token = IdentityToken::find(&content);
                }
                Err(reason) => file.forbidden = reason.kind() == io::ErrorKind::PermissionDenied,
            }
        }
        file
    }

    /// Permissions and owner, for people.
    pub(super) fn owned(&self) -> String {
        match (self.mode, self.owner) {
            (Some(mode), Some((user, group))) => {
                format!("mode {:04o}, user {user}, group {group}", mode & 0o7777)
            }
            _ => "permissions unknown".to_owned(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "exists": self.exists,
            "mode": self.mode.map(|mode| format!("{:04o}", mode & 0o7777)),
            "user": self.owner.map(|(user, _)| user),
            "group": self.owner.map(|(_, group)| group),
            "bytes": self.exists.then_some(self.bytes),
            "written_seconds_ago": self.age,
            "projected": self.projected,
        })
    }
}

fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for everything from the start: a buffer that grows leaves copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(LIMIT).unwrap_or_default() + 1));
    File::open(path)?.take(LIMIT).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(unix)]
fn permissions(found: &Metadata) -> (Option<u32>, Option<(u32, u32)>) {
    use std::os::unix::fs::MetadataExt as _;

    (Some(found.mode()), Some((found.uid(), found.gid())))
}

#[cfg(not(unix))]
fn permissions(_: &Metadata) -> (Option<u32>, Option<(u32, u32)>) {
    (None, None)
}
