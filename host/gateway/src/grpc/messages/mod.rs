//! Envoy's messages, those fields that are used here, with the numbers of Envoy 1.40's `api/` (each file names its source).
//!
//! Fields that are not named are skipped when a message is read. Messages that carry a secret have no `Debug`.

pub(crate) mod auth;
pub(crate) mod core;
pub(crate) mod discovery;
pub(crate) mod header;
pub(crate) mod process;
pub(crate) mod secret;
