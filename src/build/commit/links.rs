//! Puts a part's links, who waited for whom, into the index.

use super::Maps;
use crate::base::GoIdx;
use crate::build::fold::{CALL, LinkKey, Single};
use crate::model::Index;
use crate::model::totals::{Link, Party};
use crate::model::waits::{LinkTally, Stretch};

fn link(index: &Index, k: &LinkKey, gos: &[GoIdx], maps: &Maps) -> Link {
    let go = |i: u32| gos.get(i as usize).copied().unwrap_or_default();
    Link {
        waiter: party(index, go(k.waiter)),
        reason: maps.string(k.reason),
        waiter_stack: maps.stack(k.waiter_stack),
        waker: party(index, go(k.waker)),
        waker_stack: maps.stack(k.waker_stack),
    }
}

/// Adds a part's links. The part's first event is `index.events`.
pub(crate) fn add_links(index: &mut Index, links: Vec<(LinkKey, LinkTally)>, gos: &[GoIdx], maps: &Maps) {
    let first = index.events;
    for (k, mut tally) in links {
        let longest = &mut tally.waits.longest;
        if tally.waits.count > 0 {
            longest.go = gos.get(k.waiter as usize).copied().unwrap_or_default();
            (longest.began, longest.ended) = (first + longest.began, first + longest.ended);
        }
        let link = link(index, &k, gos, maps);
        if k.reason == CALL {
            index.totals.calls.entry((link, true)).or_default().merge(tally.waits);
        } else {
            index.totals.links.entry(link).or_default().merge(tally);
        }
    }
}

/// Adds a part's single waits. The part's first event is `index.events`. Of those that are `first` the part's links know nothing:
/// they are counted by the file's own clock, too.
pub(crate) fn add_singles(index: &mut Index, singles: &[Single], first: bool, gos: &[GoIdx], maps: &Maps) {
    let number = index.events;
    for s in singles {
        let link = link(index, &s.key, gos, maps);
        let go = gos.get(s.key.waiter as usize).copied().unwrap_or_default();
        let (began, ended) = (number + s.began, number + s.ended);
        let wait = Stretch { len: s.len(), from: s.from, began, ended, go };
        if s.key.reason == CALL {
            index.totals.calls.entry((link, true)).or_default().add(wait);
        } else if first {
            let link = index.totals.links.entry(link).or_default();
            link.tally.add(s.len());
            link.waits.add(wait);
        } else if s.blocked {
            index.totals.links.entry(link).or_default().waits.add(wait);
        } else {
            index.totals.other_waits.entry((link, true)).or_default().add(wait);
        }
    }
}

/// A side of a link: the goroutine itself as long as its group is not known.
pub(crate) fn party(index: &Index, go: GoIdx) -> Party {
    match index.goroutine(go) {
        None => Party::Nobody,
        Some(g) if g.entry.is_some() => Party::Group(g.group),
        Some(_) => Party::Go(go),
    }
}
