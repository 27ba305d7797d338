//! Goroutines that keep waiting for each other: the strongly connected parts of the graph of who waits for whom, by their
//! start functions, or by what these call where that is what they are given (`roles.rs`). They bound each other's throughput.

use super::links::{Links, Party};
use super::roles::{Role, Roles};
use crate::base::{Duration, GroupId};
use crate::model::Index;
use crate::model::places::PlaceId;
use crate::model::reasons::Class;
use std::collections::BTreeMap;

/// Fewest waits that make an edge: a start or an end is not "keeps waiting".
const LEAST_WAITS: u64 = 3;

/// Waits of goroutines of one role at one line that goroutines of another ended at one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Between<R, P> {
    /// Who waited, and where.
    pub waiter: (R, P),
    /// Who ended it, and where.
    pub waker: (R, P),
    /// How many waits.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// Whether they are an exchange of two goroutines over channels ([`exchange`]).
    pub exchange: bool,
}

/// Goroutines that wait for each other, by their roles and lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Knot<R = Role, P = PlaceId> {
    /// The roles, in order.
    pub roles: Vec<R>,
    /// Waits of one of them, ended by another.
    pub waits: u64,
    /// Their sum.
    pub total: Duration,
    /// These waits, the longest first.
    pub between: Vec<Between<R, P>>,
}

/// The knots of a trace's links, those with the longest waits first. What makes one is a few waits at least, and a hundredth
/// of the time that its waiter spends waiting for other goroutines.
/// What the runtime's own semaphores make wait, and the collector, is no waiting for each other.
pub fn knots(links: &Links, index: &Index) -> Vec<Knot> {
    let edges = links.edges.iter().filter(|e| ties(links.reasons.get(e.key.reason).class));
    let tied: Vec<_> = edges.filter(|e| matches!(e.key.waker, Party::Group(_))).collect();
    if tied.is_empty() {
        return Vec::new();
    }
    let roles = Roles::new(index, &links.places);
    let known = |r: &Role| r.group != GroupId::NONE;
    let between = tied.iter().filter_map(|e| match e.key.waker {
        Party::Group(waker) => Some(Between {
            waiter: (roles.of(index, e.key.waiter, e.key.at), e.key.at),
            waker: (roles.of(index, waker, e.key.waker_at), e.key.waker_at),
            count: e.count,
            total: e.total,
            exchange: exchange(index, e.key.waiter, waker, links.reasons.get(e.key.reason).class),
        }),
        _ => None,
    });
    knots_of(between.filter(|b| known(&b.waiter.0) && known(&b.waker.0)).collect())
}

/// Whether waits of this class are for what the program's goroutines have in common, and not for the runtime's own.
pub fn ties(class: Class) -> bool {
    use Class::{Cond, Group, Lock, Once, Receive, Select, Send};
    matches!(class, Lock | Send | Receive | Select | Group | Cond | Once)
}

/// Whether waits of this class of one group for another are those of two goroutines that hand something to and fro over channels:
/// there is one of each, and while one works the other has nothing to do. Neither holds the other up.
pub fn exchange(index: &Index, waiter: GroupId, waker: GroupId, class: Class) -> bool {
    let members = |g: GroupId| index.groups.get(g.index()).map_or(0, |g| g.members.len());
    let two = if waiter == waker { members(waiter) == 2 } else { members(waiter) == 1 && members(waker) == 1 };
    two && matches!(class, Class::Send | Class::Receive | Class::Select)
}

/// Who waits and who ends the waits, each with a line.
type Ends<'a, R, P> = (&'a (R, P), &'a (R, P));

/// Without those at one channel that are shorter than the waits of its other side: senders wait while it is full and receivers
/// while it is empty, and never both. The one line is where the others wait, and the other way round.
fn one_sided<R: Ord + Clone, P: Ord + Clone>(all: Vec<Between<R, P>>) -> Vec<Between<R, P>> {
    let mut sums: BTreeMap<Ends<'_, R, P>, Duration> = BTreeMap::new();
    for b in &all {
        *sums.entry((&b.waiter, &b.waker)).or_default() += b.total;
    }
    let other = |b: &Between<R, P>| sums.get(&(&b.waker, &b.waiter)).copied().unwrap_or_default();
    let longer = |b: &&Between<R, P>| {
        let own = sums.get(&(&b.waiter, &b.waker)).copied().unwrap_or_default();
        own > other(b) || own == other(b) && b.waiter <= b.waker
    };
    all.iter().filter(longer).cloned().collect()
}

/// The same of waits for goroutines. Two of which all that is an exchange are no knot.
pub fn knots_of<R: Ord + Clone, P: Ord + Clone>(all: Vec<Between<R, P>>) -> Vec<Knot<R, P>> {
    let mut of: BTreeMap<R, Duration> = BTreeMap::new();
    for b in &all {
        *of.entry(b.waiter.0.clone()).or_default() += b.total;
    }
    let all = one_sided(all);
    let mut sums: BTreeMap<(&R, &R), (u64, Duration)> = BTreeMap::new();
    for b in &all {
        let sum = sums.entry((&b.waiter.0, &b.waker.0)).or_default();
        sum.0 += b.count;
        sum.1 += b.total;
    }
    sums.retain(|(a, b), (n, d)| {
        a != b && *n >= LEAST_WAITS && d.ns().saturating_mul(100) >= of.get(*a).map_or(0, |d| d.ns())
    });
    let mut nodes: Vec<&R> = sums.keys().flat_map(|&(a, b)| [a, b]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let at = |r: &R| nodes.binary_search(&r).unwrap_or(0);
    let mut next = vec![Vec::new(); nodes.len()];
    for &(a, b) in sums.keys() {
        next[at(a)].push(at(b));
    }
    let one = |c: Vec<usize>| {
        let mut roles: Vec<R> = c.into_iter().map(|i| nodes[i].clone()).collect();
        roles.sort_unstable();
        let inside = |b: &&Between<R, P>| {
            let ends = (&b.waiter.0, &b.waker.0);
            sums.contains_key(&ends) && roles.binary_search(ends.0).is_ok() && roles.binary_search(ends.1).is_ok()
        };
        let mut between: Vec<Between<R, P>> = all.iter().filter(inside).cloned().collect();
        between = joined(between);
        between.sort_by(|a, b| (b.total, &a.waiter, &a.waker).cmp(&(a.total, &b.waiter, &b.waker)));
        let waits = between.iter().map(|b| b.count).sum();
        let total = between.iter().map(|b| b.total).sum();
        Knot { roles, waits, total, between }
    };
    let mut out: Vec<Knot<R, P>> = strong(&next).into_iter().filter(|c| c.len() > 1).map(one).collect();
    out.retain(|k| k.roles.len() > 2 || !k.between.iter().all(|b| b.exchange));
    out.sort_by(|a, b| (b.total, &a.roles).cmp(&(a.total, &b.roles)));
    out
}

/// Those of the same roles and lines as one, whatever they were for.
fn joined<R: Ord, P: Ord>(mut all: Vec<Between<R, P>>) -> Vec<Between<R, P>> {
    all.sort_by(|a, b| (&a.waiter, &a.waker).cmp(&(&b.waiter, &b.waker)));
    all.dedup_by(|next, sum| {
        let same = (&next.waiter, &next.waker) == (&sum.waiter, &sum.waker);
        if same {
            sum.count += next.count;
            sum.total += next.total;
            sum.exchange &= next.exchange;
        }
        same
    });
    all
}

/// The strongly connected components of a graph (Tarjan, SIAM J. Comput. 1 (1972) 146), without recursion.
pub(in crate::analysis) fn strong(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let n = next.len();
    let (mut number, mut low, mut on) = (vec![UNSEEN; n], vec![0; n], vec![false; n]);
    let (mut stack, mut out, mut count) = (Vec::new(), Vec::new(), 0);
    for root in 0..n {
        if number[root] != UNSEEN {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some(&mut (v, ref mut edge)) = path.last_mut() {
            if number[v] == UNSEEN {
                number[v] = count;
                low[v] = count;
                count += 1;
                stack.push(v);
                on[v] = true;
            }
            if let Some(&w) = next[v].get(*edge) {
                *edge += 1;
                if number[w] == UNSEEN {
                    path.push((w, 0));
                } else if on[w] {
                    low[v] = low[v].min(number[w]);
                }
                continue;
            }
            path.pop();
            if let Some(&(u, _)) = path.last() {
                low[u] = low[u].min(low[v]);
            }
            if low[v] == number[v] {
                let mut component = Vec::new();
                while let Some(w) = stack.pop() {
                    on[w] = false;
                    component.push(w);
                    if w == v {
                        break;
                    }
                }
                out.push(component);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_whatever_the_order() {
        // 0 → 1 → 2 → 0, 2 → 3, 3 ⇄ 4, 5 alone, and 6 → 6.
        let graph = [vec![1], vec![2], vec![0, 3], vec![4], vec![3], vec![], vec![6]];
        let mut all = strong(&graph);
        for c in &mut all {
            c.sort_unstable();
        }
        all.sort();
        assert_eq!(all, [vec![0, 1, 2], vec![3, 4], vec![5], vec![6]]);
    }

    #[test]
    fn the_two_sides_of_one_channel_are_no_knot() {
        // A stage sends at line 1 what the next receives at line 2, and waits now and then; the next waits for most of the time.
        let wait =
            |waiter, waker, total| Between { waiter, waker, count: 100, total: Duration(total), exchange: false };
        let stages =
            |back| knots_of(vec![wait(("a", 1), ("b", 2), 1_000), wait(("b", 2), ("a", 1), 2_000), back]).len();
        assert_eq!(stages(wait(("b", 2), ("c", 3), 500)), 0);
        // Where the next sends something back over another channel, it is one.
        assert_eq!(stages(wait(("a", 4), ("b", 5), 500)), 1);
    }

    #[test]
    fn an_exchange_of_two_is_no_knot_and_one_with_a_lock_is() {
        let between = |waiter: &'static str, waker: &'static str, exchange| Between {
            waiter: (waiter, 1),
            waker: (waker, 2),
            count: 100,
            total: Duration(1_000),
            exchange,
        };
        let count = |all: &[Between<&str, i32>]| knots_of(all.to_vec()).len();
        assert_eq!(count(&[between("ping", "pong", true), between("pong", "ping", true)]), 0);
        // One of the waits is for a lock, or there are several of a kind.
        assert_eq!(count(&[between("ping", "pong", true), between("pong", "ping", false)]), 1);
        // Three in a circle hold each other up.
        let circle = [between("a", "b", true), between("b", "c", true), between("c", "a", true)];
        assert_eq!(count(&circle), 1);
    }
}
