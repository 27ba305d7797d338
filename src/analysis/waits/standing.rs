//! Stalls and idle waits: what holds work up, and what merely waits for work to come.

use super::links::{Key, Links};
use crate::base::{FuncId, GroupId};
use crate::model::Index;
use crate::model::ownership::Owner;
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, Reason};
use rustc_hash::FxHashMap;

/// How a wait stands to the work of the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// It may hold work up.
    Stall,
    /// It waits for work, for a connection, or for a clock, as it is meant to.
    Idle,
}

/// How the waits of each edge stand, in the order of the edges.
///
/// 1. What waits for a clock or for a connection to accept is idle, by the rules of `assets/reasons.toml`.
/// 2. So is a goroutine of a library's without a frame of the user's code: a server that waits for a request, the keeper
///    of a pool.
/// 3. So is a goroutine that receives, selects or waits for a condition in its own start function, again and again: a
///    worker without work. One that does it once may wait for an answer.
/// 4. All else is a stall, as is what the trace does not say enough of.
pub fn standings(index: &Index, links: &Links) -> Vec<Standing> {
    let reasons: Vec<Reason> = links.edges.iter().map(|e| links.reason(e)).collect();
    // How often it is waited in a place, over all reasons and whoever ended the waits.
    let mut times: FxHashMap<(GroupId, PlaceId), u64> = FxHashMap::default();
    for (e, _) in links.edges.iter().zip(&reasons).filter(|(_, r)| for_work(r)) {
        *times.entry((e.key.waiter, e.key.at)).or_default() += e.count;
    }
    let again = |k: &Key| {
        let members = index.groups.get(k.waiter.0 as usize).map_or(0, |g| g.members.len() as u64);
        times.get(&(k.waiter, k.at)).is_some_and(|&n| n > members)
    };
    let idle = |k: &Key, r: &Reason| {
        r.idle || serves(index, k.waiter, links.places.get(k.at).map(|p| p.0)) || works(index, links, k, r) && again(k)
    };
    let standing = |idle| if idle { Standing::Idle } else { Standing::Stall };
    links.edges.iter().zip(&reasons).map(|(e, r)| standing(idle(&e.key, r))).collect()
}

/// Whether a worker may wait for work that way.
fn for_work(r: &Reason) -> bool {
    matches!(r.class, Class::Receive | Class::Select | Class::Cond | Class::Sleep)
}

/// Whether a library's goroutine waits in the library's code: one of group `waiter` in function `at`.
pub(in crate::analysis) fn serves(index: &Index, waiter: GroupId, at: Option<FuncId>) -> bool {
    let owner = at.map(|f| index.dict.owner(f));
    index.owner(waiter) == Owner::Library && matches!(owner, Some(Owner::Library | Owner::Runtime))
}

/// Whether a goroutine waits in its start function, other than the first.
fn works(index: &Index, links: &Links, k: &Key, r: &Reason) -> bool {
    let entry = index.group_name(k.waiter);
    let at = links.places.get(k.at).map_or("", |(f, _)| index.dict.func_name(f));
    for_work(r) && !entry.is_empty() && entry != "main.main" && entry == at
}
