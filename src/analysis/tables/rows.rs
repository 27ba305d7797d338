//! The rows of the tables that come out of events, segment by segment.

use super::dict::{self, About};
use super::spans::{Name, ProcStretch, Procs, Range, Ranges};
use super::{Cell, Ids, Sink, Table, Wanted};
use crate::analysis::clock;
use crate::analysis::states::source::{Source, Unanswered};
use crate::analysis::states::tracker::{Interval, Tracker, Visit};
use crate::analysis::states::walk;
use crate::analysis::tasks::{Following, Instance, What};
use crate::base::{GoIdx, ProcIdx, StackId, ThreadIdx, Time};
use crate::model::segment::{GoState, Kind, ProcState};
use crate::model::{Detail, Index, Reasons, Segment, Waker};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Makes rows of a trace that has been read whole.
pub struct Rows {
    wanted: Wanted,
    ids: Ids,
    reasons: Reasons,
    about: About,
    tracker: Option<Tracker>,
    ranges: Ranges,
    procs: Procs,
    spans: Following,
    /// The recording at hand.
    recording: usize,
}

impl Rows {
    /// The rows that are `wanted` of a trace of this name.
    pub fn new(index: &Index, name: &str, wanted: Wanted) -> Rows {
        Rows {
            wanted,
            ids: Ids::new(&index.dict),
            reasons: Reasons::default(),
            about: About { name: name.to_owned(), wall: None },
            tracker: wanted.has(Table::Transitions).then(|| Tracker::new(index)),
            ranges: Ranges::default(),
            procs: Procs::default(),
            spans: Following::default(),
            recording: 0,
        }
    }

    /// Which segments have anything to say about what is wanted.
    pub fn segments(&self, index: &Index) -> std::ops::Range<usize> {
        use Table::{Events, Logs, Metrics, Samples};
        let all = 0..index.segments.len();
        if self.wanted.any(&[Table::Transitions, Table::ProcTransitions, Table::Ranges, Table::Tasks, Table::Regions]) {
            return all;
        }
        let mut some = if self.wanted.any(&[Events, Logs, Metrics, Samples]) {
            index.segments_between(self.wanted.from, self.wanted.to)
        } else {
            0..0
        };
        // The first one says what the clock on the wall shows.
        if self.wanted.has(Table::TraceSummary) && !all.is_empty() {
            some = 0..some.end.max(1);
        }
        some
    }

    /// What is under way ends where another recording begins.
    fn begin(&mut self, index: &Index, now: Time, sink: &mut dyn Sink) {
        while let Some(next) = index.recordings.get(self.recording + 1).filter(|r| r.from <= now) {
            self.close(index, index.recordings[self.recording].to, sink);
            let another = next.process != index.recordings[self.recording].process;
            (self.ranges, self.procs) = (Ranges::default(), Procs::default());
            if another {
                self.spans = Following::default();
            }
            self.recording += 1;
        }
    }

    /// Hands on the rows of the next segment.
    pub fn segment(&mut self, index: &Index, seg: &Segment, sink: &mut dyn Sink) {
        let wanted = self.wanted;
        if let Some(&first) = seg.time.first() {
            self.begin(index, first, sink);
        }
        if self.about.wall.is_none() && wanted.has(Table::TraceSummary) {
            self.about.wall = clock::epoch(seg);
        }
        if let Some(mut tracker) = self.tracker.take() {
            let mut visit = Transitions { index, ids: &self.ids, reasons: &self.reasons, wanted: &wanted, sink };
            tracker.add(seg, &mut visit);
            self.tracker = Some(tracker);
        }
        if wanted.has(Table::Ranges) || wanted.has(Table::ProcTransitions) {
            for i in 0..seg.len() {
                if let Some(r) = self.ranges.event(seg, i).filter(|_| wanted.has(Table::Ranges)) {
                    range(index, &wanted, &r, sink);
                }
                if let Some(p) = self.procs.event(index, seg, i) {
                    proc_stretch(index, &wanted, &p, sink);
                }
            }
        }
        if wanted.any(&[Table::Tasks, Table::Regions])
            && !(index.totals.tasks.is_empty() && index.totals.regions.is_empty())
        {
            self.spans.segment(index, seg, &mut |i| span(index, &wanted, i, sink));
        }
        if wanted.any(&[Table::Events, Table::Samples, Table::Metrics, Table::Logs]) {
            self.single(index, seg, sink);
        }
    }

    /// The rows that stand for one event each.
    fn single(&self, index: &Index, seg: &Segment, sink: &mut dyn Sink) {
        let events = self.wanted.has(Table::Events);
        let at = seg.between(self.wanted.from, self.wanted.to);
        for i in at {
            if i % 4096 == 0 && sink.full() {
                return;
            }
            let wanted = |g: GoIdx| self.wanted.go.is_none_or(|id| index.goroutine(g).is_some_and(|g| g.id.0 == id));
            match seg.kind[i] {
                Kind::CpuSample if self.wanted.has(Table::Samples) && wanted(seg.go[i]) => {
                    self.sample(index, seg, i, sink);
                }
                Kind::Log if self.wanted.has(Table::Logs) && wanted(seg.go[i]) => self.log(index, seg, i, sink),
                k @ (Kind::HeapAlloc | Kind::HeapGoal | Kind::ProcsChange) if self.wanted.has(Table::Metrics) => {
                    let name = match k {
                        Kind::HeapAlloc => "/memory/classes/heap/objects:bytes",
                        Kind::HeapGoal => "/gc/heap/goal:bytes",
                        _ => "/sched/gomaxprocs:threads",
                    };
                    if let Detail::Value(v) = seg.detail(i) {
                        sink.row(Table::Metrics, &[Cell::time(seg.time[i]), Cell::Word(name), Cell::count(v)]);
                    }
                }
                _ => {}
            }
            if events && wanted(seg.go[i]) {
                self.event(index, seg, i, sink);
            }
        }
    }

    fn stack(&self, s: StackId) -> Cell {
        self.ids.stack(s).map_or(Cell::Null, Cell::Int)
    }

    fn event(&self, index: &Index, seg: &Segment, i: usize, sink: &mut dyn Sink) {
        let w = &self.wanted;
        // The last four columns are what it says.
        let [detail, category, arg, arg2] = match w.columns >> 8 & 0xf {
            0 => Default::default(),
            _ => detail(index, seg.detail(i)),
        };
        sink.row(
            Table::Events,
            &[
                w.cell(0, || Cell::count(seg.first + i as u64)),
                w.cell(1, || Cell::time(seg.time[i])),
                w.cell(2, || Cell::Word(seg.kind[i].name())),
                w.cell(3, || dict::go(index, seg.go[i])),
                w.cell(4, || dict::go(index, seg.by[i])),
                w.cell(5, || proc(index, seg.proc[i])),
                w.cell(6, || thread(index, seg.thread[i])),
                w.cell(7, || self.stack(seg.stack[i])),
                detail,
                category,
                arg,
                arg2,
            ],
        );
    }

    fn sample(&self, index: &Index, seg: &Segment, i: usize, sink: &mut dyn Sink) {
        let leaf = index.dict.leaf(seg.stack[i]).map(|f| index.dict.frame_of(f).func);
        sink.row(
            Table::Samples,
            &[
                Cell::time(seg.time[i]),
                dict::go(index, seg.go[i]),
                proc(index, seg.proc[i]),
                thread(index, seg.thread[i]),
                leaf.and_then(|f| self.ids.func(f)).map_or(Cell::Null, Cell::Int),
                self.stack(seg.stack[i]),
                Cell::count(seg.first + i as u64),
            ],
        );
    }

    fn log(&self, index: &Index, seg: &Segment, i: usize, sink: &mut dyn Sink) {
        let Detail::Log { task, category, message } = seg.detail(i) else { return };
        sink.row(
            Table::Logs,
            &[
                Cell::time(seg.time[i]),
                dict::go(index, seg.go[i]),
                Cell::id(task),
                Cell::str(category),
                Cell::str(message),
                self.stack(seg.stack[i]),
                Cell::count(seg.first + i as u64),
            ],
        );
    }

    /// Hands on what is under way when a recording ends.
    fn close(&mut self, index: &Index, end: Time, sink: &mut dyn Sink) {
        let wanted = self.wanted;
        if wanted.has(Table::Ranges) {
            self.ranges.finish(end).iter().for_each(|r| range(index, &wanted, r, sink));
        }
        self.procs.finish(end).for_each(|p| proc_stretch(index, &wanted, &p, sink));
    }

    /// Hands on what is under way when the trace ends, and the tables that do not come out of single events.
    pub fn finish(&mut self, index: &Index, sink: &mut dyn Sink) {
        let wanted = self.wanted;
        self.close(index, index.end, sink);
        if wanted.has(Table::Events) && wanted.go.is_none() {
            let closing = index.closing();
            closing.between(wanted.from, wanted.to).for_each(|i| self.event(index, &closing, i, sink));
        }
        if let Some(tracker) = self.tracker.take() {
            let mut visit = Transitions { index, ids: &self.ids, reasons: &self.reasons, wanted: &wanted, sink };
            tracker.finish(index.end, &mut visit);
        }
        if wanted.any(&[Table::Tasks, Table::Regions]) {
            self.spans.finish(index, &mut |i| span(index, &wanted, i, sink));
        }
        dict::rows(index, &self.ids, &self.about, &wanted, sink);
    }
}

/// Hands all rows that are wanted of a trace to a sink, which may say that it is full.
///
/// # Errors
///
/// A segment that cannot be decoded, in a few words.
pub fn each<S: Source>(source: &S, name: &str, wanted: Wanted, sink: &mut dyn Sink) -> Result<(), Unanswered> {
    let mut out = Ok(());
    source.with_index(&mut |index| {
        let mut rows = Rows::new(index, name, wanted);
        out = walk::segments(source, rows.segments(index), walk::threads(), &mut |_, seg| {
            rows.segment(index, seg, sink);
            if sink.full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if out.is_ok() && !sink.full() {
            rows.finish(index, sink);
        }
    });
    out
}

fn proc(index: &Index, p: ProcIdx) -> Cell {
    index.procs.get(p.0 as usize).map_or(Cell::Null, |p| Cell::id(p.id.0))
}

fn thread(index: &Index, t: ThreadIdx) -> Cell {
    index.threads.get(t.0 as usize).map_or(Cell::Null, |t| Cell::id(t.id.0))
}

/// What an event says beyond its columns: text, category, two numbers.
fn detail(index: &Index, d: Detail) -> [Cell; 4] {
    use Cell::Null;
    match d {
        Detail::None => [Null, Null, Null, Null],
        Detail::Reason(s) | Detail::Label(s) | Detail::Stw(s) => [Cell::str(s), Null, Null, Null],
        Detail::Entry(stack) => {
            let func = index.dict.leaf(stack).map(|f| index.dict.frame_of(f).func);
            let name = func.and_then(|f| index.dict.funcs().get(f.index())).map_or(Null, |f| Cell::str(f.name));
            [name, Null, Null, Null]
        }
        Detail::GoStatus(s) => [Cell::Word(s.name()), Null, Null, Null],
        Detail::ProcStatus(p, s) => [Cell::Word(s.name()), Null, proc(index, p), Null],
        Detail::Proc(p) => [Null, Null, proc(index, p), Null],
        Detail::Value(v) => [Null, Null, Cell::count(v), Null],
        Detail::Swept { swept, reclaimed } => [Null, Null, Cell::count(swept), Cell::count(reclaimed)],
        Detail::Task { id, parent, name } => [Cell::str(name), Null, Cell::id(id), Cell::id(parent)],
        Detail::Region { task, name } => [Cell::str(name), Null, Cell::id(task), Null],
        Detail::Log { task, category, message } => [Cell::str(message), Cell::str(category), Cell::id(task), Null],
        Detail::Clock { generation, .. } => [Null, Null, Cell::count(generation), Null],
        Detail::Experiment(args) => [Null, Null, Cell::count(args[0]), Cell::count(args[1])],
    }
}

struct Transitions<'a> {
    index: &'a Index,
    ids: &'a Ids,
    reasons: &'a Reasons,
    wanted: &'a Wanted,
    sink: &'a mut dyn Sink,
}

impl Transitions<'_> {
    fn wanted(&self, go: GoIdx, from: Time, to: Time) -> bool {
        let of = |id| self.index.goroutine(go).is_some_and(|g| g.id.0 == id);
        self.wanted.inside(from, to) && self.wanted.go.is_none_or(of)
    }

    fn stack(&self, s: StackId) -> Cell {
        self.ids.stack(s).map_or(Cell::Null, Cell::Int)
    }
}

impl Visit for Transitions<'_> {
    fn begin(&mut self, now: &Interval, seg: &Segment, i: usize) -> u32 {
        let before = match now.kind {
            Kind::GoCreate | Kind::GoCreateBlocked | Kind::GoCreateSyscall => GoState::NotExist,
            Kind::GoStatus => GoState::Undetermined,
            _ => return 0,
        };
        if self.wanted(now.go, now.from, now.from) {
            let by = if before == GoState::NotExist { now.by } else { GoIdx::NONE };
            let stack = if before == GoState::NotExist { now.stack } else { StackId::NONE };
            self.sink.row(
                Table::Transitions,
                &[
                    dict::go(self.index, now.go),
                    Cell::Word(before.name()),
                    Cell::Word(now.state.name()),
                    Cell::Null,
                    Cell::time(now.from),
                    Cell::time(now.from),
                    Cell::Int(0),
                    Cell::Bool(before == GoState::NotExist),
                    Cell::Null,
                    Cell::Null,
                    Cell::Null,
                    dict::go(self.index, by),
                    self.stack(stack),
                    proc(self.index, now.proc),
                    Cell::count(seg.first + i as u64),
                ],
            );
        }
        0
    }

    fn end(&mut self, iv: &Interval) {
        if !self.wanted(iv.go, iv.from, iv.to) {
            return;
        }
        let w = self.wanted;
        let wait = iv.state == GoState::Waiting;
        let told = wait && w.columns >> 10 & 3 != 0;
        let (waker, by) = match told.then(|| iv.waker(self.index, self.reasons)) {
            Some(Waker::Go(g)) => (Cell::Word("goroutine"), dict::go(self.index, g)),
            Some(Waker::Network) => (Cell::Word("network"), Cell::Null),
            Some(Waker::Timer) => (Cell::Word("timer"), Cell::Null),
            Some(Waker::Runtime) => (Cell::Word("runtime"), Cell::Null),
            Some(Waker::Nobody) | None => (Cell::Null, Cell::Null),
        };
        let next = || iv.end.and_then(|e| e.kind.go_transition()).map_or(Cell::Null, |t| Cell::Word(t.1.name()));
        let end = iv.end;
        self.sink.row(
            Table::Transitions,
            &[
                w.cell(0, || dict::go(self.index, iv.go)),
                w.cell(1, || Cell::Word(iv.state.name())),
                w.cell(2, next),
                w.cell(3, || Cell::str(iv.reason)),
                w.cell(4, || Cell::time(iv.from)),
                w.cell(5, || Cell::time(iv.to)),
                w.cell(6, || Cell::Int(iv.len().ns())),
                w.cell(7, || Cell::Bool(iv.closed())),
                w.cell(8, || self.stack(iv.stack)),
                w.cell(9, || dict::go(self.index, iv.by)),
                waker,
                by,
                w.cell(12, || end.filter(|_| wait).map_or(Cell::Null, |e| self.stack(e.stack))),
                w.cell(13, || end.map_or(Cell::Null, |e| proc(self.index, e.proc))),
                w.cell(14, || end.map_or(Cell::Null, |e| Cell::count(e.no))),
            ],
        );
    }

    fn done(&self, _: Time) -> bool {
        self.sink.full()
    }
}

fn range(index: &Index, wanted: &Wanted, r: &Range, sink: &mut dyn Sink) {
    let of = |id| index.goroutine(r.go).is_some_and(|g| g.id.0 == id);
    if !wanted.inside(r.from, r.to) || !wanted.go.is_none_or(of) {
        return;
    }
    let name = match r.name {
        Name::Gc(name) => Cell::Word(name),
        Name::Stw(why) => Cell::Own(Arc::from(format!("stop-the-world ({})", index.dict.str(why)))),
    };
    let (go, proc) = (dict::go(index, r.go), proc(index, r.proc));
    let (from, to, len) = (Cell::time(r.from), Cell::time(r.to), Cell::Int((r.to - r.from).ns()));
    sink.row(Table::Ranges, &[name, from, to, len, Cell::Bool(r.ended), go, proc]);
}

fn proc_stretch(index: &Index, wanted: &Wanted, p: &ProcStretch, sink: &mut dyn Sink) {
    let of = |id| index.goroutine(p.go).is_some_and(|g| g.id.0 == id);
    if !wanted.has(Table::ProcTransitions) || !wanted.inside(p.from, p.to) || !wanted.go.is_none_or(of) {
        return;
    }
    let word = |s: ProcState| Cell::Word(s.name());
    sink.row(
        Table::ProcTransitions,
        &[
            proc(index, p.proc),
            word(p.state),
            p.next.map_or(Cell::Null, word),
            Cell::time(p.from),
            Cell::time(p.to),
            Cell::Int((p.to - p.from).ns()),
            thread(index, p.thread),
            dict::go(index, p.go),
            p.no.map_or(Cell::Null, Cell::count),
        ],
    );
}

fn span(index: &Index, wanted: &Wanted, i: &Instance, sink: &mut dyn Sink) {
    let of = |id| index.goroutine(i.go).is_some_and(|g| g.id.0 == id);
    if !wanted.inside(i.from, i.to) || !wanted.go.is_none_or(of) {
        return;
    }
    let (name, task, go) = (Cell::str(i.name), Cell::id(i.task), dict::go(index, i.go));
    let (from, to, len) = (Cell::time(i.from), Cell::time(i.to), Cell::Int(i.len().ns()));
    let complete = Cell::Bool(i.complete());
    match i.what {
        What::Task if wanted.has(Table::Tasks) => {
            let ended_by = dict::go(index, i.ended_by);
            sink.row(Table::Tasks, &[task, name, from, to, len, complete, go, ended_by]);
        }
        What::Region if wanted.has(Table::Regions) => {
            sink.row(Table::Regions, &[name, task, from, to, len, complete, go]);
        }
        _ => {}
    }
}
