//! Every directory that the configuration names, and who writes into it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::directory::Directory;
use super::writer::Writer;
use crate::Fault;
use crate::config::Config;
use crate::connection::{Connection, Connections};
use crate::gateway::listed;

/// Which files: of a connection, in a directory.
type Place = (PathBuf, String);

/// The writers at work. They end when it is dropped, and leave their files.
#[derive(Default)]
pub(crate) struct Directories {
    /// Also those whose files are gone: a file comes back in the order in which it went.
    writers: BTreeMap<Place, Writer>,
}

/// What a configuration asks for, checked.
pub(crate) struct Prepared(BTreeMap<Place, (Directory, Arc<dyn Connection>)>);

/// Makes the directories and looks whether they can be used. Writes nothing that is read by anybody.
///
/// # Errors
/// `sds-directory`, and `serve-config` where files would get in each other's way.
pub(crate) fn prepare(config: &Config, connections: &Connections) -> Result<Prepared, Fault> {
    let mut prepared = BTreeMap::new();
    for (table, sds) in &config.sds {
        let Some(path) = &sds.directory else { continue };
        if prepared.keys().any(|(taken, _)| taken == path) {
            return Err(Fault::new(
                "serve-config",
                format!("[sds.{table}] and another table have the directory {}", path.display()),
                "give each a directory of its own",
            ));
        }
        let directory = Directory::open(path, sds.file_mode)?;
        let served = listed(connections, sds.connections.as_deref());
        names(table, served.keys().map(String::as_str))?;
        for (name, connection) in served {
            prepared.insert((path.clone(), name), (directory.clone(), connection));
        }
    }
    Ok(Prepared(prepared))
}

impl Directories {
    /// Writes these from now on, and no others. Must be called on a tokio runtime.
    pub(crate) fn keep(&mut self, Prepared(mut prepared): Prepared) {
        for (place, writer) in &self.writers {
            writer.order(prepared.remove(place));
        }
        for ((path, name), order) in prepared {
            tracing::info!(connection = name, directory = %path.display(), "writing its secrets");
            let writer = Writer::start(name.clone());
            writer.order(Some(order));
            self.writers.insert((path, name), writer);
        }
    }
}

/// Names of connections become names of files.
fn names<'a>(table: &str, names: impl Iterator<Item = &'a str> + Clone) -> Result<(), Fault> {
    for name in names.clone() {
        if name.is_empty() || name.starts_with('.') || name.contains(|c: char| c == '/' || c.is_control()) {
            return Err(Fault::new(
                "serve-config",
                format!(
                    "[sds.{table}] would write the connection {name:?}, which cannot be the name of a file"
                ),
                "rename the connection, with letters, digits, `-` and `_`",
            ));
        }
        if let Some(other) =
            names.clone().find(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
        {
            return Err(Fault::new(
                "serve-config",
                format!("[sds.{table}] has `{name}` and `{other}`, whose files could have one name"),
                "rename one of them, without a dot",
            ));
        }
    }
    Ok(())
}
