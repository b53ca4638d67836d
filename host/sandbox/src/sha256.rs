//! SHA-256, the only form in which a secret is kept.

use ring::digest;

/// A digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Sha256([u8; 32]);

impl Sha256 {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
            *to = *from;
        }
        Self(digest)
    }

    /// 64 lower-case hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
