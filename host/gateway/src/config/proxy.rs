//! `[proxy.NAME]`.

use serde::Deserialize;

use super::{Access, Address, Route};

/// A reverse proxy that sets the credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// Where to listen.
    pub listen: Address,
    /// Short for one route for everything.
    #[serde(default)]
    pub connection: Option<String>,
    /// Several upstreams; the longest prefix wins.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Who may use it.
    #[serde(default)]
    pub access: Access,
}
