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
    pub fn stir(&mut self, bytes: &[u8]) {
        // More than is needed, and in the component anyway, for signatures.
        let digest = Sha256::new().chain_update(self.0.to_le_bytes()).chain_update(bytes).finalize();
        self.0 = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    }

    /// A number from 0 to `most`, both included.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.stir(b"next");
        // The high half of the product: even, without the bias of a remainder.
        let wide = u128::from(self.0) * (u128::from(most) + 1);
        u64::try_from(wide >> 64).unwrap_or(most)
    }
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
