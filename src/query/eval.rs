//! Whether an event answers a query.

use super::ast::Cmp;
use super::bits::Bits;
use super::compile::{Compiled, Names, Stacks, Test, Text};
use crate::base::{GoIdx, StackId, StringId, Time};
use crate::model::segment::{GoState, Kind};
use crate::model::{Detail, Segment, SegmentInfo};

/// A goroutine's next change of state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// When.
    pub time: Time,
    /// What changed it.
    pub kind: Kind,
    /// The goroutine that did it.
    pub by: GoIdx,
    /// The stack of whoever did it.
    pub stack: StackId,
}

impl Next {
    /// The change that the event at position `i` is; `None` if it changes no goroutine's state.
    pub fn at(seg: &Segment, i: usize) -> Option<Next> {
        seg.kind[i].go_transition()?;
        Some(Next { time: seg.time[i], kind: seg.kind[i], by: seg.by[i], stack: seg.stack[i] })
    }

    /// The first change of `go` after position `after` of `seg` (from its beginning, for `None`).
    pub fn within(seg: &Segment, go: GoIdx, after: Option<usize>) -> Option<Next> {
        let of = seg.of_goroutine(go);
        let from = after.map_or(0, |i| of.partition_point(|&p| p as usize <= i));
        of[from..].iter().find_map(|&p| Next::at(seg, p as usize))
    }
}

/// What lies beyond a segment, for conditions on how a state goes on.
pub trait Ahead {
    /// The first change of state of `go` in the segments after the one whose last event has number `after - 1`;
    /// `None` if there is none up to the trace's end.
    fn next(&self, go: GoIdx, after: u64) -> Option<Next>;

    /// The name of a user task, where it is known beyond the event at which the task began.
    fn task_name(&self, _task: u64) -> Option<StringId> {
        None
    }
}

/// Nothing is known beyond the segment: states last to the trace's end.
pub struct NoAhead;

impl Ahead for NoAhead {
    fn next(&self, _go: GoIdx, _after: u64) -> Option<Next> {
        None
    }
}

fn bit(k: Kind) -> u64 {
    1 << k as u8
}

const LOGS: u64 = 1 << Kind::Log as u8;
const LABELS: u64 = 1 << Kind::GoLabel as u8;
const REGIONS: u64 = 1 << Kind::RegionBegin as u8 | 1 << Kind::RegionEnd as u8;
const TASKS: u64 = 1 << Kind::TaskBegin as u8 | 1 << Kind::TaskEnd as u8;
/// What begins a task or a region.
const BEGINS: u64 = 1 << Kind::TaskBegin as u8 | 1 << Kind::RegionBegin as u8;
const CREATES: u64 = 1 << Kind::GoCreate as u8 | 1 << Kind::GoCreateBlocked as u8;
const REASONS: u64 = 1 << Kind::GoBlock as u8 | 1 << Kind::GoStop as u8;
const SYSCALLS: u64 = 1 << Kind::GoSyscallBegin as u8;

impl Compiled {
    /// Whether any event of a segment may match; `false` is certain.
    pub fn may_match(&self, info: &SegmentInfo) -> bool {
        may(&self.root, info, true)
    }

    /// Whether the event at position `i` of `seg` matches.
    pub fn matches(&self, seg: &Segment, i: usize, ahead: &dyn Ahead) -> bool {
        At { seg, i, ahead }.test(&self.root)
    }
}

/// Whether `test` may come out as `want` for an event of the segment.
fn may(test: &Test, info: &SegmentInfo, want: bool) -> bool {
    let overlaps = |from: Time, to: Time| info.from <= to && from <= info.to;
    match (test, want) {
        (Test::All, _) => want,
        (Test::Not(t), _) => may(t, info, !want),
        (Test::And(parts), true) | (Test::Or(parts), false) => parts.iter().all(|t| may(t, info, want)),
        (Test::And(parts), false) | (Test::Or(parts), true) => parts.iter().any(|t| may(t, info, want)),
        (Test::Kind(bits), true) => info.kinds & bits != 0,
        (Test::Kind(bits), false) => info.kinds & !bits != 0,
        (Test::Time(from, to), true) => *from <= info.to && info.from < *to,
        (Test::Time(from, to), false) => info.from < *from || info.to >= *to,
        // The opposite of the other terms is true of nearly everything.
        (_, false) => true,
        (Test::Stack(s), true) => stacks_may(s, info),
        (Test::Any(t), true) => {
            info.kinds & t.kinds != 0
                || t.some && info.kinds & (LOGS | REGIONS | TASKS) != 0
                // Labels are the runtime's own words, never a function's name.
                || t.some_label && info.kinds & LABELS != 0
                || stacks_may(&t.stacks, info)
        }
        (Test::State(s), true) => {
            let into = |k: &&Kind| k.go_transition().is_some_and(|(_, to)| to == *s) || **k == Kind::GoStatus;
            Kind::ALL.iter().filter(into).any(|&k| info.kinds & bit(k) != 0)
        }
        (Test::Reason(r), true) => info.kinds & (REASONS | SYSCALLS) != 0 && !r.is_empty(),
        (Test::Go(b), true) | (Test::Proc(b), true) | (Test::Thread(b), true) => !b.is_empty(),
        (Test::Cat(b), true) | (Test::Msg(b), true) => info.kinds & LOGS != 0 && !b.is_empty(),
        (Test::Region(b), true) => info.kinds & REGIONS != 0 && !b.is_empty(),
        (Test::Label { strings, given }, true) => {
            info.kinds & LABELS != 0 && !strings.is_empty() || given.all.is_some_and(|(from, to)| overlaps(from, to))
        }
        (Test::Task(_), true) => info.kinds & (TASKS | REGIONS | LOGS) != 0,
        (Test::Within(ranges), true) => {
            let next = ranges.partition_point(|r| r.1 < info.from);
            ranges.get(next).is_some_and(|r| overlaps(r.0, r.1))
        }
        (Test::By { gos, stacks }, true) => !gos.is_empty() || !stacks.is_empty(),
        (Test::Dur { .. }, true) => true,
        (Test::Span(of), true) => !of.is_empty(),
    }
}

fn stacks_may(s: &Stacks, info: &SegmentInfo) -> bool {
    info.stacks.iter().any(|&id| s.bits.has(id.0))
}

/// An event under test.
struct At<'a> {
    seg: &'a Segment,
    i: usize,
    ahead: &'a dyn Ahead,
}

impl At<'_> {
    fn test(&self, test: &Test) -> bool {
        let (seg, i) = (self.seg, self.i);
        let kind = seg.kind[i];
        match test {
            Test::All => true,
            Test::Not(t) => !self.test(t),
            Test::And(parts) => parts.iter().all(|t| self.test(t)),
            Test::Or(parts) => parts.iter().any(|t| self.test(t)),
            Test::Any(t) => self.text(t),
            Test::Stack(s) => self.stack(&s.bits),
            Test::State(s) => self.begins() == Some(*s),
            Test::Reason(r) => match seg.detail(i) {
                Detail::Reason(s) => bit(kind) & REASONS != 0 && r.has(s, seg.stack[i]),
                _ => bit(kind) & SYSCALLS != 0 && r.syscalls.has(seg.stack[i].0),
            },
            Test::Dur { cmp, ns, lengths, .. } if bit(kind) & BEGINS != 0 => {
                let no = seg.first + i as u64;
                let found = lengths.binary_search_by_key(&no, |l| l.0);
                found.is_ok_and(|at| cmp.holds(lengths[at].1.ns(), *ns))
            }
            Test::Dur { cmp, ns, end, .. } => self.dur(*cmp, *ns, *end),
            Test::Span(of) => {
                let within = |go: GoIdx| {
                    of.get(&go).is_some_and(|all| {
                        let next = all.partition_point(|r| r.1 < seg.time[i]);
                        all.get(next).is_some_and(|r| r.0 <= seg.time[i])
                    })
                };
                // What it does to others is done inside, too.
                within(seg.go[i]) || within(seg.by[i])
            }
            Test::Go(b) => {
                let go = if seg.go[i].is_some() { seg.go[i] } else { seg.by[i] };
                b.has(go.0)
            }
            Test::Proc(b) => {
                b.has(u32::from(seg.proc[i].0))
                    || matches!(seg.detail(i), Detail::Proc(p) | Detail::ProcStatus(p, _) if b.has(u32::from(p.0)))
            }
            Test::Thread(b) => b.has(u32::from(seg.thread[i].0)),
            Test::Kind(bits) => bits & bit(kind) != 0,
            Test::Cat(b) => matches!(self.rare(LOGS), Detail::Log { category, .. } if b.has(category.0)),
            Test::Msg(b) => matches!(self.rare(LOGS), Detail::Log { message, .. } if b.has(message.0)),
            Test::Region(b) => matches!(self.rare(REGIONS), Detail::Region { name, .. } if b.has(name.0)),
            Test::Label { strings, given } => {
                let go = if seg.go[i].is_some() { seg.go[i] } else { seg.by[i] };
                matches!(self.rare(LABELS), Detail::Label(s) if strings.has(s.0)) || given.has(go, seg.time[i])
            }
            Test::Task(names) => self.task(names),
            Test::Within(ranges) => {
                let t = seg.time[i];
                let next = ranges.partition_point(|r| r.1 < t);
                ranges.get(next).is_some_and(|r| r.0 <= t)
            }
            Test::Time(from, to) => *from <= seg.time[i] && seg.time[i] < *to,
            Test::By { gos, stacks } => self.ended_by().is_some_and(|n| gos.has(n.by.0) || stacks.has(n.stack.0)),
        }
    }

    /// The event's detail if it is of one of `kinds`, or none.
    fn rare(&self, kinds: u64) -> Detail {
        if kinds & bit(self.seg.kind[self.i]) == 0 { Detail::None } else { self.seg.detail(self.i) }
    }

    fn stack(&self, bits: &Bits) -> bool {
        bits.has(self.seg.stack[self.i].0) || matches!(self.rare(CREATES), Detail::Entry(s) if bits.has(s.0))
    }

    fn text(&self, t: &Text) -> bool {
        if self.stack(&t.stacks.bits) || t.kinds & bit(self.seg.kind[self.i]) != 0 {
            return true;
        }
        match self.rare(LOGS | LABELS | REGIONS | TASKS) {
            Detail::Label(s) => t.strings.has(s.0),
            Detail::Region { name, .. } => t.strings.has(name.0),
            Detail::Task { id, name, .. } => self.task_named(id, name, &t.strings),
            Detail::Log { category, message, .. } => t.strings.has(category.0) || t.strings.has(message.0),
            _ => false,
        }
    }

    fn task(&self, names: &Names) -> bool {
        let (id, name) = match self.rare(TASKS | REGIONS | LOGS) {
            Detail::Task { id, name, .. } => (id, name),
            // 0 is the background task, which everything belongs to that belongs to none.
            Detail::Region { task, .. } | Detail::Log { task, .. } if task != 0 => (task, StringId::NONE),
            _ => return false,
        };
        match names {
            Names::Number(n) => id == *n,
            Names::Strings(b) => self.task_named(id, name, b),
        }
    }

    fn task_named(&self, id: u64, name: StringId, strings: &Bits) -> bool {
        let name = name.some().or_else(|| self.ahead.task_name(id));
        name.is_some_and(|s| strings.has(s.0))
    }

    /// The state in which the event puts its goroutine; `None` if it changes none. A status counts in the first
    /// segment, where it says in which state the goroutine was found; later ones only repeat what is known.
    fn begins(&self) -> Option<GoState> {
        match self.seg.kind[self.i] {
            Kind::GoStatus if self.seg.first == 0 => match self.seg.detail(self.i) {
                Detail::GoStatus(s) => Some(s),
                _ => None,
            },
            kind => kind.go_transition().map(|(_, to)| to),
        }
    }

    /// The goroutine's next change of state.
    fn next(&self) -> Option<Next> {
        let go = self.seg.go[self.i].some()?;
        let beyond = || self.ahead.next(go, self.seg.first + self.seg.len() as u64);
        Next::within(self.seg, go, Some(self.i)).or_else(beyond)
    }

    fn dur(&self, cmp: Cmp, ns: i64, end: Time) -> bool {
        match self.begins() {
            None | Some(GoState::NotExist | GoState::Undetermined) => return false,
            Some(_) => {}
        }
        let (seg, i) = (self.seg, self.i);
        let start = seg.time[i];
        let here = Next::within(seg, seg.go[i], Some(i));
        if here.is_none() {
            // Where the state outlasts the segment, its length so far may already decide.
            let least = seg.time.last().map_or(0, |&t| (t - start).ns());
            if least > ns {
                return matches!(cmp, Cmp::Gt | Cmp::Ge);
            }
        }
        let until = here.or_else(|| self.next()).map_or(end, |n| n.time);
        cmp.holds((until - start).ns(), ns)
    }

    /// What ended the wait that the event begins, or ends.
    fn ended_by(&self) -> Option<Next> {
        if self.seg.kind[self.i] == Kind::GoUnblock {
            return Next::at(self.seg, self.i);
        }
        match self.begins() {
            Some(GoState::Waiting) => self.next().filter(|n| n.kind == Kind::GoUnblock),
            _ => None,
        }
    }
}
