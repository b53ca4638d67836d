//! The one type that holds secrets.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use zeroize::Zeroize as _;

/// A secret text: wiped when dropped, without `Debug`, `Display` or `Clone`.
///
/// Whoever needs the content says so with [`Secret::expose`], which is easy to search for.
pub struct Secret(String);

impl Secret {
    /// Takes the text over. Copies that the caller made before are the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// `prefix` and this secret in one string, without leaving a half-built copy behind.
    #[must_use]
    pub fn prefixed(&self, prefix: &str) -> Self {
        let mut text = String::with_capacity(prefix.len() + self.0.len());
        text.push_str(prefix);
        text.push_str(&self.0);
        Self::new(text)
    }

    /// The content. Never write it to a log, an error or a plan.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be said about it: `secret, 51 characters`.
    #[must_use]
    pub fn shape(&self) -> String {
        match self.0.chars().count() {
            1 => "secret, 1 character".to_owned(),
            n => format!("secret, {n} characters"),
        }
    }

    /// Whether it can stand in a header: visible ASCII only, not empty.
    ///
    /// A superset of RFC 6750's `b68token`; what it keeps out is what splits or truncates a header.
    #[must_use]
    pub fn fits_header(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl Drop for Secret {
    // Not inlined: it would be repeated wherever a secret goes out of scope, a fifth of the component's code.
    #[inline(never)]
    fn drop(&mut self) {
        // Emptied first: what is beyond the end is wiped in large steps, what is before it byte by byte.
        self.0.clear();
        self.0.zeroize();
    }
}

/// Secret bytes: a request body, or a response body that carries a token. Wiped when dropped.
///
/// A vector that grows leaves its old content behind: reserve the room first.
#[derive(Default)]
pub struct SecretBytes(Vec<u8>);

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for SecretBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Drop for SecretBytes {
    #[inline(never)]
    fn drop(&mut self) {
        self.0.clear();
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn the_shape_says_nothing_of_the_content() {
        assert_eq!(Secret::new("s3cr3t".into()).shape(), "secret, 6 characters");
        assert_eq!(Secret::new("é".into()).shape(), "secret, 1 character");
    }

    #[test]
    fn only_visible_ascii_fits_a_header() {
        for bad in ["", " a", "a ", "a\r\nx: y", "a\tb", "é", "\u{7f}"] {
            assert!(!Secret::new(bad.into()).fits_header(), "{bad:?}");
        }
        assert!(Secret::new("sk-A.b_c~d+e/f==".into()).fits_header());
    }
}
