//! Bytes that are nearly right, for tests that nothing which comes in makes anything panic. The same ones in each run.

/// Index of the seed, and a prefix of it.
pub fn every_prefix(seeds: &[Vec<u8>]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let prefixes = |(of, seed): (usize, &Vec<u8>)| {
        let seed = seed.clone();
        (0..=seed.len()).map(move |end| (of, seed[..end].to_vec()))
    };
    seeds.iter().enumerate().flat_map(prefixes)
}

/// So many: index of the seed, and what became of it.
pub fn mutations(seeds: &[Vec<u8>], count: usize) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let mut dice = Dice(1);
    (0..count).map(move |_| {
        let of = dice.below(seeds.len());
        let mut bytes = seeds[of].clone();
        for _ in 0..=dice.below(3) {
            mutate(&mut bytes, &seeds[dice.below(seeds.len())], &mut dice);
        }
        (of, bytes)
    })
}

/// Bytes that mean something to a parser.
const TELLING: &[u8] = b"{}[]\"\\:,.0123456789-+eE \n\r\t/@?#%&=_\0\x7f\x80\xef\xbb\xbf\xff";

fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    let at = dice.below(bytes.len() + 1);
    let telling = TELLING[dice.below(TELLING.len())];
    match dice.below(6) {
        0 => bytes.insert(at, telling),
        1 if at < bytes.len() => bytes[at] = telling,
        2 if at < bytes.len() => drop(bytes.remove(at)),
        3 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        4 => {
            let to = (at + dice.below(32)).min(bytes.len());
            let piece = bytes[at..to].to_vec();
            bytes.splice(at..at, piece.repeat(1 + dice.below(3)));
        }
        _ => {
            let from = dice.below(other.len() + 1);
            let to = (from + dice.below(64)).min(other.len());
            bytes.splice(at..at, other[from..to].iter().copied());
        }
    }
}

/// SplitMix64: the same numbers each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % (most.max(1) as u64)).unwrap()
    }

    /// True once in `n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    pub fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        mutate(&mut bytes, b"99999999999999999999999", self);
        bytes
    }

    pub fn maybe_mutated(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        if self.below(2) == 0 {
            mutate(&mut bytes, b"99999999999999999999999", self);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
