//! What the rules about syscalls and calls into C have in common: calls of one kind, by goroutines of one group at one line.

use crate::analysis::findings::{Facts, View};
use crate::analysis::waits::links::Edge;
use crate::base::{Duration, GoIdx, GroupId, Time};
use crate::model::places::PlaceId;
use std::collections::BTreeMap;

/// Where the proof of such a finding is.
pub(super) const VIEW: View = View::Waits;

/// Calls of one kind.
pub(super) struct Calls<'a> {
    /// Whose.
    pub group: GroupId,
    /// At which line.
    pub at: PlaceId,
    /// What is called: `fsync`.
    pub what: String,
    /// How many.
    pub count: u64,
    /// How long they took together.
    pub total: Duration,
    /// The edge with the longest.
    pub longest: &'a Edge,
}

impl Calls<'_> {
    /// How long one took on average.
    pub fn mean(&self) -> Duration {
        Duration(self.total.ns() / i64::try_from(self.count).unwrap_or(i64::MAX).max(1))
    }

    /// Who was in the longest, and from when on.
    pub fn instant(&self) -> (GoIdx, Option<Time>) {
        (self.longest.longest_go, Some(self.longest.longest_from))
    }
}

/// The calls of which the reason's name satisfies `is`; those that took longest first.
pub(super) fn calls<'a>(f: &Facts<'a>, is: impl Fn(&str) -> bool) -> Vec<Calls<'a>> {
    let mut by: BTreeMap<(GroupId, PlaceId, String), Calls<'a>> = BTreeMap::new();
    let me = *f;
    for e in me.more.links.edges.iter().filter(|e| me.users(e.key.waiter)) {
        let name = f.reason(e).name;
        if !is(&name) {
            continue;
        }
        let what = name.strip_prefix("syscall ").unwrap_or(&name).to_owned();
        let of = by.entry((e.key.waiter, e.key.at, what)).or_insert_with_key(|(group, at, what)| Calls {
            group: *group,
            at: *at,
            what: what.clone(),
            count: 0,
            total: Duration::ZERO,
            longest: e,
        });
        of.count += e.count;
        of.total += e.total;
        if e.max > of.longest.max {
            of.longest = e;
        }
    }
    let mut out: Vec<Calls> = by.into_values().collect();
    out.sort_by_key(|c| std::cmp::Reverse(c.total));
    out
}

/// How long the goroutines of a group were there, together.
pub(super) fn life(f: &Facts, g: GroupId) -> Duration {
    let members = f.members(g).iter().filter_map(|&m| f.index.goroutine(m));
    members.map(|g| g.ended.unwrap_or(f.index.end) - g.from).sum()
}
