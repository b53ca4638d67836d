//! The engine as a component without imports, as bytes: what Node, Python and every host without WASI load. This crate knows
//! its code only as a file that the build script makes.

/// `wit/machine.wit` as a component: world `machine-only`.
pub const CREDENTIAL_MACHINE: &[u8] = include_bytes!(env!("KEYLESS_CREDENTIAL_MACHINE"));
