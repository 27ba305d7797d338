//! Groups of goroutines that keep waiting for each other: the strongly connected parts of the graph of who waits for
//! whom. They bound each other's throughput.

use super::links::{Links, Party};
use crate::base::{Duration, GroupId};
use crate::model::reasons::Class;
use std::collections::BTreeMap;

/// Fewest waits that make an edge: a start or an end is not "keeps waiting".
const LEAST_WAITS: u64 = 3;

/// Groups that wait for each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Knot {
    /// The groups, in order.
    pub groups: Vec<GroupId>,
    /// Waits between two of them, ended by the other.
    pub waits: u64,
    /// Their sum.
    pub total: Duration,
    /// The waits from each group to each other: waiter, waker, how many, how long; the longest first.
    pub between: Vec<(GroupId, GroupId, u64, Duration)>,
}

/// The knots of a trace's links, those with the longest waits first. An edge counts if it has a few waits and at least a
/// hundredth of the time that its waiter spends waiting for other goroutines.
/// What the runtime's own semaphores make wait, and the collector, is no waiting for each other.
pub fn knots(links: &Links) -> Vec<Knot> {
    knots_of(links.edges.iter().filter_map(|e| match e.key.waker {
        Party::Group(waker) if ties(links.reasons.get(e.key.reason).class) => {
            Some((e.key.waiter, waker, e.count, e.total))
        }
        _ => None,
    }))
}

/// Whether waits of this class are for what the program's goroutines have in common, and not for the runtime's own.
pub fn ties(class: Class) -> bool {
    use Class::{Cond, Group, Lock, Once, Receive, Select, Send};
    matches!(class, Lock | Send | Receive | Select | Group | Cond | Once)
}

/// The same of waits for goroutines: waiter, waker, how many, how long.
pub fn knots_of(waits: impl Iterator<Item = (GroupId, GroupId, u64, Duration)>) -> Vec<Knot> {
    let mut between: BTreeMap<(GroupId, GroupId), (u64, Duration)> = BTreeMap::new();
    let mut of: BTreeMap<GroupId, Duration> = BTreeMap::new();
    for (waiter, waker, count, total) in waits {
        let b = between.entry((waiter, waker)).or_default();
        b.0 += count;
        b.1 += total;
        *of.entry(waiter).or_default() += total;
    }
    between.retain(|(a, b), (n, d)| {
        a != b
            && *a != GroupId::NONE
            && *b != GroupId::NONE
            && *n >= LEAST_WAITS
            && d.ns().saturating_mul(100) >= of.get(a).map_or(0, |d| d.ns())
    });
    let mut nodes: Vec<GroupId> = between.keys().flat_map(|&(a, b)| [a, b]).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let at = |g: GroupId| nodes.binary_search(&g).unwrap_or(0);
    let mut next = vec![Vec::new(); nodes.len()];
    for &(a, b) in between.keys() {
        next[at(a)].push(at(b));
    }
    let mut out: Vec<Knot> = strong(&next)
        .into_iter()
        .filter(|c| c.len() > 1)
        .map(|c| {
            let mut groups: Vec<GroupId> = c.into_iter().map(|i| nodes[i]).collect();
            groups.sort_unstable();
            let inside = |g: &GroupId| groups.binary_search(g).is_ok();
            let mut between: Vec<_> = between
                .iter()
                .filter(|((a, b), _)| inside(a) && inside(b))
                .map(|(&(a, b), &(n, d))| (a, b, n, d))
                .collect();
            between.sort_by_key(|b| (std::cmp::Reverse(b.3), b.0, b.1));
            let waits = between.iter().map(|b| b.2).sum();
            let total = between.iter().map(|b| b.3).sum();
            Knot { groups, waits, total, between }
        })
        .collect();
    out.sort_by_key(|k| (std::cmp::Reverse(k.total), k.groups.first().copied()));
    out
}

/// The strongly connected components of a graph (Tarjan, SIAM J. Comput. 1 (1972) 146), without recursion.
fn strong(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
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
}
