//! Reading a file through the directories that the host opened for us.

use keyless_engine::io::FileFault;
use keyless_engine::secret::SecretBytes;

use super::streams;
use crate::wasi::filesystem::preopens;
use crate::wasi::filesystem::types::{DescriptorFlags, DescriptorType, OpenFlags, PathFlags};
use crate::{faults, target};

/// The whole file, if it has at most `limit` bytes. Opened by its path each time, as in the world for WASI 0.2.
pub(crate) async fn read(path: &str, limit: usize) -> Result<SecretBytes, FileFault> {
    let directories = preopens::get_directories();
    let (directory, path) = target::among(&directories, path).ok_or(FileFault::Denied)?;
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    let found = directory.stat_at(PathFlags::SYMLINK_FOLLOW, path.into()).await.map_err(faults::file)?;
    if !matches!(found.type_, DescriptorType::RegularFile) {
        return Err(FileFault::NotAFile);
    }
    let file = directory
        .open_at(PathFlags::SYMLINK_FOLLOW, path.into(), OpenFlags::empty(), DescriptorFlags::READ)
        .await
        .map_err(faults::file)?;
    let (stream, end) = file.read_via_stream(0);
    let content = streams::take(stream, limit).await.ok_or(FileFault::TooLarge)?;
    // A stream ends alike at the end of the file and at a fault.
    end.await.map_err(faults::file)?;
    Ok(content)
}
