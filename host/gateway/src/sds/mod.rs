//! Credentials as Envoy's secrets, for its `credential_injector` and whatever else takes a generic secret.
//!
//! ```text
//! connection ─▶ secret (names and values) ─▶ writer ─▶ directory: NAME.yaml, NAME.token
//! ```

mod directories;
mod directory;
mod file_form;
mod secret;
mod writer;

pub(crate) use directories::{Directories, prepare};
