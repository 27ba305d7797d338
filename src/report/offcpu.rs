//! Profiles out of a trace, in pprof's form.

use crate::analysis::cost::offcpu::{Kind, Open, Profile, Record};
use crate::analysis::waits::chains::Mark;
use crate::analysis::waits::links::Party;
use crate::base::{FrameId, StringId};
use crate::model::Index;
use crate::profile::model;
use crate::profile::model::{Function, Label, LabelValue, Line, Location, Sample, Span, Strings, ValueType};
use rustc_hash::FxHashMap;

/// The profile as pprof has it. Each sample says in labels what was waited for (`reason`), of which start function the
/// goroutine was (`goroutine`), who ended the wait (`waker`), and, for a stretch that reaches beyond the trace, at which
/// end (`open`).
pub fn pprof(p: &Profile, index: &Index) -> model::Profile {
    let mut b = Builder {
        index,
        out: model::Profile::default(),
        locations: FxHashMap::default(),
        functions: FxHashMap::default(),
        marks: FxHashMap::default(),
    };
    let (count, value) = match p.kind {
        Kind::Cpu => ("samples", "cpu"),
        _ => ("contentions", "delay"),
    };
    let types = [(count, "count"), (value, "nanoseconds")];
    let types = types.map(|(k, u)| ValueType { kind: b.out.strings.intern(k), unit: b.out.strings.intern(u) });
    b.out.sample_types = types.to_vec();
    b.out.period_type = if p.kind == Kind::Cpu { types[1] } else { types[0] };
    b.out.period = if p.kind == Kind::Cpu { 10_000_000 } else { 1 };
    b.out.duration_nanos = p.duration.ns();
    for r in &p.records {
        b.record(p, r);
    }
    b.out
}

struct Builder<'a> {
    index: &'a Index,
    out: model::Profile,
    locations: FxHashMap<FrameId, u32>,
    functions: FxHashMap<(StringId, StringId), usize>,
    /// The locations that stand between waiters and wakers.
    marks: FxHashMap<Mark, u32>,
}

fn span(from: usize, to: usize) -> Span {
    Span { start: from as u32, len: (to - from) as u32 }
}

impl Builder<'_> {
    fn record(&mut self, p: &Profile, r: &Record) {
        let (frames, values, labels) = (self.out.frames.len(), self.out.values.len(), self.out.labels.len());
        // The chain on top of the waiter, each waker upside down: the two meet where one woke the other.
        for step in p.chains.steps(r.key.chain).into_iter().rev() {
            let mut stack: Vec<FrameId> = self.index.dict.stack_ids(step.stack).collect();
            if step.mark == Mark::WokenBy {
                stack.reverse();
            }
            for f in stack {
                let l = self.location(f);
                self.out.frames.push(l);
            }
            let mark = self.mark(step.mark);
            self.out.frames.push(mark);
        }
        for f in self.index.dict.stack_ids(r.key.stack) {
            let l = self.location(f);
            self.out.frames.push(l);
        }
        self.out.values.extend([r.count.min(i64::MAX as u64) as i64, r.total.ns()]);
        let group = self.index.group_name(r.key.group);
        if !group.is_empty() {
            self.label("goroutine", group);
        }
        let open = match r.key.open {
            Open::No => "",
            Open::Start => "since before the trace",
            Open::End => "beyond the trace",
            Open::Both => "all through the trace",
        };
        if !open.is_empty() {
            self.label("open", open);
        }
        if let Some(reason) = p.reason(r) {
            self.label("reason", &reason);
        }
        match r.key.waker {
            None | Some(Party::Group(crate::base::GroupId::NONE)) => {}
            Some(w) => self.label("waker", w.name(self.index)),
        }
        self.out.samples.push(Sample {
            stack: span(frames, self.out.frames.len()),
            values: span(values, self.out.values.len()),
            labels: span(labels, self.out.labels.len()),
        });
    }

    fn label(&mut self, key: &str, value: &str) {
        let key = self.out.strings.intern(key);
        let value = LabelValue::Text(self.out.strings.intern(value));
        self.out.labels.push(Label { key, value });
    }

    fn location(&mut self, f: FrameId) -> u32 {
        if let Some(&l) = self.locations.get(&f) {
            return l;
        }
        let frame = self.index.dict.frame_of(f);
        let name = self.out.strings.intern(self.index.dict.func_name(frame.func));
        let file = self.out.strings.intern(self.index.dict.func_file(frame.func));
        let l = self.add(name, file, i64::from(frame.line), frame.pc);
        self.locations.insert(f, l);
        l
    }

    fn mark(&mut self, mark: Mark) -> u32 {
        if let Some(&l) = self.marks.get(&mark) {
            return l;
        }
        let name = self.out.strings.intern(mark.name());
        let l = self.add(name, Strings::EMPTY, 0, 0);
        self.marks.insert(mark, l);
        l
    }

    /// A location of its own for each frame: a trace gives the functions already, inlined ones too.
    fn add(&mut self, name: StringId, file: StringId, line: i64, address: u64) -> u32 {
        let o = &mut self.out;
        let function = *self.functions.entry((name, file)).or_insert_with(|| {
            let id = o.functions.len() as u64 + 1;
            o.functions.push(Function { id, name, system_name: name, file, start_line: 0 });
            o.functions.len() - 1
        });
        let lines = o.lines.len();
        o.lines.push(Line { function: function as u32, line, column: 0, inlined: false });
        let id = o.locations.len() as u64 + 1;
        let lines = span(lines, o.lines.len());
        o.locations.push(Location { id, mapping: None, address, lines, folded: false });
        (o.locations.len() - 1) as u32
    }
}
