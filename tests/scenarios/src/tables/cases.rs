//! Every folder of `cases/`.

use std::fs;
use std::path::Path;

use crate::scenario::Scenario;

/// All of them, in the order of their names.
pub fn load() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases");
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders.iter().map(|folder| Scenario::load(folder).unwrap_or_else(|error| panic!("{error:#}"))).collect()
}
