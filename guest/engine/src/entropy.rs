//! Spread without a random number generator.
//!
//! The component imports no randomness: the authority is not needed. What differs between the instances of a fleet are
//! the tokens that they are issued and the moments at which things happen to them, and a hash of those spreads them as
//! well. Nothing here protects a secret; it only keeps clients from acting in the same second.

use sha2::{Digest as _, Sha256};

/// A stream of numbers that depends on everything stirred in so far.
#[derive(Default)]
pub struct Entropy(u64);

impl Entropy {
    /// Mixes in what is particular to this instance or this moment.
    ///
    /// No cryptographic hash: SHA-256 over the document took a quarter of the time in which a connection is opened.
    pub fn stir(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            self.0 = mixed(self.0 ^ word.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
    }

    /// A number from 0 to `most`, both included.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.0 = mixed(self.0);
        // The high half of the product: even, without the bias of a remainder.
        let wide = u128::from(self.0) * (u128::from(most) + 1);
        u64::try_from(wide >> 64).unwrap_or(most)
    }

    /// A number for what others see, such as a name. Documents and tokens are stirred in: nothing of them can be calculated back
    /// from it.
    pub fn for_others(&mut self) -> u64 {
        self.0 = mixed(self.0);
        let digest = Sha256::digest(self.0.to_le_bytes());
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// A step of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): every bit of the
/// number depends on every bit of the one before.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::Entropy;

    #[test]
    fn numbers_fill_the_range_and_depend_on_what_was_stirred() {
        let draw = |seed: &[u8]| {
            let mut entropy = Entropy::default();
            entropy.stir(seed);
            (0..1_000).map(|_| entropy.up_to(9)).collect::<Vec<_>>()
        };
        let (a, b) = (draw(b"a"), draw(b"b"));
        assert_ne!(a, b);
        assert_eq!(a, draw(b"a"));
        for digit in 0..=9 {
            let share = a.iter().filter(|n| **n == digit).count();
            assert!((60..=140).contains(&share), "{digit} came {share} times of 1000");
        }
        assert_eq!(Entropy::default().up_to(0), 0);
        assert!(Entropy::default().up_to(u64::MAX) > 0);
    }
}
