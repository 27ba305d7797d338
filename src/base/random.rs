//! Numbers that look random and are the same each time, for statistics that resample.

/// A small generator (Marsaglia's xorshift with shifts 13, 7 and 17: "Xorshift RNGs", Journal of Statistical Software 8,
/// 2003).
pub struct Random(u64);

impl Random {
    /// One that begins at a seed, which is not 0.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.number() % n as u64) as usize
    }
}
