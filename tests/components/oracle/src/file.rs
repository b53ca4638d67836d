//! A small file, through the directories that the host opened.

use wasi::filesystem::preopens::get_directories;
use wasi::filesystem::types::{DescriptorFlags, OpenFlags, PathFlags};

/// The whole file, as text.
pub(crate) fn read(path: &str) -> Result<String, String> {
    let directories = get_directories();
    let found = directories.iter().find_map(|(directory, name)| {
        let name = path.strip_prefix(name.trim_end_matches('/'))?.strip_prefix('/')?;
        Some((directory, name))
    });
    let (directory, name) = found.ok_or_else(|| format!("{path} is not in `source.files`"))?;
    let file = directory.open_at(PathFlags::SYMLINK_FOLLOW, name, OpenFlags::empty(), DescriptorFlags::READ);
    let content = file.and_then(|file| file.read(64 << 10, 0));
    let (content, _) = content.map_err(|code| format!("{path} cannot be read: {code:?}"))?;
    String::from_utf8(content).map_err(|_| format!("{path} is no text"))
}
