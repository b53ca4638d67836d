//! Where to listen.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// `"127.0.0.1:8080"`, `"unix:/run/keyless/proxy.sock"`, or `"systemd:NAME"` for a socket that systemd hands over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// TCP. Port 0: any free one.
    Tcp(SocketAddr),
    /// A Unix socket at this absolute path.
    Unix(PathBuf),
    /// The socket with this `FileDescriptorName=` (systemd.socket(5)).
    Systemd(String),
}

impl Address {
    /// Whether other machines may be able to reach it. What systemd hands over is the unit's decision.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Tcp(address) if !address.ip().is_loopback())
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.is_absolute() {
                Ok(Self::Unix(path))
            } else {
                Err("a Unix socket needs an absolute path, as in unix:/run/keyless/proxy.sock".to_owned())
            };
        }
        if let Some(name) = text.strip_prefix("systemd:") {
            return if name.is_empty() {
                Err("systemd: needs the FileDescriptorName of the socket unit".to_owned())
            } else {
                Ok(Self::Systemd(name.to_owned()))
            };
        }
        text.parse().map(Self::Tcp).map_err(|_| {
            "expected ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080, unix:/absolute/path, or systemd:NAME"
                .to_owned()
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
