//! The finished components, as bytes: what a host embeds, and what is shipped.
//!
//! This crate knows the guest only as files that its build script makes. Hosts depend on it, never on the guest's code.

/// `wit/provider.wit` as a component: world `provider`, for any WASI 0.2 host.
pub const CREDENTIAL_PROVIDER: &[u8] = include_bytes!(env!("KEYLESS_CREDENTIAL_PROVIDER"));

/// The same and one import more: world `provider-with-source`, for a host that can load a component of the user's own which
/// gives identity tokens.
pub const CREDENTIAL_PROVIDER_WITH_SOURCE: &[u8] =
    include_bytes!(env!("KEYLESS_CREDENTIAL_PROVIDER_WITH_SOURCE"));
