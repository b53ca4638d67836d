//! The component for WASI 0.3, as bytes: for hosts whose calls are `async`. This crate knows its code only as a file that the
//! build script makes.

/// `wit/async/provider.wit` as a component: world `provider` of `keyless:credentials-async`.
pub const CREDENTIAL_PROVIDER_ASYNC: &[u8] = include_bytes!(env!("KEYLESS_CREDENTIAL_PROVIDER_ASYNC"));
