//! Reading a file through the directories that the host opened for us.

use alloc::vec::Vec;

use keyless_engine::io::FileFault;
use keyless_engine::secret::SecretBytes;
use wasi::filesystem::preopens;
use wasi::filesystem::types::{Descriptor, DescriptorFlags, DescriptorType, OpenFlags, PathFlags};

use crate::{faults, target};

/// The whole file, if it has at most `limit` bytes.
///
/// Opened by its path through the directory each time: a descriptor or an inode that is kept would miss the swap by
/// which a kubelet replaces a token.
pub(crate) fn read(path: &str, limit: usize) -> Result<SecretBytes, FileFault> {
    let directories = preopens::get_directories();
    let (directory, path) = target::among(&directories, path).ok_or(FileFault::Denied)?;
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    let found = directory.stat_at(PathFlags::SYMLINK_FOLLOW, path).map_err(faults::file)?;
    if found.type_ != DescriptorType::RegularFile {
        return Err(FileFault::NotAFile);
    }
    let file = directory
        .open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ)
        .map_err(faults::file)?;
    content(&file, found.size, limit)
}

/// `size`: what there was a moment ago. Many hosts tell the end of a file only to who reads on there, and to each call belongs a
/// thread for blocking calls: with so many bytes, that one is saved.
fn content(file: &Descriptor, size: u64, limit: usize) -> Result<SecretBytes, FileFault> {
    // Room for all of it beforehand: a vector that grows leaves pieces of the token behind.
    let mut content = SecretBytes::from(Vec::with_capacity(limit + 1));
    loop {
        let wanted = limit + 1 - content.len();
        let (bytes, end) = file.read(wanted as u64, content.len() as u64).map_err(faults::file)?;
        let bytes = SecretBytes::from(bytes);
        content.extend_from_slice(&bytes);
        if content.len() > limit {
            return Err(FileFault::TooLarge);
        }
        if end || bytes.is_empty() || content.len() as u64 == size {
            return Ok(content);
        }
    }
}
