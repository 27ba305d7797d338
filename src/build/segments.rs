//! Decoded events into a segment's columns, with the trace's own handles.

use super::commit::{Handles, Maps};
use crate::base::{GoIdx, Time};
use crate::model::segment::{Kind, Segment, lists, packed_status};
use crate::wire::event::Events;

/// Turns a decoder's events into a segment: positions become handles, and each goroutine gets the list of its events.
pub(crate) fn build(first: u64, floor: Time, events: Events, handles: &Handles, maps: &Maps) -> Segment {
    let go = |i: u32| handles.gos.get(i as usize).copied().unwrap_or_default();
    let proc = |i: u16| handles.procs.get(i as usize).copied().unwrap_or_default();
    let thread = |i: u16| handles.threads.get(i as usize).copied().unwrap_or_default();
    let Events { rows, mut wide } = events;
    let arg = rows
        .iter()
        .map(|r| match r.kind {
            Kind::GoStop | Kind::GoBlock | Kind::GoLabel | Kind::StwBegin | Kind::StwEnd => maps.string(r.arg).0,
            Kind::GoCreate | Kind::GoCreateBlocked => maps.stack(r.arg).0,
            Kind::ProcStart | Kind::ProcStop | Kind::ProcSteal | Kind::GcSweepActive => u32::from(proc(r.arg as u16).0),
            Kind::ProcStatus => {
                let (p, state, _) = wide.get(r.arg as usize).copied().unwrap_or_default().proc();
                packed_status(proc(p), state)
            }
            Kind::TaskBegin | Kind::RegionBegin | Kind::RegionEnd | Kind::Log => {
                if let Some(args) = wide.get_mut(r.arg as usize) {
                    args.rename(r.kind, |s| maps.string(s).0);
                }
                r.arg
            }
            _ => r.arg,
        })
        .collect();
    let gos_column: Vec<GoIdx> = rows.iter().map(|r| go(r.go)).collect();
    let (gos, go_starts, by_go) = lists(&gos_column);
    Segment {
        first,
        time: rows.iter().map(|r| r.time.max(floor)).collect(),
        kind: rows.iter().map(|r| r.kind).collect(),
        go: gos_column,
        by: rows.iter().map(|r| go(r.by)).collect(),
        proc: rows.iter().map(|r| proc(r.proc)).collect(),
        thread: rows.iter().map(|r| thread(r.thread)).collect(),
        stack: rows.iter().map(|r| maps.stack(r.stack)).collect(),
        arg,
        wide,
        gos,
        go_starts,
        by_go,
    }
}
