//! Events that say something, and change no goroutine's and no P's state.

use super::super::super::spec::{ARG_COUNTS, id};
use super::super::{Orderer, Step};
use super::Head;
use crate::base::Time;
use crate::wire::args::Args;
use crate::wire::event::{Events, Kind};

impl Orderer<'_> {
    pub(super) fn mention(&mut self, head: &Head, time: Time, out: &mut Events) -> Step {
        let [a, b, c, d] = head.args;
        let mut row = head.row(time, kind(head.op));
        match head.op {
            id::PROCS_CHANGE | id::GC_BEGIN => {
                row.arg = out.push_wide(Args::of_value(a));
                row.stack = self.stack(b);
            }
            id::HEAP_ALLOC | id::HEAP_GOAL | id::GC_ACTIVE | id::GC_END => row.arg = out.push_wide(Args::of_value(a)),
            id::STW_BEGIN => {
                row.arg = self.text(a);
                row.stack = self.stack(b);
                self.stw = row.arg;
            }
            id::STW_END => row.arg = self.stw,
            id::GC_SWEEP_ACTIVE => row.arg = u32::from(self.proc(a)),
            id::GC_SWEEP_BEGIN | id::GC_MARK_ASSIST_BEGIN => row.stack = self.stack(a),
            id::GC_SWEEP_END => row.arg = out.push_wide(Args::of_sweep(a, b)),
            id::GC_MARK_ASSIST_ACTIVE => row.go = self.go(a),
            id::GC_MARK_ASSIST_END => {}
            id::GO_LABEL => row.arg = self.text(a),
            id::TASK_BEGIN => {
                row.arg = out.push_wide(Args::of_task(a, b, self.text(c)));
                row.stack = self.stack(d);
            }
            id::TASK_END => {
                row.arg = out.push_wide(Args::of_task_end(a));
                row.stack = self.stack(b);
            }
            id::REGION_BEGIN | id::REGION_END => {
                row.arg = out.push_wide(Args::of_region(a, self.text(b)));
                row.stack = self.stack(c);
            }
            id::LOG => {
                row.arg = out.push_wide(Args::of_log(a, self.text(b), self.text(c)));
                row.stack = self.stack(d);
            }
            op => {
                // What stands behind them is left from an event before.
                let count = usize::from(ARG_COUNTS[usize::from(op)]);
                let args = std::array::from_fn(|i| if i < count { head.args[i] } else { 0 });
                row.arg = out.push_wide(Args::raw(args));
            }
        }
        self.done(out, row)
    }
}

/// The kind of such an event. Only events of the specification get here.
fn kind(op: u8) -> Kind {
    match op {
        id::PROCS_CHANGE => Kind::ProcsChange,
        id::HEAP_ALLOC => Kind::HeapAlloc,
        id::HEAP_GOAL => Kind::HeapGoal,
        id::GC_ACTIVE => Kind::GcActive,
        id::GC_BEGIN => Kind::GcBegin,
        id::GC_END => Kind::GcEnd,
        id::STW_BEGIN => Kind::StwBegin,
        id::STW_END => Kind::StwEnd,
        id::GC_SWEEP_ACTIVE => Kind::GcSweepActive,
        id::GC_SWEEP_BEGIN => Kind::GcSweepBegin,
        id::GC_SWEEP_END => Kind::GcSweepEnd,
        id::GC_MARK_ASSIST_ACTIVE => Kind::GcMarkAssistActive,
        id::GC_MARK_ASSIST_BEGIN => Kind::GcMarkAssistBegin,
        id::GC_MARK_ASSIST_END => Kind::GcMarkAssistEnd,
        id::GO_LABEL => Kind::GoLabel,
        id::TASK_BEGIN => Kind::TaskBegin,
        id::TASK_END => Kind::TaskEnd,
        id::REGION_BEGIN => Kind::RegionBegin,
        id::REGION_END => Kind::RegionEnd,
        id::LOG => Kind::Log,
        id::SPAN => Kind::Span,
        id::SPAN_ALLOC => Kind::SpanAlloc,
        id::SPAN_FREE => Kind::SpanFree,
        id::HEAP_OBJECT => Kind::HeapObject,
        id::HEAP_OBJECT_ALLOC => Kind::HeapObjectAlloc,
        id::HEAP_OBJECT_FREE => Kind::HeapObjectFree,
        id::GOROUTINE_STACK => Kind::GoroutineStack,
        id::GOROUTINE_STACK_ALLOC => Kind::GoroutineStackAlloc,
        _ => Kind::GoroutineStackFree,
    }
}
