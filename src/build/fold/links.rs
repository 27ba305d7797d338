//! Who ended whose waits, as it is added up.

use super::part::{CALL, LinkKey};
use crate::model::tally::Tally;
use crate::model::waits::LinkTally;
use rustc_hash::FxHashMap;

/// What is known of each link, in the order in which they came up.
#[derive(Default)]
pub(super) struct Links {
    all: Vec<(LinkKey, LinkTally)>,
    ids: FxHashMap<LinkKey, u32>,
}

impl Links {
    /// The link of a key, and its position. `last` is the position of the one that is the most likely.
    #[inline(always)]
    pub(super) fn of(&mut self, key: LinkKey, last: u32) -> (u32, &mut LinkTally) {
        let likely = self.all.get(last as usize).is_some_and(|(k, _)| *k == key);
        let id = if likely { last } else { self.look_up(key) };
        (id, &mut self.all[id as usize].1)
    }

    #[inline(never)]
    fn look_up(&mut self, key: LinkKey) -> u32 {
        let next = self.all.len() as u32;
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            self.all.push((key, LinkTally::default()));
        }
        id
    }

    /// All of them; none are left. The tallies of waits have only those yet that are not among the link's `waits`.
    pub(super) fn take(&mut self) -> Vec<(LinkKey, LinkTally)> {
        self.ids = FxHashMap::default();
        let mut all = std::mem::take(&mut self.all);
        for (_, link) in all.iter_mut().filter(|(key, _)| key.reason != CALL) {
            link.tally.merge(Tally { count: link.waits.count, total: link.waits.total });
        }
        all
    }
}
