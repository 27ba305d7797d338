//! How an index and its plans are written down, and what is checked when they are read back.

use crate::base::EventNo;
use crate::base::codec::{Encode, Plain, Reader, decode_list, encode_list, field};
use crate::base::{
    Duration, FrameId, FuncId, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, Time,
};
use crate::build::commit::Maps;
use crate::build::decode::Checkpoint;
use crate::model::dict::{Dict, Frame, Func, Node};
use crate::model::grid::{Grid, Packed, Scale};
use crate::model::index::{Earlier, Goroutine, Group, Index, Proc, Range, Rare, Recording, SegmentInfo, Thread, Times};
use crate::model::ownership::Owner;
use crate::model::tally::{MetricTally, Tally};
use crate::model::totals::{Link, Party, SpanTally, Totals};
use crate::model::waits::{Histogram, LinkTally, Stretch, WaitTally};
use crate::read::plan::Plan;
use crate::wire::event::GoState;
use crate::wire::v2::order;
use crate::{encode, plain};
use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::sync::Arc;

plain!(Func { name: StringId, file: StringId });
plain!(Frame { func: FuncId, line: u32, pc: u64 });
plain!(Node { parent: StackId, frame: FrameId });
plain!(Scale { start: i64, shift: u32 });
plain!(Packed { cell: u16, exit: GoState, parts: [u8; 5], longest: u8, samples: u8, events: u16 });
plain!(Times {
    running: Duration,
    runnable: Duration,
    waiting: Duration,
    syscall: Duration,
    syscall_blocked: Duration,
});
plain!(Proc { id: ProcId, running: Duration });
plain!(Thread { id: ThreadId });
plain!(Recording { number: u32, process: u32, minor: u32, from: Time, to: Time });
plain!(Range { from: Time, to: Time, name: StringId, go: GoIdx, proc: ProcIdx });
plain!(Tally { count: u64, total: Duration });
plain!(Stretch { len: Duration, from: Time, began: EventNo, ended: EventNo, go: GoIdx });
plain!(MetricTally { count: u64, min: u64, max: u64, last: u64 });
plain!(SpanTally { count: u64, complete: u64, total_ns: i64, unfinished: u64, partial_ns: i64 });
plain!(Link { waiter: Party, reason: StringId, waiter_stack: StackId, waker: Party, waker_stack: StackId });

impl Plain for Owner {
    const SIZE: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn get(bytes: &[u8]) -> Option<Owner> {
        let all = [Owner::Runtime, Owner::Library, Owner::Unknown, Owner::User];
        all.into_iter().find(|&o| bytes == [o as u8])
    }
}

encode!(Earlier { times, blocked });
encode!(Rare { gone, lost_at_end, earlier });
encode!(Goroutine {
    id,
    group,
    entry,
    creator,
    created_at,
    ended,
    from,
    times,
    blocked,
    rare,
    longest_wait,
    events,
    samples,
    label,
    process,
    cut,
    born,
});
encode!(Group { name, shown, owner, members, times, blocked, longest_wait, events, samples });
encode!(SegmentInfo { first, len, from, to, stacks, kinds });
encode!(Maps { strings, stacks });
encode!(Totals {
    kinds,
    go_transitions,
    proc_transitions,
    waits,
    sched,
    syscalls,
    samples,
    logs,
    gomaxprocs,
    heap_alloc,
    heap_goal,
    ranges,
    open_ranges,
    tasks,
    regions,
    links,
    other_waits,
    calls,
    waits_missing,
});
encode!(LinkTally { tally, waits });
encode!(WaitTally { count, open, cut, total, longest, lengths });

/// What a change of the layout most likely changes too: the sizes of what is written.
pub(crate) const SIZES: [usize; 13] = [
    size_of::<Index>(),
    size_of::<Goroutine>(),
    size_of::<Group>(),
    size_of::<SegmentInfo>(),
    size_of::<Totals>(),
    size_of::<Plan>(),
    size_of::<order::Checkpoint>(),
    Packed::SIZE,
    Link::SIZE,
    size_of::<LinkTally>(),
    Range::SIZE,
    Frame::SIZE,
    GoId::SIZE,
];

impl Plain for Party {
    const SIZE: usize = 5;

    fn put(&self, out: &mut Vec<u8>) {
        let (tag, id) = match *self {
            Party::Nobody => (0, 0),
            Party::Go(g) => (1, g.0),
            Party::Group(g) => (2, g.0),
        };
        out.push(tag);
        id.put(out);
    }

    fn get(bytes: &[u8]) -> Option<Party> {
        let mut at = 0;
        match (field::<u8>(bytes, &mut at)?, field::<u32>(bytes, &mut at)?) {
            (0, _) => Some(Party::Nobody),
            (1, g) => Some(Party::Go(GoIdx(g))),
            (2, g) => Some(Party::Group(GroupId(g))),
            _ => None,
        }
    }
}

/// What only some have: a byte that says whether it is there, and it.
macro_rules! boxed {
    ($($t:ty)*) => {$(
        impl Encode for Option<Box<$t>> {
            fn encode(&self, out: &mut Vec<u8>) {
                self.is_some().put(out);
                if let Some(e) = self {
                    e.encode(out);
                }
            }

            fn decode(r: &mut Reader) -> Option<Option<Box<$t>>> {
                if bool::decode(r)? { Some(Some(Box::new(<$t>::decode(r)?))) } else { Some(None) }
            }
        }
    )*};
}

boxed!(Earlier Rare);

impl Encode for Histogram {
    fn encode(&self, out: &mut Vec<u8>) {
        self.first.put(out);
        self.counts.encode(out);
    }

    fn decode(r: &mut Reader) -> Option<Histogram> {
        let (first, counts): (u32, Vec<u32>) = (Encode::decode(r)?, Encode::decode(r)?);
        let end = (first as usize).checked_add(counts.len())?;
        (end <= Histogram::STEPS).then_some(Histogram { first, counts })
    }
}

fn encode_map<K: Plain, V: Encode>(map: &FxHashMap<K, V>, out: &mut Vec<u8>) {
    (map.len() as u64).put(out);
    for (k, v) in map {
        k.put(out);
        v.encode(out);
    }
}

fn decode_map<K: Plain + Eq + Hash, V: Encode>(r: &mut Reader) -> Option<FxHashMap<K, V>> {
    let n = u64::decode(r)?;
    let mut map = FxHashMap::default();
    for _ in 0..n {
        map.insert(K::decode(r)?, V::decode(r)?);
    }
    Some(map)
}

impl Encode for FxHashMap<Link, LinkTally> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_map(self, out);
    }

    fn decode(r: &mut Reader) -> Option<Self> {
        decode_map(r)
    }
}

impl Encode for FxHashMap<(Link, bool), WaitTally> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_map(self, out);
    }

    fn decode(r: &mut Reader) -> Option<Self> {
        decode_map(r)
    }
}

impl Encode for Dict {
    fn encode(&self, out: &mut Vec<u8>) {
        self.text.encode(out);
        self.strings.encode(out);
        self.funcs.encode(out);
        self.frames.encode(out);
        self.stacks.encode(out);
        self.depths.encode(out);
    }

    fn decode(r: &mut Reader) -> Option<Dict> {
        let (text, strings): (String, _) = (Encode::decode(r)?, Encode::decode(r)?);
        let (funcs, frames) = (Encode::decode(r)?, Encode::decode(r)?);
        Dict::restore(text, strings, funcs, frames, Encode::decode(r)?, Encode::decode(r)?)
    }
}

/// Lanes of different lengths: the lengths, then all entries.
fn encode_lanes<T: Plain>(lanes: &[impl AsRef<[T]>], out: &mut Vec<u8>) {
    lanes.iter().map(|l| l.as_ref().len() as u32).collect::<Vec<_>>().encode(out);
    lanes.iter().flat_map(AsRef::as_ref).for_each(|x| x.put(out));
}

fn decode_lanes<T: Plain, L: FromIterator<T>>(r: &mut Reader) -> Option<Vec<L>> {
    let lens: Vec<u32> = Encode::decode(r)?;
    let lane = |n: u32| r.take((n as usize).checked_mul(T::SIZE)?)?.chunks_exact(T::SIZE).map(T::get).collect();
    lens.into_iter().map(lane).collect()
}

impl Encode for Grid {
    fn encode(&self, out: &mut Vec<u8>) {
        self.scale.encode(out);
        self.end.encode(out);
        encode_lanes(&self.gos, out);
        encode_lanes(&self.procs, out);
        self.running.encode(out);
        self.runnable.encode(out);
    }

    fn decode(r: &mut Reader) -> Option<Grid> {
        let (scale, end) = (Scale::decode(r)?, Time::decode(r)?);
        let (gos, procs) = (decode_lanes(r)?, decode_lanes(r)?);
        let (running, runnable) = (Encode::decode(r)?, Encode::decode(r)?);
        let grid = Grid { scale, gos, procs, running, runnable, end, ..Grid::default() };
        (scale.shift < 64).then_some(grid)
    }
}

impl Encode for Index {
    fn encode(&self, out: &mut Vec<u8>) {
        // Taken apart, so that no field that is added can be forgotten.
        let Index {
            dict,
            version,
            goroutines,
            groups,
            procs,
            threads,
            segments,
            grid,
            recordings,
            gc,
            stw,
            heap,
            heap_goal,
            gomaxprocs,
            start,
            first,
            end,
            events,
            samples,
            complete,
            progress: _,
            totals,
            losses,
            // It is of what stands beside the file, not of the file.
            beside: _,
        } = self;
        dict.encode(out);
        version.encode(out);
        encode_list(goroutines, out);
        encode_list(groups, out);
        procs.encode(out);
        threads.encode(out);
        encode_list(segments, out);
        grid.encode(out);
        recordings.encode(out);
        gc.encode(out);
        stw.encode(out);
        for series in [heap, heap_goal, gomaxprocs] {
            series.encode(out);
        }
        (*start, *end, *first).encode(out);
        (*events, *samples, *complete).encode(out);
        totals.encode(out);
        encode_list(losses, out);
    }

    fn decode(r: &mut Reader) -> Option<Index> {
        let (dict, version) = (Encode::decode(r)?, Encode::decode(r)?);
        let (goroutines, groups): (Vec<Goroutine>, Vec<Group>) = (decode_list(r)?, decode_list(r)?);
        let (procs, threads, segments) = (Encode::decode(r)?, Encode::decode(r)?, decode_list(r)?);
        let (grid, recordings) = (Encode::decode(r)?, Encode::decode(r)?);
        let (gc, stw) = (Encode::decode(r)?, Encode::decode(r)?);
        let (heap, heap_goal, gomaxprocs) = (Encode::decode(r)?, Encode::decode(r)?, Encode::decode(r)?);
        let (start, end, first) = Encode::decode(r)?;
        let (events, samples, complete) = Encode::decode(r)?;
        let (totals, losses) = (Encode::decode(r)?, decode_list(r)?);
        let members = |g: &Group| g.members.iter().all(|m| m.index() < goroutines.len());
        let sound = complete && groups.iter().all(members) && goroutines.iter().all(|g| g.group.index() < groups.len());
        if !sound {
            return None;
        }
        let mut index = Index {
            dict,
            version,
            goroutines,
            groups,
            procs,
            threads,
            segments,
            grid,
            recordings,
            gc,
            stw,
            heap,
            heap_goal,
            gomaxprocs,
            start,
            first,
            end,
            events,
            samples,
            complete,
            progress: 1.0,
            beside: Default::default(),
            totals,
            losses,
        };
        index.sum_groups();
        Some(index)
    }
}

/// Writes the plans, and the maps that they share. False if one is of the old format, whose checkpoints are not kept.
pub(crate) fn encode_plans(plans: &[Arc<Plan>], out: &mut Vec<u8>) -> bool {
    let mut maps: Vec<&Arc<Maps>> = plans.iter().map(|p| &p.maps).collect();
    maps.dedup_by(|a, b| Arc::ptr_eq(a, b));
    (maps.len() as u64).put(out);
    maps.iter().for_each(|m| m.encode(out));
    (plans.len() as u64).put(out);
    let mut map = 0u32;
    for p in plans {
        if !Arc::ptr_eq(maps[map as usize], &p.maps) {
            map += 1;
        }
        (p.unit as u64, map, p.first, p.len as u64).encode(out);
        (p.floor, p.checkpoint.is_some()).encode(out);
        match p.checkpoint.as_deref() {
            None => {}
            Some(Checkpoint::V2(c)) => c.encode(out),
            Some(Checkpoint::V1(_)) => return false,
        }
    }
    true
}

/// Reads what [`encode_plans`] wrote, for a trace of so many units and these segments.
pub(crate) fn decode_plans(r: &mut Reader, units: usize, segments: &[SegmentInfo]) -> Option<Vec<Arc<Plan>>> {
    let maps: Vec<Arc<Maps>> = decode_list::<Maps>(r)?.into_iter().map(Arc::new).collect();
    if u64::decode(r)? != segments.len() as u64 {
        return None;
    }
    let plan = |s: &SegmentInfo| {
        let (unit, map, first, len): (u64, u32, u64, u64) = Encode::decode(r)?;
        let (floor, resumed) = Encode::decode(r)?;
        let checkpoint = if resumed { Some(Box::new(Checkpoint::V2(Encode::decode(r)?))) } else { None };
        let sound = unit < units as u64 && first == s.first && len == u64::from(s.len);
        let maps = Arc::clone(maps.get(map as usize)?);
        let plan = Plan { unit: unit as usize, checkpoint, first, len: len as usize, floor, maps };
        sound.then(|| Arc::new(plan))
    };
    segments.iter().map(plan).collect()
}
