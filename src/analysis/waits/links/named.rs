//! What the goroutines of each group waited for, by the names that waits have.

use super::link_key;
use crate::base::{Duration, GroupId, StringId};
use crate::model::Index;
use crate::model::places::Places;
use crate::model::reasons::Reasons;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// What the goroutines of each group waited for. Names are not escaped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    groups: FxHashMap<GroupId, Vec<(String, Duration)>>,
    /// By group and the runtime's own reason the one name that these waits have; none where they have several.
    only: FxHashMap<(GroupId, StringId), Option<String>>,
}

impl Named {
    /// What a trace's goroutines waited for, all their waits summed up; nothing before it has been read whole.
    pub fn of(index: &Index) -> Option<Named> {
        let t = &index.totals;
        if !index.complete || t.waits_missing {
            return None;
        }
        let (places, reasons) = (Places::new(&index.dict), Reasons::default());
        let mut sums: FxHashMap<(GroupId, String), Duration> = FxHashMap::default();
        let mut only = FxHashMap::default();
        for (l, ended, t) in t.all_waits().filter(|(.., t)| t.count > 0) {
            let key = link_key(index, &places, &reasons, l, ended);
            let name = reasons.get(key.reason).of_waits((t.count, t.open), t.began_inside()).name;
            let one = only.entry((key.waiter, l.reason)).or_insert_with(|| Some(name.clone()));
            if one.as_ref() != Some(&name) {
                *one = None;
            }
            *sums.entry((key.waiter, name)).or_default() += t.total;
        }
        let mut groups: FxHashMap<GroupId, Vec<(String, Duration)>> = FxHashMap::default();
        for ((group, name), total) in sums {
            groups.entry(group).or_default().push((name, total));
        }
        for all in groups.values_mut() {
            all.sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
        }
        Some(Named { groups, only })
    }

    /// What the goroutines of a group waited for, the longest first. The times sum to what they waited.
    pub fn of_group(&self, group: GroupId) -> &[(String, Duration)] {
        self.groups.get(&group).map_or(&[], Vec::as_slice)
    }

    /// What waits of a group's goroutines are called that have this reason of the runtime's; nothing if that does not tell.
    pub fn only(&self, group: GroupId, reason: StringId) -> Option<&str> {
        self.only.get(&(group, reason))?.as_deref()
    }
}
