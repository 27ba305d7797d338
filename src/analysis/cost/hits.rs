//! The events that answered a query, ready to be stepped through, ticked on lanes and summed up by line of source.

use crate::base::EventNo;
use crate::base::{FuncId, GoIdx, ProcIdx, StackId, Time};
use crate::model::ownership::{Owner, is_core};
use crate::model::segment::Kind;
use crate::model::{Dict, Frame, Index, Lane};
use crate::query::Compiled;
use rustc_hash::FxHashMap;

/// One event that matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// Its number in the trace.
    pub no: EventNo,
    /// When it happened.
    pub time: Time,
    /// The goroutine it is about, or else the one that did it.
    pub go: GoIdx,
    /// Its stack.
    pub stack: StackId,
    /// The P on which it happened.
    pub proc: ProcIdx,
    /// What happened.
    pub kind: Kind,
}

/// How many hits are kept one by one unless told otherwise: some 25 MB.
pub const DEFAULT_CAP: usize = 1 << 19;

/// All hits of a query. The first `cap` are kept one by one; those beyond are counted, and summed up by stack.
#[derive(Debug, Default)]
pub struct Hits {
    cap: usize,
    hits: Vec<Hit>,
    total: u64,
    samples: u64,
    stacks: FxHashMap<StackId, Count>,
    by_go: FxHashMap<GoIdx, Vec<u32>>,
    by_proc: FxHashMap<ProcIdx, Vec<u32>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    samples: u64,
    events: u64,
}

/// A line of source and how many hits came from it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Caller {
    /// The function, with its file; `NONE` gathers the hits without a stack.
    pub func: FuncId,
    /// The line in the file; 0 if not known.
    pub line: u32,
    /// Hits from this line.
    pub count: u64,
    /// Their part of all hits in the list, 0 to 1.
    pub share: f64,
    /// The stack that most of them have.
    pub stack: StackId,
}

/// Hits by line of source: CPU samples, which say where time went, apart from all other events.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Callers {
    /// CPU samples; most first.
    pub samples: Vec<Caller>,
    /// All other events; most first.
    pub events: Vec<Caller>,
}

impl Hits {
    /// No hits yet; at most `cap` will be kept one by one.
    pub fn new(cap: usize) -> Hits {
        // Positions are kept as `u32`.
        Hits { cap: cap.min(u32::MAX as usize), ..Hits::default() }
    }

    /// Adds the hits of the next segment. Segments come in order, and so do the hits of each.
    pub fn add(&mut self, hits: &[Hit]) {
        for h in hits {
            debug_assert!(self.hits.last().is_none_or(|l| l.no < h.no));
            self.total += 1;
            let count = self.stacks.entry(h.stack).or_default();
            if h.kind == Kind::CpuSample {
                self.samples += 1;
                count.samples += 1;
            } else {
                count.events += 1;
            }
            if self.hits.len() < self.cap {
                let at = self.hits.len() as u32;
                self.hits.push(*h);
                if h.go.is_some() {
                    self.by_go.entry(h.go).or_default().push(at);
                }
                if h.proc.is_some() {
                    self.by_proc.entry(h.proc).or_default().push(at);
                }
            }
        }
    }

    /// The hits that are kept, by number of event.
    pub fn kept(&self) -> &[Hit] {
        &self.hits
    }

    /// How many hits there are, kept or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many of all hits are CPU samples.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Whether hits were counted and not kept.
    pub fn is_capped(&self) -> bool {
        self.total > self.hits.len() as u64
    }

    /// Position among the kept hits of the first after event `no`.
    pub fn after(&self, no: EventNo) -> Option<usize> {
        let i = self.hits.partition_point(|h| h.no <= no);
        (i < self.hits.len()).then_some(i)
    }

    /// Position of the last before event `no`.
    pub fn before(&self, no: EventNo) -> Option<usize> {
        self.hits.partition_point(|h| h.no < no).checked_sub(1)
    }

    /// Position of the first at or after `t`.
    pub fn from_time(&self, t: Time) -> Option<usize> {
        let i = self.hits.partition_point(|h| h.time < t);
        (i < self.hits.len()).then_some(i)
    }

    /// Position of the last before `t`.
    pub fn before_time(&self, t: Time) -> Option<usize> {
        self.hits.partition_point(|h| h.time < t).checked_sub(1)
    }

    /// How many of the kept hits are on `lane`, over all time.
    pub fn on_lane(&self, index: &Index, lane: Lane) -> usize {
        match lane {
            Lane::All => self.hits.len(),
            Lane::Go(g) => self.by_go.get(&g).map_or(0, Vec::len),
            Lane::Proc(p) => self.by_proc.get(&p).map_or(0, Vec::len),
            Lane::Group(g) => {
                let members = index.groups.get(g.0 as usize).map_or(&[][..], |g| &g.members);
                members.iter().filter_map(|m| self.by_go.get(m)).map(Vec::len).sum()
            }
        }
    }

    /// How many of the kept hits fall in each of `width` equal cells of the window `from..to` on `lane`.
    pub fn counts(&self, index: &Index, lane: Lane, from: Time, to: Time, width: usize) -> Vec<u32> {
        let mut cells = Cells { from, to, out: vec![0; width] };
        if width == 0 || to <= from {
            return cells.out;
        }
        let all = self.hits.partition_point(|h| h.time < from)..self.hits.partition_point(|h| h.time < to);
        match lane {
            Lane::All => self.hits[all].iter().for_each(|h| cells.hit(h)),
            Lane::Go(g) => self.listed(self.by_go.get(&g), &mut cells),
            Lane::Proc(p) => self.listed(self.by_proc.get(&p), &mut cells),
            Lane::Group(group) => {
                let members = index.groups.get(group.0 as usize).map_or(&[][..], |g| &g.members);
                // Whichever is less: to look at the hits in the window, or at every member.
                if all.len() < members.len() * 8 {
                    let of = |h: &&Hit| index.goroutine(h.go).is_some_and(|g| g.group == group);
                    self.hits[all].iter().filter(of).for_each(|h| cells.hit(h));
                } else {
                    members.iter().for_each(|m| self.listed(self.by_go.get(m), &mut cells));
                }
            }
        }
        cells.out
    }

    fn listed(&self, list: Option<&Vec<u32>>, cells: &mut Cells) {
        let list = list.map_or(&[][..], Vec::as_slice);
        let first = list.partition_point(|&i| self.hits[i as usize].time < cells.from);
        let hits = list[first..].iter().map(|&i| &self.hits[i as usize]);
        let to = cells.to;
        hits.take_while(|h| h.time < to).for_each(|h| cells.hit(h));
    }

    /// All hits by the line of user code that they come from.
    ///
    /// For a hit whose stack the query matched by a frame, that is what `line` finds from the matching frame towards the
    /// root; for other hits the same from the leaf. `line` is usually [`user_line`], or [`core_line`] for the numbers
    /// that `summary` states. Hits with no such frame are gathered under `FuncId::NONE`.
    pub fn callers(&self, dict: &Dict, query: &Compiled, line: fn(&Dict, StackId) -> Option<Frame>) -> Callers {
        let mut lines: FxHashMap<(FuncId, u32), [Sum; 2]> = FxHashMap::default();
        for (&stack, count) in &self.stacks {
            let frame = line(dict, dict.top(stack, |f| query.matches_frame(f)));
            let sums = lines.entry(frame.map_or((FuncId::NONE, 0), |f| (f.func, f.line))).or_default();
            sums[0].add(stack, count.samples);
            sums[1].add(stack, count.events);
        }
        let list = |which: usize, total: u64| {
            let some = lines.iter().filter(|(_, sums)| sums[which].count > 0);
            let mut out: Vec<Caller> = some
                .map(|(&(func, line), sums)| {
                    let Sum { count, stack, .. } = sums[which];
                    Caller { func, line, count, share: count as f64 / total as f64, stack }
                })
                .collect();
            let name = |c: &Caller| (dict.func_name(c.func), dict.func_file(c.func));
            out.sort_by(|a, b| {
                b.count.cmp(&a.count).then_with(|| name(a).cmp(&name(b))).then_with(|| a.line.cmp(&b.line))
            });
            out
        };
        Callers { samples: list(0, self.samples), events: list(1, self.total - self.samples) }
    }

    /// Bytes that the hits take.
    pub fn bytes(&self) -> usize {
        self.hits.capacity() * size_of::<Hit>() + self.hits.len() * 8 + self.stacks.len() * 24
    }
}

/// Hits of one line, and the stack that brought most of them.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    most: u64,
    stack: StackId,
}

impl Sum {
    fn add(&mut self, stack: StackId, n: u64) {
        self.count += n;
        // Ties go to the smaller handle, whatever the order in which stacks come.
        if n > 0 && (n > self.most || n == self.most && stack < self.stack) {
            (self.most, self.stack) = (n, stack);
        }
    }
}

/// The line of user code of a stack, if it is not of the runtime alone.
pub fn user_line(dict: &Dict, stack: StackId) -> Option<Frame> {
    let frame = dict.user_frame(stack).filter(|&f| dict.code(f).0 > Owner::Runtime)?;
    Some(dict.frame_of(frame))
}

/// The line of a stack that called the runtime itself.
pub fn core_line(dict: &Dict, stack: StackId) -> Option<Frame> {
    dict.stack(stack).find(|f| !is_core(dict.func_name(f.func)))
}

struct Cells {
    from: Time,
    to: Time,
    out: Vec<u32>,
}

impl Cells {
    /// Counts a hit that lies in the window.
    fn hit(&mut self, h: &Hit) {
        let (at, span) =
            (i128::from(h.time.0) - i128::from(self.from.0), i128::from(self.to.0) - i128::from(self.from.0));
        let cell = (at * self.out.len() as i128 / span) as usize;
        if let Some(c) = self.out.get_mut(cell) {
            *c = c.saturating_add(1);
        }
    }
}
