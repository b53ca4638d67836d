//! Reading a file through the directories that the host opened for us.

use alloc::vec::Vec;

use keyless_engine::io::FileFault;
use keyless_engine::secret::SecretBytes;
use wasi::filesystem::preopens;
use wasi::filesystem::types::{Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags};

/// The whole file, if it has at most `limit` bytes.
///
/// Opened by its path through the directory each time: a descriptor or an inode that is kept would miss the swap by
/// which a kubelet replaces a token.
pub(crate) fn read(path: &str, limit: usize) -> Result<SecretBytes, FileFault> {
    let directories = preopens::get_directories();
    let (directory, path) = directories
        .iter()
        .filter_map(|(directory, name)| Some((directory, below(name, path)?)))
        .min_by_key(|(_, rest)| rest.len())
        .ok_or(FileFault::Denied)?;
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    let found = directory.stat_at(PathFlags::SYMLINK_FOLLOW, path).map_err(fault)?;
    if found.type_ != DescriptorType::RegularFile {
        return Err(FileFault::NotAFile);
    }
    let file = directory
        .open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ)
        .map_err(fault)?;
    content(&file, limit)
}

fn content(file: &Descriptor, limit: usize) -> Result<SecretBytes, FileFault> {
    // Room for all of it beforehand: a vector that grows leaves pieces of the token behind.
    let mut content = SecretBytes::from(Vec::with_capacity(limit + 1));
    loop {
        let wanted = limit + 1 - content.len();
        let (bytes, end) = file.read(wanted as u64, content.len() as u64).map_err(fault)?;
        let bytes = SecretBytes::from(bytes);
        content.extend_from_slice(&bytes);
        if content.len() > limit {
            return Err(FileFault::TooLarge);
        }
        if end || bytes.is_empty() {
            return Ok(content);
        }
    }
}

/// The part of `path` below the directory `name`.
fn below<'p>(name: &str, path: &'p str) -> Option<&'p str> {
    let rest = match name.trim_end_matches('/') {
        "." | "" if !path.starts_with('/') => path.strip_prefix("./").unwrap_or(path),
        "" if name.starts_with('/') => path.strip_prefix('/')?,
        name => path.strip_prefix(name)?.strip_prefix('/')?,
    };
    (!rest.is_empty()).then_some(rest)
}

fn fault(code: ErrorCode) -> FileFault {
    match code {
        ErrorCode::NoEntry | ErrorCode::NotDirectory => FileFault::Missing,
        // A link that leads out of the directory.
        ErrorCode::NotPermitted => FileFault::Denied,
        ErrorCode::IsDirectory => FileFault::NotAFile,
        _ => FileFault::Failed,
    }
}
