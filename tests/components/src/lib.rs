//! Components for the source `custom`, as bytes.

/// Asks an identity domain of Oracle Cloud: the recipe of docs/custom-source.md.
pub const ORACLE: &[u8] = include_bytes!(env!("KEYLESS_TEST_ORACLE"));

/// Does what its audience says, none of it good.
pub const MISBEHAVING: &[u8] = include_bytes!(env!("KEYLESS_TEST_MISBEHAVING"));
