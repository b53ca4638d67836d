//! Who may use a listener.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use super::{Address, Bearer, Table};
use crate::Fault;

/// Who may use a listener. The default: on a Unix socket the user that `keyless` runs as, on loopback every program of
/// this machine, on any other address nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Clients present this file's content as a bearer. Read again when it changes.
    pub bearer_file: Option<PathBuf>,
    /// The bearer itself, for a program that makes one up. Not in the file, where a secret has no place.
    #[serde(skip)]
    pub bearer: Option<Bearer>,
    /// Numeric user ids of processes that may connect to a Unix socket. Absent: whoever the socket's mode lets in.
    pub users: Option<Vec<u32>>,
    /// Mode of the Unix socket's file, `"0600"` by default.
    #[serde(deserialize_with = "mode")]
    pub mode: Option<u32>,
    /// Names by which clients may call a listener on loopback, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// Whether everybody who can reach the address is meant to use it.
    pub anyone: bool,
}

impl Access {
    pub(super) fn check(&self, table: &Table<'_>, listen: &Address) -> Result<(), Fault> {
        if listen.is_public() && self.bearer_file.is_none() && self.bearer.is_none() && !self.anyone {
            return Err(table.fault(
                format!("listens on {listen} without a bearer: everybody who can reach it could use the credential"),
                "listen on 127.0.0.1 or a Unix socket, set access.bearer_file, or say access.anyone = true if another \
                 fence is there (such as a NetworkPolicy)",
            ));
        }
        if matches!(listen, Address::Tcp(_)) && (self.users.is_some() || self.mode.is_some()) {
            return Err(table.fault(
                "has access.users or access.mode, which only a Unix socket has",
                "listen on unix:/absolute/path, or leave them out",
            ));
        }
        Ok(())
    }
}

/// As for chmod: octal digits.
pub(super) fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match u32::from_str_radix(&text, 8) {
        Ok(mode) if mode <= 0o777 => Ok(Some(mode)),
        _ => Err(de::Error::custom("expected an octal mode in quotes, such as \"0660\"")),
    }
}
