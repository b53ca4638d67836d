//! `[ops]`.

use serde::Deserialize;

use super::{Access, Address};

/// Health, metrics and the status page. They show no secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ops {
    /// Where to listen.
    pub listen: Address,
    /// Who may use it.
    #[serde(default)]
    pub access: Access,
}
