//! The finished gateway, as bytes: what hosts of `wasi:http` serve. This crate knows its code only as files that the build
//! script makes.

/// The world `http-gateway` of `wit/gateway.wit`: to be composed with a component that exports `credential-provider`.
pub const HTTP_GATEWAY_ALONE: &[u8] = include_bytes!(env!("KEYLESS_HTTP_GATEWAY_ALONE"));

/// The same with the credential provider plugged in: WASI 0.2 is all that is left to import.
pub const HTTP_GATEWAY: &[u8] = include_bytes!(env!("KEYLESS_HTTP_GATEWAY"));
