//! Who ended whose waits, as it is added up.

use super::part::{CALL, LinkKey, Single};
use crate::base::GoIdx;
use crate::model::tally::Tally;
use crate::model::waits::{LinkTally, Stretch};
use crate::wire::event::NONE;
use rustc_hash::FxHashMap;

/// What is known of each link, in the order in which they came up.
#[derive(Default)]
pub(super) struct Links {
    all: Vec<(LinkKey, LinkTally)>,
    ids: FxHashMap<LinkKey, u32>,
    /// The first wait and the first syscall of each goroutine, which are not in `all`. Of a million goroutines most have no
    /// other, and a link with its tally takes several times what this takes.
    first: Vec<Single>,
}

/// Stands for the last link of a goroutine of which only the first wait is known.
const FIRST: u32 = NONE - 1;

impl Links {
    /// Counts a whole wait, or syscall, of a goroutine whose last one has the link at `last`; `NONE` if there was none. Returns
    /// what is `last` next time.
    #[inline(always)]
    pub(super) fn count(&mut self, last: u32, whole: Single) -> u32 {
        if last == NONE {
            self.first.push(whole);
            return FIRST;
        }
        let (id, link) = self.of(whole.key, last);
        let len = whole.len();
        link.waits.add_whole(Stretch {
            len,
            from: whole.from,
            began: whole.began,
            ended: whole.ended,
            go: GoIdx::NONE,
        });
        id
    }

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

    /// The first waits and syscalls of goroutines; none are left.
    pub(super) fn take_first(&mut self) -> Vec<Single> {
        std::mem::take(&mut self.first)
    }

    /// All others; none are left. The tallies of waits have only those yet that are not among the link's `waits`.
    pub(super) fn take(&mut self) -> Vec<(LinkKey, LinkTally)> {
        self.ids = FxHashMap::default();
        let mut all = std::mem::take(&mut self.all);
        for (_, link) in all.iter_mut().filter(|(key, _)| key.reason != CALL) {
            link.tally.merge(Tally { count: link.waits.count, total: link.waits.total });
        }
        all
    }
}
