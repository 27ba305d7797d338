//! Call trees: the weights of stacks added up by function, from the root down. What flame graphs are drawn from.

use super::lenses::{self, ByLens, LensNo, Lenses};
use super::offcpu;
use super::offcpu::{Kind, Record};
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::waits::chains::{ChainId, Mark, Step};
use crate::analysis::waits::links::{Options, Party};
use crate::base::{FrameId, FuncId, GroupId, StackId};
use crate::model::ownership::Own;
use crate::model::{Dict, Index};
use rustc_hash::FxHashMap;

/// What is added up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Weight {
    /// CPU samples.
    #[default]
    OnCpu,
    /// Nanoseconds in which goroutines were there and did not run, by the stack in which they stopped.
    OffCpu,
    /// Nanoseconds that goroutines waited for others: the waiter's stack and, below its leaf, the chain of wakers, each
    /// from its leaf to its root.
    WaiterFirst,
    /// The same the other way round: the last of the chain at the root, and the waiter below.
    WakerFirst,
}

/// One stack and its weight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weighed {
    /// The stack.
    pub stack: StackId,
    /// What stands on it: the chain of wakers.
    pub chain: Vec<Step>,
    /// Samples or nanoseconds.
    pub weight: u64,
}

impl Weighed {
    /// A stack with nothing on it.
    pub fn new(stack: StackId, weight: u64) -> Weighed {
        Weighed { stack, chain: Vec::new(), weight }
    }
}

/// What of a chain a function belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Part {
    /// A stack that ran or waited.
    #[default]
    Own,
    /// The stack of a waker.
    Waker,
    /// None: it stands between two stacks.
    Between(Mark),
    /// The same where the end of the chain comes first.
    BetweenBackwards(Mark),
    /// A lens, of which there are operations below a line of user code.
    Lens(LensNo),
    /// An operation of a lens.
    Operation(LensNo, u8),
    /// A class of a lens.
    Class(LensNo, u8),
}

impl Part {
    /// What a node is called that stands between two stacks, or for a group of functions.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Part::Own | Part::Waker => None,
            Part::Between(m) => Some(m.name()),
            Part::BetweenBackwards(m) => Some(m.name_backwards()),
            Part::Lens(l) => Some(lenses::name(l)),
            Part::Operation(l, no) => Some(lenses::operation(l, no)),
            Part::Class(l, no) => Some(lenses::class(l, no)),
        }
    }
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
    /// What of a chain it belongs to.
    pub part: Part,
    /// Whether a frame of it matches.
    pub matched: bool,
    /// The lens that it belongs to, if lenses are asked for: its own or that of the nearest above it below the line of
    /// user code.
    pub lens: Option<LensNo>,
}

/// A call tree. The first node is the root of all, and every node stands behind its parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Weight of the stacks that hold a frame that matches.
    pub matched: u64,
    /// If lenses are asked for, weight by lens of the stacks whose outermost operation it has; the heaviest first.
    pub lenses: Vec<(LensNo, u64)>,
}

/// Most nodes of a tree; what would make more is charged to the last function that there is room for.
const MAX_NODES: usize = 1 << 20;

/// How stacks are laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// Charge the frames of the runtime and of libraries to the user's function that called them; where there is none the
    /// outermost stays.
    pub mine: bool,
    /// Begin with the end of each chain.
    pub waker_first: bool,
    /// How lenses are used.
    pub lens: ByLens,
}

/// Adds stacks up. `matches` says which frames are to be marked.
pub fn tree(dict: &Dict, stacks: &[Weighed], layout: Layout, matches: &dyn Fn(FrameId) -> bool) -> Tree {
    let mut t = Tree { nodes: vec![empty()], matched: 0, lenses: Vec::new() };
    let mut heaviest = vec![0u64];
    let mut ids: FxHashMap<(usize, FuncId, Part), usize> = FxHashMap::default();
    let mut path: Vec<Framed> = Vec::new();
    let mut known = Lenses::default();
    let between = if layout.waker_first { Part::BetweenBackwards } else { Part::Between };
    for s in stacks.iter().filter(|s| s.weight > 0) {
        path.clear();
        path.extend(steps(dict, s.stack, layout, Part::Own, &mut known));
        path.reverse();
        if layout.lens != ByLens::No {
            let all: Vec<FrameId> = dict.stack_ids(s.stack).collect();
            if let Some(m) = known.meaning(dict, &all[..dict.below_user(&all)]) {
                t.add_lens(m.lens, s.weight);
            }
        }
        for step in &s.chain {
            path.push((FrameId::NONE, between(step.mark), None));
            let (from, woken) = (path.len(), step.mark == Mark::WokenBy);
            let part = if woken { Part::Waker } else { Part::Own };
            path.extend(steps(
                dict,
                step.stack,
                Layout { lens: layout.lens.min(ByLens::Known), ..layout },
                part,
                &mut known,
            ));
            if !woken {
                path[from..].reverse();
            }
        }
        if layout.waker_first {
            path.reverse();
        }
        // What is charged to others matches all the same.
        let mut all = std::iter::once(s.stack).chain(s.chain.iter().map(|c| c.stack));
        if all.any(|stack| dict.stack_ids(stack).any(matches)) {
            t.matched = t.matched.saturating_add(s.weight);
        }
        let mut at = 0;
        t.nodes[0].total = t.nodes[0].total.saturating_add(s.weight);
        for &(frame, part, lens) in &path {
            let func = if frame.is_some() { dict.frame_of(frame).func } else { FuncId::NONE };
            let next = t.nodes.len();
            if next >= MAX_NODES && !ids.contains_key(&(at, func, part)) {
                break;
            }
            let id = *ids.entry((at, func, part)).or_insert(next);
            if id == next {
                let depth = t.nodes[at].depth + 1;
                t.nodes[at].children.push(id);
                t.nodes.push(Node { func, frame, parent: at, depth, part, ..empty() });
                heaviest.push(0);
            }
            let n = &mut t.nodes[id];
            n.total = n.total.saturating_add(s.weight);
            n.matched |= frame.is_some() && matches(frame);
            n.lens = n.lens.or(lens);
            if s.weight > heaviest[id] {
                (heaviest[id], n.frame) = (s.weight, frame);
            }
            at = id;
        }
        t.nodes[at].own = t.nodes[at].own.saturating_add(s.weight);
    }
    t.lenses.sort_by_key(|l| (std::cmp::Reverse(l.1), l.0));
    // Every node stands behind its parent, so one pass places them all.
    for i in 0..t.nodes.len() {
        let mut children = std::mem::take(&mut t.nodes[i].children);
        children.sort_by_key(|&c| {
            let n = &t.nodes[c];
            (std::cmp::Reverse(n.total), dict.func_name(n.func), n.part)
        });
        let mut start = t.nodes[i].start;
        for &c in &children {
            t.nodes[c].start = start;
            start = start.saturating_add(t.nodes[c].total);
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
        part: Part::Own,
        matched: false,
        lens: None,
    }
}

impl Tree {
    fn add_lens(&mut self, lens: LensNo, weight: u64) {
        match self.lenses.iter_mut().find(|l| l.0 == lens) {
            Some(l) => l.1 = l.1.saturating_add(weight),
            None => self.lenses.push((lens, weight)),
        }
    }
}

/// A frame, what of a chain it belongs to, and its lens.
type Framed = (FrameId, Part, Option<LensNo>);

/// The frames of a stack as a layout wants them, leaf first.
fn steps(dict: &Dict, stack: StackId, layout: Layout, part: Part, known: &mut Lenses) -> Vec<Framed> {
    if layout.lens == ByLens::No {
        return frames(dict, stack, layout.mine).into_iter().map(|f| (f, part, None)).collect();
    }
    let all: Vec<FrameId> = dict.stack_ids(stack).collect();
    let below = dict.below_user(&all);
    if layout.lens == ByLens::Grouped
        && let Some(m) = known.meaning(dict, &all[..below])
    {
        // The groups lead to the line that called what they stand for.
        let caller = all.get(m.at + 1).copied().unwrap_or(all[m.at]);
        let class = m.class.map(|c| (caller, Part::Class(m.lens, c), Some(m.lens)));
        let groups = [Part::Operation(m.lens, m.operation), Part::Lens(m.lens)];
        let groups = groups.into_iter().map(|p| (caller, p, Some(m.lens)));
        let from = if layout.mine { below } else { m.at + 1 };
        let above = all.get(from..).unwrap_or(&[]).iter().map(|&f| (f, part, None));
        let own = Own::of(all.iter().map(|&f| dict.code(f)));
        let above = above.filter(|s| !layout.mine || own.has(dict.code(s.0)));
        return class.into_iter().chain(groups).chain(above).collect();
    }
    let of = known.along(dict, &all);
    let kept = frames(dict, stack, layout.mine);
    if kept.len() == all.len() {
        return kept.into_iter().zip(of).map(|(f, lens)| (f, part, lens)).collect();
    }
    kept.into_iter().map(|f| (f, part, None)).collect()
}

/// The frames of a stack, leaf first; with `mine` those of the user's code, and where there is none the outermost.
fn frames(dict: &Dict, stack: StackId, mine: bool) -> Vec<FrameId> {
    let all: Vec<FrameId> = dict.stack_ids(stack).collect();
    if !mine {
        return all;
    }
    let own = Own::of(all.iter().map(|&f| dict.code(f)));
    let kept: Vec<FrameId> = all.iter().copied().filter(|&f| own.has(dict.code(f))).collect();
    if kept.is_empty() { all.last().copied().into_iter().collect() } else { kept }
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
) -> Result<Vec<Weighed>, Unanswered> {
    let kind = match weight {
        Weight::OnCpu => Kind::Cpu,
        Weight::OffCpu => Kind::OffCpu,
        Weight::WaiterFirst | Weight::WakerFirst => Kind::Chain,
    };
    let by_others = kind == Kind::Chain;
    let profile = offcpu::profile(source, kind, opts)?;
    let mut sums: FxHashMap<(StackId, ChainId), u64> = FxHashMap::default();
    source.with_index(&mut |index| {
        let wanted = |g: GroupId| match group {
            Some(want) => g == want,
            None => weight == Weight::OnCpu || !index.owner(g).is_hidden(),
        };
        let ended = |r: &Record| !by_others || matches!(r.key.waker, Some(Party::Group(_))) && r.key.what.is_wait();
        for r in profile.records.iter().filter(|r| wanted(r.key.group) && ended(r)) {
            let w = if weight == Weight::OnCpu { r.count } else { r.total.ns().max(0) as u64 };
            *sums.entry((r.key.stack, r.key.chain)).or_default() += w;
        }
    });
    let weighed = |((stack, chain), weight)| Weighed { stack, chain: profile.chains.steps(chain), weight };
    Ok(in_order(sums.into_iter().map(weighed)))
}

/// The CPU samples of the whole trace, as far as it is read.
pub fn samples(index: &Index) -> Vec<Weighed> {
    let samples = index.totals.samples.iter();
    in_order(samples.map(|(&stack, &weight)| Weighed::new(stack, weight)))
}

fn in_order(stacks: impl Iterator<Item = Weighed>) -> Vec<Weighed> {
    let mut all: Vec<Weighed> = stacks.collect();
    all.sort_unstable_by(|a, b| (a.stack, &a.chain).cmp(&(b.stack, &b.chain)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Frame, Func};

    fn stack(d: &mut Dict, names: &[&str]) -> StackId {
        names.iter().enumerate().fold(StackId::NONE, |at, (i, n)| {
            let name = d.string(n);
            let func = d.func(Func { name, file: name });
            let frame = d.frame(Frame { func, line: i as u32, pc: 0 });
            d.push_frame(at, frame)
        })
    }

    const PLAIN: Layout = Layout { mine: false, waker_first: false, lens: ByLens::No };

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
        let t = tree(&d, &[Weighed::new(a, 2), Weighed::new(b, 5), Weighed::new(own, 1)], PLAIN, &|_| false);
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
        let t = tree(&d, &[Weighed::new(a, 3), Weighed::new(gc, 4)], Layout { mine: true, ..PLAIN }, &|f| f == leaf);
        assert_eq!(show(&d, &t), [" 0+7 0", ">main.main 4+3 3", ">runtime.gcBgMarkWorker 0+4 4"]);
        assert_eq!(t.matched, 3, "what is charged to others still matches");

        let read = stack(&mut d, &["net/http.(*conn).serve", "net.(*conn).Read", "internal/poll.(*FD).Read"]);
        let print = stack(&mut d, &["net/http.(*conn).serve", "main.handle", "fmt.Println", "os.(*File).Write"]);
        let t = tree(&d, &[Weighed::new(read, 2), Weighed::new(print, 1)], Layout { mine: true, ..PLAIN }, &|_| false);
        assert_eq!(show(&d, &t), [" 0+3 0", ">net/http.(*conn).serve 0+2 2", ">main.handle 2+1 1"]);
    }

    #[test]
    fn a_waker_stands_upside_down_on_who_it_woke() {
        let mut d = Dict::default();
        let waiter = stack(&mut d, &["main.w", "sync.Lock"]);
        let waker = stack(&mut d, &["main.u", "sync.Unlock"]);
        let step = |mark, stack| Step { mark, stack };
        let slept = stack(&mut d, &["main.u", "time.Sleep"]);
        let chain = vec![step(Mark::WokenBy, waker), step(Mark::HadWaited, slept), step(Mark::ByTimer, StackId::NONE)];
        let all = [Weighed { stack: waiter, chain, weight: 1 }];
        let names = |waker_first| {
            let t = tree(&d, &all, Layout { waker_first, ..PLAIN }, &|_| false);
            let of = |n: &Node| match (n.part.name(), n.part) {
                (Some(between), _) => between.to_owned(),
                (_, Part::Waker) => format!("{}!", d.func_name(n.func)),
                _ => d.func_name(n.func).to_owned(),
            };
            t.nodes[1..].iter().map(of).collect::<Vec<_>>()
        };
        let mut want = vec!["main.w", "sync.Lock", "(woken by)", "sync.Unlock!", "main.u!"];
        want.extend(["(which had waited in)", "main.u", "time.Sleep", "(woken by a timer)"]);
        assert_eq!(names(false), want);
        let mut want = vec!["(a timer woke)", "time.Sleep", "main.u", "(and then)", "main.u!", "sync.Unlock!"];
        want.extend(["(woke)", "sync.Lock", "main.w"]);
        assert_eq!(names(true), want);
    }
}
