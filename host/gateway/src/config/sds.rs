//! `[sds.NAME]`.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use super::{Access, Address, Table, access};
use crate::Fault;

/// Secrets for Envoy: as files, as a discovery service, or both.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sds {
    /// Where to write the files, one pair per connection.
    #[serde(default)]
    pub directory: Option<PathBuf>,
    /// Mode of the files: `"0600"` by default, or `"0640"` where the gateway runs as another user of the directory's group.
    #[serde(default = "private", deserialize_with = "file_mode")]
    pub file_mode: u32,
    /// Where to serve gRPC.
    #[serde(default)]
    pub listen: Option<Address>,
    /// By name; absent: all.
    #[serde(default)]
    pub connections: Option<Vec<String>>,
    /// Who may use the discovery service.
    #[serde(default)]
    pub access: Access,
}

impl Sds {
    pub(super) fn check(&self, table: &Table<'_>) -> Result<(), Fault> {
        match (&self.directory, &self.listen) {
            (None, None) => Err(table.fault(
                "has neither `directory` nor `listen`",
                "say where to write the files, or where to serve gRPC",
            )),
            (Some(directory), _) if !directory.is_absolute() => {
                Err(table
                    .fault("has a relative `directory`", "write an absolute path such as /run/keyless/sds"))
            }
            (_, listen) => {
                listen.iter().try_for_each(|listen| self.access.check(table, listen))?;
                table.names(self.connections.as_deref())
            }
        }
    }
}

fn private() -> u32 {
    0o600
}

fn file_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match access::mode(deserializer)? {
        Some(mode @ (0o600 | 0o640)) => Ok(mode),
        _ => Err(de::Error::custom("files with a credential have the mode \"0600\" or \"0640\"")),
    }
}
