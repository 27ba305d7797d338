//! A trace of two segments, made by hand, for the tests of queries and of the search.

use crate::base::{
    Duration, FuncId, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, ThreadIdx, Time,
};
use crate::build::SegmentBuilder;
use crate::model::ownership::Owner;
use crate::model::segment::{GoState, Kind};
use crate::model::{
    Detail, Dict, Event, Frame, Func, Goroutine, Group, Index, Proc, Range, Segment, SegmentInfo, Thread,
};
use std::sync::Arc;

/// When the trace begins.
const START: i64 = 1_000_000_000;

pub(crate) struct Fixture {
    pub(crate) index: Index,
    pub(crate) segments: Vec<Arc<Segment>>,
}

/// An instant, in microseconds since the trace's start.
pub(crate) fn us(t: i64) -> Time {
    Time(START + t * 1_000)
}

fn func(d: &mut Dict, name: &str, file: &str) -> FuncId {
    let (name, file) = (d.string(name), d.string(file));
    d.func(Func { name, file })
}

/// A stack, root first.
pub(crate) fn stack(d: &mut Dict, frames: &[(&str, &str, u32)]) -> StackId {
    frames.iter().fold(StackId::NONE, |caller, &(name, file, line)| {
        let func = func(d, name, file);
        let frame = d.frame(Frame { func, line, pc: u64::from(line) });
        d.push_frame(caller, frame)
    })
}

const WORKER: &str = "main.main.func1.1";
const SETTLER: &str = "paycore/payment.(*Core).settler";
const UPDATE: &str = "paycore/payment.(*OrderCache).Update";
const CACHE: &str = "/src/paycore/payment/order_cache.go";

/// Makes the trace:
///
/// | no | at | event |
/// |---|---|---|
/// | 0 | 0 | `Sync` |
/// | 1 | 0 | g1 (`main.main`) running, `GoStatus` |
/// | 2 | 1 ms | g1 creates g8 (settler) |
/// | 3 | 2 ms | g8 starts on P1 |
/// | 4 | 3 ms | g8 blocks, `sync`, in `Update:46`, on `Mutex.Lock` |
/// | 5 | 3 ms | CPU sample of g12 in `mapassign` below `Update:47` |
/// | 6 | 4 ms | g12 is labelled `GC (idle)` |
/// | 7 | 4 ms | g1 begins task 7, `checkout` |
/// | 8 | 4 ms | g1 logs `map`, `before_write`, in task 7 |
/// | 9 | 5 ms | g1 begins region `settle` |
/// | 10 | 5 ms | CPU sample of g12 in `mapassign` below `Update:55` |
/// | 11 | 6 ms | `HeapAlloc` by g12 |
/// | 12 | 8 ms | second segment: g8 waiting, `GoStatus` |
/// | 13 | 10 ms | g12 unblocks g8 from `Update:48` |
/// | 14 | 11 ms | g8 starts |
/// | 15 | 12 ms | g8 blocks, `chan receive`, to the end |
/// | 16 | 13 ms | g1 ends region `settle` |
/// | 17 | 20 ms | CPU sample of g12 in `mapassign` below `Update:47` |
///
/// The collector marks from 3 to 5 ms, the world is stopped from 12 to 12.5 ms.
pub(crate) fn fixture() -> Fixture {
    let mut d = Dict::default();
    let worker = (WORKER, "/src/paycore/main.go", 30);
    let assign = ("runtime.mapassign_faststr", "/go/src/runtime/map_faststr.go", 202);
    let assign47 = stack(&mut d, &[worker, (UPDATE, CACHE, 47), assign]);
    let assign55 = stack(&mut d, &[worker, (UPDATE, CACHE, 55), assign]);
    let lock = ("sync.(*Mutex).Lock", "/go/src/sync/mutex.go", 81);
    let locked = stack(&mut d, &[(SETTLER, "/src/paycore/payment/core.go", 60), (UPDATE, CACHE, 46), lock]);
    let unlocked = stack(&mut d, &[worker, (UPDATE, CACHE, 48), ("sync.(*Mutex).Unlock", lock.1, 190)]);
    let created = stack(&mut d, &[("main.main", "/src/paycore/main.go", 12)]);
    let entry = stack(&mut d, &[(SETTLER, "/src/paycore/payment/core.go", 58)]);

    let [none, p0, p1] = [ProcIdx::NONE, ProcIdx(0), ProcIdx(1)];
    let [g1, g8, g12, no] = [GoIdx(0), GoIdx(1), GoIdx(2), GoIdx::NONE];
    let mut segments = Vec::new();
    let mut b = SegmentBuilder::default();
    let mut n = 0;
    let mut add = |b: &mut SegmentBuilder, at, kind, (go, by), proc, stack, detail| {
        let thread = ThreadIdx(u16::from(proc == p1));
        let e = Event { no: n, time: us(at), kind, go, by, proc, thread, stack, detail };
        n += 1;
        b.push(e);
    };
    let clock = Detail::Clock { generation: 1, at: Time(0), mono_ns: 0, wall_ns: 0 };
    let nil = StackId::NONE;
    let [sync, receive, label] = ["sync", "chan receive", "GC (idle)"].map(|s| d.string(s));
    let [checkout, cat, msg, settle] = ["checkout", "map", "before_write", "settle"].map(|s| d.string(s));
    add(&mut b, 0, Kind::Sync, (no, no), none, nil, clock);
    add(&mut b, 0, Kind::GoStatus, (g1, no), p0, nil, Detail::GoStatus(GoState::Running));
    add(&mut b, 1_000, Kind::GoCreate, (g8, g1), p0, created, Detail::Entry(entry));
    add(&mut b, 2_000, Kind::GoStart, (g8, no), p1, nil, Detail::None);
    add(&mut b, 3_000, Kind::GoBlock, (g8, g8), p1, locked, Detail::Reason(sync));
    add(&mut b, 3_000, Kind::CpuSample, (g12, g12), p1, assign47, Detail::None);
    add(&mut b, 4_000, Kind::GoLabel, (g12, g12), p1, nil, Detail::Label(label));
    add(&mut b, 4_000, Kind::TaskBegin, (g1, g1), p0, created, Detail::Task { id: 7, parent: 0, name: checkout });
    add(&mut b, 4_000, Kind::Log, (g1, g1), p0, created, Detail::Log { task: 7, category: cat, message: msg });
    add(&mut b, 5_000, Kind::RegionBegin, (g1, g1), p0, created, Detail::Region { task: 0, name: settle });
    add(&mut b, 5_000, Kind::CpuSample, (g12, g12), p1, assign55, Detail::None);
    add(&mut b, 6_000, Kind::HeapAlloc, (no, g12), p1, nil, Detail::Value(4096));
    segments.push(b.finish());
    let mut b = SegmentBuilder::new(12);
    add(&mut b, 8_000, Kind::GoStatus, (g8, no), none, nil, Detail::GoStatus(GoState::Waiting));
    add(&mut b, 10_000, Kind::GoUnblock, (g8, g12), p1, unlocked, Detail::None);
    add(&mut b, 11_000, Kind::GoStart, (g8, no), p0, nil, Detail::None);
    add(&mut b, 12_000, Kind::GoBlock, (g8, g8), p0, locked, Detail::Reason(receive));
    add(&mut b, 13_000, Kind::RegionEnd, (g1, g1), p0, created, Detail::Region { task: 0, name: settle });
    add(&mut b, 20_000, Kind::CpuSample, (g12, g12), p1, assign47, Detail::None);
    segments.push(b.finish());

    let starts = ["main.main", SETTLER, WORKER].map(|name| d.string(name));
    let entries = [created, entry, assign47].map(|s| d.root(s).unwrap().func);
    let goroutine = |i: usize, id| goroutine(GoId(id), GroupId(i as u32), entries[i]);
    let blocked = vec![(sync, us(7_000) - us(0)), (receive, us(8_000) - us(0))];
    let group = |i: usize| Group {
        name: starts[i],
        owner: Owner::User,
        members: vec![GoIdx(i as u32)],
        blocked: blocked.clone().into(),
        ..Group::default()
    };
    let range = |from, to| Range { from: us(from), to: us(to), name: StringId::NONE, go: no, proc: none };
    let index = Index {
        goroutines: vec![goroutine(0, 1), goroutine(1, 8), goroutine(2, 12)],
        groups: (0..3).map(group).collect(),
        procs: [0, 1].map(|id| Proc { id: ProcId(id), running: Duration::ZERO }).into(),
        threads: [33, 34].map(|id| Thread { id: ThreadId(id) }).into(),
        segments: segments.iter().map(info).collect(),
        gc: vec![range(3_000, 5_000)],
        stw: vec![range(12_000, 12_500)],
        start: us(0),
        end: us(20_000),
        events: 18,
        complete: true,
        dict: d,
        ..Index::default()
    };
    Fixture { index, segments: segments.into_iter().map(Arc::new).collect() }
}

fn goroutine(id: GoId, group: GroupId, entry: FuncId) -> Goroutine {
    Goroutine { group, entry, ..Goroutine::new(id, us(0)) }
}

fn info(seg: &Segment) -> SegmentInfo {
    let mut stacks: Vec<StackId> = seg.stack.iter().copied().filter(|s| s.is_some()).collect();
    stacks.extend((0..seg.len()).filter_map(|i| match seg.detail(i) {
        Detail::Entry(s) => Some(s),
        _ => None,
    }));
    stacks.sort();
    stacks.dedup();
    SegmentInfo {
        first: seg.first,
        len: seg.len() as u32,
        from: seg.time[0],
        to: *seg.time.last().unwrap(),
        stacks,
        kinds: seg.kind.iter().fold(0, |bits, &k| bits | 1 << k as u8),
    }
}
