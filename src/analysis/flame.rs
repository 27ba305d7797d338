//! Call trees: the weights of stacks added up by function, from the root down. What flame graphs are drawn from.

use super::links::Options;
use super::offcpu::{self, Kind};
use super::search::Source;
use crate::base::{FrameId, FuncId, GroupId, StackId};
use crate::store::code::Own;
use crate::store::commit::is_system;
use crate::store::{Dict, Index};
use rustc_hash::FxHashMap;

/// What is added up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Weight {
    /// CPU samples.
    #[default]
    OnCpu,
    /// Nanoseconds in which goroutines were there and did not run, by the stack in which they stopped.
    OffCpu,
    /// Nanoseconds that goroutines waited for others: the waiter's stack and, below its leaf, the waker's from its leaf
    /// to its root.
    ByWaker,
}

/// One stack and its weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Weighed {
    /// The stack.
    pub stack: StackId,
    /// The stack that stands on it upside down ([`Weight::ByWaker`]).
    pub waker: StackId,
    /// Samples or nanoseconds.
    pub weight: u64,
}

/// A function in the context of its callers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// The function; `NONE` for the root of all.
    pub func: FuncId,
    /// The frame of the function that the heaviest stack has here.
    pub frame: FrameId,
    /// The caller's position; its own for the root.
    pub parent: usize,
    /// How many callers there are above, the root of all included.
    pub depth: usize,
    /// Where it begins, if all weight stands in a row: children follow each other from their parent's beginning.
    pub start: u64,
    /// Weight of the stacks that pass here.
    pub total: u64,
    /// Weight of the stacks that end here.
    pub own: u64,
    /// The callees, the heaviest first.
    pub children: Vec<usize>,
    /// Whether it belongs to a waker's stack.
    pub waker: bool,
    /// Whether a frame of it matches.
    pub matched: bool,
}

/// A call tree. The first node is the root of all, and every node stands behind its parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Weight of the stacks that hold a frame that matches.
    pub matched: u64,
}

/// Most nodes of a tree; what would make more is charged to the last function that there is room for.
const MAX_NODES: usize = 1 << 20;

/// Adds stacks up. `mine` charges the frames of the runtime
/// and of libraries to the user's function that called them, and keeps the outermost where there is none; `matches` says which
/// frames are to be marked.
pub fn tree(dict: &Dict, stacks: &[Weighed], mine: bool, matches: &dyn Fn(FrameId) -> bool) -> Tree {
    let root = Node {
        func: FuncId::NONE,
        frame: FrameId::NONE,
        parent: 0,
        depth: 0,
        start: 0,
        total: 0,
        own: 0,
        children: Vec::new(),
        waker: false,
        matched: false,
    };
    let mut t = Tree { nodes: vec![root], matched: 0 };
    let mut heaviest = vec![0u64];
    let mut ids: FxHashMap<(usize, FuncId, bool), usize> = FxHashMap::default();
    let mut path: Vec<(FrameId, bool)> = Vec::new();
    for s in stacks.iter().filter(|s| s.weight > 0) {
        path.clear();
        path.extend(dict.stack_ids(s.stack).map(|f| (f, false)));
        path.reverse();
        path.extend(dict.stack_ids(s.waker).map(|f| (f, true)));
        if path.iter().any(|&(f, _)| matches(f)) {
            t.matched += s.weight;
        }
        if mine {
            let first = path.first().copied();
            path.clear();
            path.extend(own(dict, s.stack).map(|f| (f, false)));
            path.reverse();
            path.extend(own(dict, s.waker).map(|f| (f, true)));
            if path.is_empty() {
                path.extend(first);
            }
        }
        let mut at = 0;
        t.nodes[0].total += s.weight;
        for &(frame, waker) in &path {
            let func = dict.frame_of(frame).func;
            let next = t.nodes.len();
            if next >= MAX_NODES && !ids.contains_key(&(at, func, waker)) {
                break;
            }
            let id = *ids.entry((at, func, waker)).or_insert(next);
            if id == next {
                let depth = t.nodes[at].depth + 1;
                t.nodes[at].children.push(id);
                t.nodes.push(Node { func, frame, parent: at, depth, waker, ..empty() });
                heaviest.push(0);
            }
            let n = &mut t.nodes[id];
            n.total += s.weight;
            n.matched |= matches(frame);
            if s.weight > heaviest[id] {
                (heaviest[id], n.frame) = (s.weight, frame);
            }
            at = id;
        }
        t.nodes[at].own += s.weight;
    }
    // Every node stands behind its parent, so one pass places them all.
    for i in 0..t.nodes.len() {
        let mut children = std::mem::take(&mut t.nodes[i].children);
        children.sort_by_key(|&c| {
            let n = &t.nodes[c];
            (std::cmp::Reverse(n.total), dict.func_name(n.func), n.waker)
        });
        let mut start = t.nodes[i].start;
        for &c in &children {
            t.nodes[c].start = start;
            start += t.nodes[c].total;
        }
        t.nodes[i].children = children;
    }
    t
}

fn empty() -> Node {
    Node {
        func: FuncId::NONE,
        frame: FrameId::NONE,
        parent: 0,
        depth: 0,
        start: 0,
        total: 0,
        own: 0,
        children: Vec::new(),
        waker: false,
        matched: false,
    }
}

/// The frames of a stack that are one's own, leaf first.
fn own(dict: &Dict, stack: StackId) -> impl Iterator<Item = FrameId> {
    let own = Own::of(dict.stack_ids(stack).map(|f| dict.code(f)));
    dict.stack_ids(stack).filter(move |&f| own.has(dict.code(f)))
}

/// The stacks of a trace that has been read whole, with their weights. The runtime's own goroutines are there only where
/// they run, or where `group` asks for them.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn stacks<S: Source>(
    source: &S,
    weight: Weight,
    group: Option<GroupId>,
    opts: Options<'_>,
) -> Result<Vec<Weighed>, String> {
    let kind = match weight {
        Weight::OnCpu => Kind::Cpu,
        Weight::OffCpu => Kind::OffCpu,
        Weight::ByWaker => Kind::OffWake,
    };
    let profile = offcpu::profile(source, kind, opts)?;
    let mut sums: FxHashMap<(StackId, StackId), u64> = FxHashMap::default();
    source.with_index(&mut |index| {
        let wanted = |g: GroupId| match group {
            Some(want) => g == want,
            None => weight == Weight::OnCpu || !is_system(index.group_name(g)),
        };
        for r in profile.records.iter().filter(|r| wanted(r.key.group)) {
            let w = if weight == Weight::OnCpu { r.count } else { r.total.ns().max(0) as u64 };
            *sums.entry((r.key.stack, r.key.waker_stack)).or_default() += w;
        }
    });
    Ok(in_order(sums.into_iter().map(|((stack, waker), weight)| Weighed { stack, waker, weight })))
}

/// The CPU samples of the whole trace, as far as it is read.
pub fn samples(index: &Index) -> Vec<Weighed> {
    let samples = index.totals.samples.iter();
    in_order(samples.map(|(&stack, &weight)| Weighed { stack, waker: StackId::NONE, weight }))
}

fn in_order(stacks: impl Iterator<Item = Weighed>) -> Vec<Weighed> {
    let mut all: Vec<Weighed> = stacks.collect();
    all.sort_unstable_by_key(|s| (s.stack, s.waker));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Frame, Func};

    fn stack(d: &mut Dict, names: &[&str]) -> StackId {
        names.iter().enumerate().fold(StackId::NONE, |at, (i, n)| {
            let name = d.string(n);
            let func = d.func(Func { name, file: name });
            let frame = d.frame(Frame { func, line: i as u32, pc: 0 });
            d.push_frame(at, frame)
        })
    }

    fn weighed(stack: StackId, weight: u64) -> Weighed {
        Weighed { stack, waker: StackId::NONE, weight }
    }

    fn show(d: &Dict, t: &Tree) -> Vec<String> {
        let line =
            |n: &Node| format!("{}{} {}+{} {}", ">".repeat(n.depth), d.func_name(n.func), n.start, n.total, n.own);
        t.nodes.iter().map(line).collect()
    }

    #[test]
    fn children_share_their_parent_from_its_beginning_and_the_heaviest_comes_first() {
        let mut d = Dict::default();
        let a = stack(&mut d, &["main.main", "main.a"]);
        let b = stack(&mut d, &["main.main", "main.b", "runtime.mapassign"]);
        let own = stack(&mut d, &["main.main"]);
        let t = tree(&d, &[weighed(a, 2), weighed(b, 5), weighed(own, 1)], false, &|_| false);
        let want = [" 0+8 0", ">main.main 0+8 1", ">>main.a 5+2 2", ">>main.b 0+5 0", ">>>runtime.mapassign 0+5 5"];
        assert_eq!(show(&d, &t), want);
        assert_eq!(t.nodes[1].children, [3, 2]);
        for n in &t.nodes {
            let below: u64 = n.children.iter().map(|&c| t.nodes[c].total).sum();
            assert_eq!(n.total, below + n.own);
        }
    }

    #[test]
    fn the_runtime_is_charged_to_who_called_it_and_loses_nothing() {
        let mut d = Dict::default();
        let a = stack(&mut d, &["runtime.main", "main.main", "runtime.mapassign"]);
        let gc = stack(&mut d, &["runtime.gcBgMarkWorker", "runtime.gcDrain"]);
        let leaf = d.leaf(a).unwrap();
        let t = tree(&d, &[weighed(a, 3), weighed(gc, 4)], true, &|f| f == leaf);
        assert_eq!(show(&d, &t), [" 0+7 0", ">main.main 4+3 3", ">runtime.gcBgMarkWorker 0+4 4"]);
        assert_eq!(t.matched, 3, "what is charged to others still matches");

        let read = stack(&mut d, &["net/http.(*conn).serve", "net.(*conn).Read", "internal/poll.(*FD).Read"]);
        let print = stack(&mut d, &["net/http.(*conn).serve", "main.handle", "fmt.Println", "os.(*File).Write"]);
        let t = tree(&d, &[weighed(read, 2), weighed(print, 1)], true, &|_| false);
        assert_eq!(show(&d, &t), [" 0+3 0", ">net/http.(*conn).serve 0+2 2", ">main.handle 2+1 1"]);
    }

    #[test]
    fn a_waker_stands_upside_down_on_who_it_woke() {
        let mut d = Dict::default();
        let waiter = stack(&mut d, &["main.w", "sync.Lock"]);
        let waker = stack(&mut d, &["main.u", "sync.Unlock"]);
        let t = tree(&d, &[Weighed { stack: waiter, waker, weight: 1 }], false, &|_| false);
        let names: Vec<_> = t.nodes[1..].iter().map(|n| (d.func_name(n.func), n.waker)).collect();
        assert_eq!(names, [("main.w", false), ("sync.Lock", false), ("sync.Unlock", true), ("main.u", true)]);
    }
}
