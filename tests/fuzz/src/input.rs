//! Bytes as a source of choices. It never runs dry: what is missing is zero, so every input means something.

/// The bytes that are left.
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of them.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    /// Less than `most`, which is at most 256 and not zero.
    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most
    }

    /// One of them. There has to be one.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        let index = self.below(choices.len().max(1));
        choices.get(index).copied()
    }

    /// Any number of 64 bits; small ones and those near the top are as likely as the rest.
    pub fn number(&mut self) -> u64 {
        let (shift, value) = (self.byte(), u64::from(self.byte()) << 8 | u64::from(self.byte()));
        if shift >= 0xf0 { u64::MAX - value } else { value << (shift % 48) }
    }

    /// A piece: its length first.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// Everything up to a zero byte, which goes with it.
    pub fn record(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| *byte == 0);
        let (record, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.get(1..).unwrap_or_default();
        record
    }
}
