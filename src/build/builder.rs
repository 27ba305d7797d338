//! Makes segments by hand, one event at a time: for tests, and for whoever has events that no decoder made.

use crate::model::segment::{Detail, Event, Segment, lists, packed_status};
use crate::wire::args::Args;

/// Makes a segment out of events, one after the other: for tests and for whoever has events and no decoder.
#[derive(Default)]
pub struct SegmentBuilder {
    seg: Segment,
}

impl SegmentBuilder {
    /// A segment whose first event will have number `first`.
    pub fn new(first: u64) -> SegmentBuilder {
        SegmentBuilder { seg: Segment { first, ..Segment::default() } }
    }

    /// Appends an event. Its number is its place; its detail must be the one that its kind has, as
    /// [`Segment::detail`] says, or it is read as nothing.
    pub fn push(&mut self, e: Event) -> &mut SegmentBuilder {
        let arg = self.arg(e.detail);
        let seg = &mut self.seg;
        seg.time.push(e.time);
        seg.kind.push(e.kind);
        seg.go.push(e.go);
        seg.by.push(e.by);
        seg.proc.push(e.proc);
        seg.thread.push(e.thread);
        seg.stack.push(e.stack);
        seg.arg.push(arg);
        self
    }

    fn arg(&mut self, detail: Detail) -> u32 {
        let wide = match detail {
            Detail::None => return u32::MAX,
            Detail::Reason(s) | Detail::Label(s) | Detail::Stw(s) => return s.0,
            Detail::Entry(s) => return s.0,
            Detail::GoStatus(s) => return s as u32,
            Detail::ProcStatus(p, s) => return packed_status(p, s),
            Detail::Proc(p) => return u32::from(p.0),
            Detail::Value(v) => Args::of_value(v),
            Detail::Swept { swept, reclaimed } => Args::of_sweep(swept, reclaimed),
            Detail::Task { id, parent, name } => Args::of_task(id, parent, name.0),
            Detail::Region { task, name } => Args::of_region(task, name.0),
            Detail::Log { task, category, message } => Args::of_log(task, category.0, message.0),
            Detail::Clock { generation, at, mono_ns, wall_ns } => Args::of_sync(generation, at.0, mono_ns, wall_ns),
            Detail::Experiment(args) => Args::raw(args),
        };
        self.seg.wide.push(wide);
        (self.seg.wide.len() - 1) as u32
    }

    /// The segment, with the list of each goroutine's events.
    pub fn finish(mut self) -> Segment {
        let (gos, go_starts, by_go) = lists(&self.seg.go);
        self.seg = Segment { gos, go_starts, by_go, ..self.seg };
        self.seg
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{GoIdx, ProcIdx, StackId, StringId, ThreadIdx, Time};
    use crate::wire::event::{GoState, Kind, ProcState};

    #[test]
    fn what_is_put_in_comes_out() {
        let event = |no: u64, kind, go: u32, detail| Event {
            no,
            time: Time(no as i64),
            kind,
            go: GoIdx(go),
            by: GoIdx::NONE,
            proc: ProcIdx(0),
            thread: ThreadIdx(0),
            stack: StackId::NONE,
            detail,
        };
        let s = StringId(5);
        let events = [
            event(7, Kind::GoBlock, 2, Detail::Reason(s)),
            event(8, Kind::Log, 1, Detail::Log { task: 3, category: s, message: StringId(6) }),
            event(9, Kind::ProcStatus, u32::MAX, Detail::ProcStatus(ProcIdx(4), ProcState::Idle)),
            event(10, Kind::GoStatus, 2, Detail::GoStatus(GoState::Syscall)),
            event(11, Kind::TaskEnd, 1, Detail::Task { id: 3, parent: 0, name: StringId::NONE }),
        ];
        let mut b = SegmentBuilder::new(7);
        for e in events {
            b.push(e);
        }
        let seg = b.finish();
        for (i, e) in events.iter().enumerate() {
            assert_eq!(seg.event(i), *e);
        }
        assert_eq!(seg.goroutines(), [GoIdx(1), GoIdx(2)]);
        assert_eq!(seg.of_goroutine(GoIdx(1)), [1, 4]);
        assert_eq!(seg.of_goroutine(GoIdx(2)), [0, 3]);
        assert!(seg.of_goroutine(GoIdx(0)).is_empty());
    }
}
