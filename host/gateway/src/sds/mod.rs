//! Credentials as Envoy's secrets, for its `credential_injector` and whatever else takes a generic secret.
//!
//! ```text
//! connection ─▶ secret (names and values) ─┬─▶ writer ─▶ directory: NAME.yaml, NAME.token
//!                                          └─▶ subscription ─▶ discovery: gRPC
//! ```

mod directories;
mod directory;
mod discovery;
mod file_form;
mod secret;
mod subscription;
mod wish;
mod writer;

pub(crate) use directories::{Directories, prepare};
pub(crate) use discovery::Discovery;
