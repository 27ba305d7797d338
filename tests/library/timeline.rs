//! The timeline's rows out of the index, as they are drawn where a window is too wide to be computed from events, held
//! against the same rows computed from every event: no row is blank because a trace is long.

use crate::common;

use common::load;
use gotrail::analysis::timeline::{Strip, Window, coarse, exact};
use gotrail::base::{Duration, GoIdx, GroupId, Time};
use gotrail::model::reasons::WaitKind;
use gotrail::model::{Cell, Lane};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as i64) % n.max(1)
    }
}

fn total(c: &Cell) -> i64 {
    (c.running + c.runnable + c.waiting + c.syscall).0
}

fn parts(c: &Cell) -> [i64; 4] {
    [c.running.0, c.runnable.0, c.waiting.0, c.syscall.0]
}

fn states(strip: &Strip) -> [i64; 4] {
    let mut sum = Cell::default();
    strip.cells.iter().for_each(|c| sum.add(c));
    parts(&sum)
}

/// The traces of the repository, and one of twelve seconds and as many segments.
fn traces() -> Vec<PathBuf> {
    let mut all = vec![PathBuf::from("sample-traces/trace.out")];
    for name in ["long", "leak", "convoy", "syscall", "coroutine", "waits", "network"] {
        all.push(format!("tests/data/{name}.trace").into());
    }
    all
}

#[test]
fn every_row_shows_what_its_goroutines_did_at_every_zoom() {
    for path in traces() {
        let trace = load(&path);
        let (start, end, cell, groups, procs) = {
            let index = trace.index();
            let groups: Vec<Vec<GoIdx>> = index.groups.iter().map(|g| g.members.clone()).collect();
            (index.start, index.end, index.grid.cell_width().0, groups, index.procs.len())
        };
        let mut random = Random(path.as_os_str().len() as u64);
        for round in 0..24 {
            let width = [1, 7, 60, 92, 220][random.below(5) as usize];
            // As narrow as the grid's own cells are, as wide as the trace is.
            let least = (cell * width as i64 * 2).min((end - start).0);
            let span = if round == 0 { (end - start).0 } else { least + random.below((end - start).0 - least) };
            let from = start + Duration(random.below((end - start).0 - span + 1));
            let window = Window { from, to: from + Duration(span), width };
            for (g, members) in groups.iter().enumerate() {
                let lane = Lane::Group(GroupId(g as u32));
                let what = format!("{} group {g} of {} in {window:?}", path.display(), members.len());
                let never = AtomicBool::new(false);
                let want = exact(&trace, &[(lane, members.clone())], procs, window, &never).unwrap().remove(0);
                let got = coarse(&trace.index(), lane, window);
                let mut sum = vec![Cell::default(); width];
                for &m in members {
                    let one = coarse(&trace.index(), Lane::Go(m), window);
                    sum.iter_mut().zip(&one.cells).for_each(|(a, b)| a.add(b));
                }
                for (i, (g, s)) in got.cells.iter().zip(&sum).enumerate() {
                    let what = format!("{what}: cell {i} is {g:?}, and the sum of its members {s:?}");
                    // A member's time is rounded down to a nanosecond where it stands alone.
                    let apart = parts(g).into_iter().zip(parts(s)).map(|(a, b)| (a - b).abs()).max();
                    assert!(apart <= Some(members.len() as i64), "{what}");
                    assert_eq!((g.longest_wait, g.samples, g.events), (s.longest_wait, s.samples, s.events), "{what}");
                }
                for (i, (w, g)) in want.cells.iter().zip(&got.cells).enumerate() {
                    // One of the grid's cells at each edge may be laid to the neighbour.
                    let shortest = 2 * cell * members.len() as i64;
                    assert!(total(w) <= shortest || total(g) > 0, "{what}: cell {i} is blank, and should be {w:?}");
                    assert!(w.samples == 0 || states(&got) != [0; 4], "{what}: cell {i} has samples and no state");
                }
                // A part in 255 of each cell that has an entry, and the edges.
                let slack = span * members.len() as i64 / 100 + 3 * cell * members.len() as i64;
                for (w, g) in states(&want).into_iter().zip(states(&got)) {
                    assert!((w - g).abs() <= slack, "{what}: {w} ns and {g} ns, at most {slack} apart");
                }
            }
        }
    }
}

#[test]
fn a_trace_of_many_segments_is_drawn_from_the_index_and_not_blank() {
    let trace = load(common::data("long.trace"));
    let index = trace.index();
    let window = Window { from: index.start, to: index.end, width: 92 };
    assert!(!gotrail::analysis::timeline::can_be_exact(&index, window), "the trace is too short to show the fault");
    assert_eq!(window.cell(Time(index.start.0)), Some(0));
    for (g, group) in index.groups.iter().enumerate() {
        let strip = coarse(&index, Lane::Group(GroupId(g as u32)), window);
        let alive = group.members.iter().any(|&m| index.goroutine(m).is_some_and(|g| g.ended.is_none()));
        let blank = strip.cells.iter().filter(|c| total(c) == 0).count();
        assert!(blank == 0 || !alive, "group {g}: {blank} of 92 cells are blank");
    }
}

#[test]
fn the_kind_of_a_wait_is_that_of_its_stack_and_of_who_ended_it() {
    for (file, group, kind) in [
        ("convoy", "main.convoyFollower", WaitKind::Lock),
        ("waits", "main.waitWaitGroup", WaitKind::Lock),
        ("waits", "main.waitReceive", WaitKind::Channel),
        ("network", "main.client", WaitKind::Io),
        ("timer", "main.sleeper", WaitKind::Timer),
        // The runtime has "chan receive" for it; who ended it tells.
        ("timer", "main.tickReceiver", WaitKind::Timer),
    ] {
        let trace = load(format!("tests/data/{file}.trace"));
        let index = trace.index();
        let at = (0..index.groups.len() as u32).map(GroupId).find(|&g| index.group_name(g) == group).unwrap();
        let members = index.groups[at.0 as usize].members.clone();
        let window = Window { from: index.start, to: index.end, width: 40 };
        let lanes = [(Lane::Group(at), members)];
        let strip = exact(&trace, &lanes, index.procs.len(), window, &AtomicBool::new(false)).unwrap().remove(0);
        let told: Vec<WaitKind> = strip.kinds.iter().copied().flatten().collect();
        assert!(told.len() > 10, "{group}: {told:?}");
        let right = told.iter().filter(|k| **k == kind).count();
        assert!(right * 4 >= told.len() * 3, "{group}: {told:?}");
        // Where nobody waited nothing is said.
        assert!(strip.cells.iter().zip(&strip.kinds).all(|(c, k)| k.is_some() == (c.waiting > Duration::ZERO)));
    }
}
