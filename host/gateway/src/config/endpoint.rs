//! `[endpoint.NAME]`.

use serde::Deserialize;

use super::{Access, Address};

/// A token endpoint for applications.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Where to listen.
    pub listen: Address,
    /// By name; absent: all.
    #[serde(default)]
    pub connections: Option<Vec<String>>,
    /// Who may use it.
    #[serde(default)]
    pub access: Access,
}
