//! Which position a number has.

use crate::wire::event::NONE;
use rustc_hash::FxHashMap;

/// Positions by number. Goroutines are numbered one after the other, from wherever the generation found the program: so numbers
/// are kept in pages of neighbours, which take a few bytes each where a hash map of a million takes 35 or more.
#[derive(Default)]
pub(super) struct Numbers {
    /// Where each page is in `pages`, by the number of its first divided by the page's length.
    places: FxHashMap<u64, u32>,
    pages: Vec<[u32; PAGE as usize]>,
}

/// Numbers of a page. Where all lie far from each other each takes a page.
const PAGE: u64 = 16;

impl Numbers {
    /// The position of a number.
    pub fn get(&self, number: u64) -> Option<u32> {
        let page = self.pages.get(*self.places.get(&(number / PAGE))? as usize)?;
        Some(page[(number % PAGE) as usize]).filter(|&at| at != NONE)
    }

    /// Gives a number its position.
    pub fn insert(&mut self, number: u64, at: u32) {
        let place = *self.places.entry(number / PAGE).or_insert_with(|| {
            self.pages.push([NONE; PAGE as usize]);
            self.pages.len() as u32 - 1
        });
        if let Some(page) = self.pages.get_mut(place as usize) {
            page[(number % PAGE) as usize] = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_near_and_far() {
        let mut all = Numbers::default();
        let wanted: Vec<u64> = (7_000_000..7_003_000).chain([0, 15, 16, 1 << 40, u64::MAX]).collect();
        (0..).zip(&wanted).for_each(|(at, &n)| all.insert(n, at));
        assert!((0..).zip(&wanted).all(|(at, &n)| all.get(n) == Some(at)));
        assert_eq!([1, 17, 6_999_999, 7_003_001, u64::MAX - 1].map(|n| all.get(n)), [None; 5]);
        assert!(all.pages.len() < 200, "{} pages", all.pages.len());
    }
}
