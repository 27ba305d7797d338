//! A set of handles, a bit each.

/// A set of small numbers. What was never put in, however large, is not in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The positions of `flags` that are true.
    pub fn of(flags: impl IntoIterator<Item = bool>) -> Bits {
        let mut words = Vec::new();
        for (i, flag) in flags.into_iter().enumerate() {
            if i % 64 == 0 {
                words.push(0);
            }
            words[i / 64] |= u64::from(flag) << (i % 64);
        }
        Bits { words }
    }

    /// Whether `i` is in the set.
    #[inline]
    pub fn has(&self, i: u32) -> bool {
        self.words.get(i as usize / 64).is_some_and(|w| w >> (i % 64) & 1 != 0)
    }

    /// Whether nothing is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// Adds everything that is in `o`.
    pub fn add(&mut self, o: &Bits) {
        if self.words.len() < o.words.len() {
            self.words.resize(o.words.len(), 0);
        }
        for (w, o) in self.words.iter_mut().zip(&o.words) {
            *w |= o;
        }
    }

    /// The members, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let bits = |(i, &w): (usize, &u64)| (0..64).filter(move |b| w >> b & 1 != 0).map(move |b| i as u32 * 64 + b);
        self.words.iter().enumerate().flat_map(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_put_in() {
        let b = Bits::of((0..130).map(|i| i == 0 || i == 64 || i == 129));
        assert_eq!(b.iter().collect::<Vec<_>>(), [0, 64, 129]);
        assert!(b.has(64) && !b.has(65) && !b.has(u32::MAX));
        assert!(Bits::default().is_empty() && !b.is_empty());
        let mut a = Bits::of([false, true]);
        a.add(&b);
        assert_eq!(a.iter().collect::<Vec<_>>(), [0, 1, 64, 129]);
    }
}
