//! From the numbers that a file gives to positions in tables.

use crate::wire::event::NONE;
use rustc_hash::FxHashMap;

/// Positions by number. Numbers that are dense are a plain table; any others go through a hash map, so that no number from
/// a file sizes anything.
#[derive(Clone, Debug, Default)]
pub struct IdMap {
    dense: Vec<u32>,
    sparse: FxHashMap<u64, u32>,
}

impl IdMap {
    /// From pairs of number and position; of two with the same number the later one counts.
    pub fn new(pairs: &[(u64, u32)]) -> IdMap {
        let limit = pairs.len() as u64 * 4 + 256;
        let top = pairs.iter().map(|p| p.0).filter(|&id| id < limit).max().map_or(0, |m| m as usize + 1);
        let mut map = IdMap { dense: vec![NONE; top], sparse: FxHashMap::default() };
        for &(id, pos) in pairs {
            match usize::try_from(id).ok().and_then(|i| map.dense.get_mut(i)) {
                Some(slot) => *slot = pos,
                None => _ = map.sparse.insert(id, pos),
            }
        }
        map
    }

    /// The position; `NONE` for an unknown number.
    #[inline]
    pub fn get(&self, id: u64) -> u32 {
        match usize::try_from(id).ok().and_then(|i| self.dense.get(i)) {
            Some(&pos) => pos,
            None if self.sparse.is_empty() => NONE,
            None => self.sparse.get(&id).copied().unwrap_or(NONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_and_wild_numbers() {
        let map = IdMap::new(&[(1, 0), (2, 1), (u64::MAX, 2), (2, 3)]);
        assert_eq!([1, 2, u64::MAX, 0, 3, 1 << 40].map(|id| map.get(id)), [0, 3, 2, NONE, NONE, NONE]);
        assert!(map.dense.len() < 300);
        assert_eq!(IdMap::default().get(0), NONE);
    }
}
