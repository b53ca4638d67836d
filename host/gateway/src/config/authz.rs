//! `[authz.NAME]`.

use serde::Deserialize;

use super::{Access, Address, Route};

/// An authorisation service: Envoy's ext_authz, nginx's auth_request, forward_auth of Traefik and Caddy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authz {
    /// Where to listen.
    pub listen: Address,
    /// Short for one route for everything.
    #[serde(default)]
    pub connection: Option<String>,
    /// Several connections, by the prefix of the original path; the longest wins.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Who may use it.
    #[serde(default)]
    pub access: Access,
}
