//! Stalls and idle waits: what holds work up, and what merely waits for work to come.

use super::links::{Key, Links};
use crate::base::{FuncId, GroupId, StackId};
use crate::model::Index;
use crate::model::ownership::Owner;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{Class, Reason};
use rustc_hash::{FxHashMap, FxHashSet};

/// How a wait stands to the work of the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// It may hold work up.
    Stall,
    /// It waits for work, for a connection, or for a clock, as it is meant to.
    Idle,
    /// The trace says neither what for nor where: it may be either.
    Unknown,
}

impl Standing {
    /// What stands above the waits that are no stalls, in text and views.
    pub fn heading(self) -> &'static str {
        match self {
            Standing::Stall => "work is held up by",
            Standing::Idle => "idle: waiting for work, for connections, for a clock",
            Standing::Unknown => {
                "not known: what they wait for and where is not in the trace; they may be idle or held up"
            }
        }
    }
}

/// How the waits of each edge stand, in the order of the edges.
///
/// 1. What waits for a clock or for a connection to accept is idle, by the rules of `assets/reasons.toml`.
/// 2. So is a goroutine of a library's without a frame of the user's code: a server that waits for a request, the keeper
///    of a pool.
/// 3. So is a goroutine that receives, selects or waits for a condition in its own start function, again and again: a
///    worker without work. One that does it once may wait for an answer, and one that calls a library which does it
///    (`net.Pipe`, a pool of connections) waits for what it called.
/// 4. Of what was going on when the trace began, and has neither a reason nor a line, nobody can tell: it is not known. A
///    lock that the trace shows to be released is a stall all the same.
/// 5. All else is a stall.
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
    let direct = directly(index, &links.places);
    let standing = |k: &Key, r: &Reason| match () {
        _ if r.idle || serves(index, k.waiter, links.places.get(k.at).map(|p| p.0)) => Standing::Idle,
        _ if works(index, links, k, r) && again(k) && direct.contains(&k.at) => Standing::Idle,
        _ if k.at == PlaceId::NONE && is_unknown(&links.reasons.get(k.reason)) => Standing::Unknown,
        _ => Standing::Stall,
    };
    links.edges.iter().zip(&reasons).map(|(e, r)| standing(&e.key, r)).collect()
}

/// Whether the trace says too little of a wait that has no line.
fn is_unknown(r: &Reason) -> bool {
    !r.is_recorded() || matches!(r.class, Class::Receive | Class::Send)
}

/// What waits for work call, straight from the user's code.
const PARKS: &[&str] = &["runtime.chanrecv", "runtime.selectgo", "sync.(*Cond).Wait", "time.Sleep"];

/// The lines of user code that wait for work themselves, and do not call a library that does.
fn directly(index: &Index, places: &Places) -> FxHashSet<PlaceId> {
    let parks = index.dict.stacks_with(|d, f| PARKS.iter().any(|p| d.func_name(f.func).starts_with(p)));
    let stacks = (0u32..).map(StackId).zip(parks).filter(|(_, parks)| *parks);
    stacks.map(|(s, _)| (places.user(s), places.near(s))).filter(|(user, near)| user == near).map(|p| p.0).collect()
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
