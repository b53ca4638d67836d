//! How one machine hands its lease to another: bytes that only this version of the engine writes and reads.
//!
//! For hosts in which several instances serve one connection, each with a memory of its own, and any of them may go away:
//! Envoy's workers. They share what [`crate::Machine::carry`] writes, and whoever is left goes on from there.
//!
//! A number is eight bytes, little-endian; a text is its length and its bytes; an absent value is a number of 0 and a
//! present one a number of 1 and the value.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use crate::io::Now;
use crate::secret::SecretBytes;

/// Goes first. Whoever changes what is written changes it, and what is of another version is not read.
pub(crate) const VERSION: u64 = 2;

/// Enough for a token of a kilobyte and what stands around it.
const USUAL: usize = 4 * 1024;

/// Collects what is handed over. It holds a credential.
pub(crate) struct Writer(SecretBytes);

impl Writer {
    pub(crate) fn new() -> Self {
        Self(SecretBytes::from(Vec::with_capacity(USUAL)))
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.number(u64::from(flag));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn moment(&mut self, moment: Now) {
        self.number(moment.wall_ms);
        self.number(moment.monotonic_ms);
    }

    pub(crate) fn finish(self) -> SecretBytes {
        self.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        // Grown by hand: a vector that moves leaves pieces of the token behind.
        if self.0.capacity() - self.0.len() < bytes.len() {
            let mut larger = SecretBytes::from(Vec::with_capacity(2 * (self.0.len() + bytes.len())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

/// Takes it apart again. Everything is `None` that is cut off or is not what was written.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(str::from_utf8(text).ok()?.to_owned())
    }

    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    pub(crate) fn moment(&mut self) -> Option<Now> {
        Some(Now { wall_ms: self.number()?, monotonic_ms: self.number()? })
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
