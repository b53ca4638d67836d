//! Numbers from a seed: the same ones everywhere and always.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.number() % (high - low + 1)
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.number().is_multiple_of(n)
    }

    /// How long it is until the next of many things that come every `mean` on average and know nothing of each other: an
    /// exponential draw by comparisons alone (von Neumann, "Various techniques used in connection with random digits"), so
    /// that it is the same on every machine.
    pub fn wait(&mut self, mean: u64) -> u64 {
        let mut whole = 0;
        loop {
            let first = self.number();
            let (mut last, mut odd) = (first, true);
            loop {
                let next = self.number();
                if next >= last {
                    break;
                }
                (last, odd) = (next, !odd);
            }
            if odd {
                let part = (u128::from(mean) * u128::from(first)) >> 64;
                return whole * mean + u64::try_from(part).unwrap();
            }
            whole += 1;
        }
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.between(0, choices.len() as u64 - 1)).unwrap()]
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn waits_are_exponential() {
        let mut random = Random::new(1);
        let waits: Vec<u64> = (0..100_000).map(|_| random.wait(5_000)).collect();
        let mean = waits.iter().sum::<u64>() / 100_000;
        assert!((4_950..=5_050).contains(&mean), "{mean}");
        // One in e, and one in e squared.
        for (longer_than, of_100_000) in [(5_000, 36_788), (10_000, 13_534)] {
            let count: u64 = waits.iter().filter(|wait| **wait > longer_than).map(|_| 1).sum();
            assert!(count.abs_diff(of_100_000) < 500, "{count} longer than {longer_than}");
        }
    }
}
