//! From the numbers that a file gives to positions in tables: numbers known beforehand, and numbers that turn up.

use crate::base::GoId;
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

/// Positions of goroutines in the order in which they turn up.
#[derive(Clone, Debug)]
pub struct GoIds {
    positions: FxHashMap<u64, u32>,
    /// The goroutines asked for last, at the place that the low bits of their numbers say: nearly always the one wanted.
    recent: Vec<(u64, u32)>,
}

/// Goroutines that are remembered as recent; a power of two.
const RECENT: usize = 1024;

impl GoIds {
    /// With these goroutines, in the order of their positions.
    pub fn new(gos: &[GoId]) -> GoIds {
        let positions = gos.iter().zip(0..).map(|(id, i)| (id.0, i)).collect();
        GoIds { positions, recent: vec![(0, NONE); RECENT] }
    }

    /// The position of a goroutine; `NONE` for number 0. `add` gives a new one its position.
    #[inline]
    pub fn position(&mut self, id: u64, add: impl FnOnce() -> u32) -> u32 {
        if id == 0 {
            return NONE;
        }
        let recent = &mut self.recent[id as usize % RECENT];
        if recent.0 == id {
            return recent.1;
        }
        let position = match self.positions.get(&id) {
            Some(&position) => position,
            None => {
                let position = add();
                self.positions.insert(id, position);
                position
            }
        };
        *recent = (id, position);
        position
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
    #[test]
    fn goroutines_keep_the_position_that_they_got_first() {
        let mut ids = GoIds::new(&[GoId(7), GoId(1 << 40)]);
        let wanted = [7, 1 << 40, 7 + RECENT as u64, 7, 0, 7 + RECENT as u64];
        let got = wanted.map(|id| ids.position(id, || 2));
        assert_eq!(got, [0, 1, 2, 0, NONE, 2]);
    }
}
