//! The finished filter, as bytes: what Envoy loads. This crate knows its code only as files that the build script makes.

/// A core module for proxy-wasm ABI 0.2.1.
pub const ENVOY_FILTER: &[u8] = include_bytes!(env!("KEYLESS_ENVOY_FILTER"));
