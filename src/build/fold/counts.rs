//! Counts by number.

/// Counts by a small number, as a table that grows to the largest number used.
#[derive(Default)]
pub(super) struct Counts(Vec<u64>);

impl Counts {
    #[inline]
    /// Counts one more of `i`.
    pub(super) fn add(&mut self, i: u32) {
        let i = i.wrapping_add(1) as usize;
        if i >= self.0.len() {
            self.0.resize(i + 1, 0);
        }
        self.0[i] += 1;
    }

    /// What was counted, and how often.
    pub(super) fn pairs(&self) -> Vec<(u32, u64)> {
        self.0.iter().enumerate().filter(|(_, n)| **n > 0).map(|(i, &n)| ((i as u32).wrapping_sub(1), n)).collect()
    }
}
