//! How many goroutines there were in each state, cell by cell, and how many waited for what.

use super::{Window, gather, usual};
use crate::analysis::states::source::Source;
use crate::base::{Duration, GoIdx, GroupId};
use crate::model::reasons::WaitKind;
use crate::model::{Cell, Index, Lane};
use std::sync::atomic::AtomicBool;

/// What goroutines are counted by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Counted {
    /// They run.
    Running,
    /// They wait for a P.
    Runnable,
    /// They are in a syscall.
    Syscall,
    /// They are blocked on something of this kind.
    Waiting(WaitKind),
}

/// How many there are to count by.
const ALL: usize = 3 + WaitKind::ALL.len();

impl Counted {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Counted; ALL] = [
        Counted::Running,
        Counted::Runnable,
        Counted::Syscall,
        Counted::Waiting(WaitKind::Lock),
        Counted::Waiting(WaitKind::Channel),
        Counted::Waiting(WaitKind::Io),
        Counted::Waiting(WaitKind::Timer),
        Counted::Waiting(WaitKind::Gc),
        Counted::Waiting(WaitKind::Other),
    ];

    /// What it is called in a row.
    pub fn name(self) -> &'static str {
        match self {
            Counted::Running => "running",
            Counted::Runnable => "runnable",
            Counted::Syscall => "syscall",
            Counted::Waiting(WaitKind::Lock) => "on a lock",
            Counted::Waiting(WaitKind::Channel) => "on a channel",
            Counted::Waiting(WaitKind::Io) => "on I/O",
            Counted::Waiting(WaitKind::Timer) => "on a timer",
            Counted::Waiting(WaitKind::Gc) => "on GC",
            Counted::Waiting(WaitKind::Other) => "other waits",
        }
    }

    /// How much of a group's time in the whole trace it is. What was waited for is told by the runtime's word alone.
    pub fn of_group(self, index: &Index, group: GroupId) -> Duration {
        let Some(g) = index.groups.get(group.0 as usize) else { return Duration::ZERO };
        match self {
            Counted::Running => g.times.running,
            Counted::Runnable => g.times.runnable,
            Counted::Syscall => g.times.syscall + g.times.syscall_blocked,
            Counted::Waiting(kind) => {
                let of_kind = g.blocked.iter().filter(|b| WaitKind::of_word(index.dict.str(b.0)) == kind);
                of_kind.map(|b| b.1).sum()
            }
        }
    }
}

/// The time that goroutines spent in each state in each cell of a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Census {
    /// The window whose cells these are.
    pub window: Window,
    /// One for each cell, in the order of [`Counted::ALL`].
    cells: Vec<[Duration; ALL]>,
}

impl Census {
    /// What the index alone knows: a group's waits are all taken to be for what most of them are for in the whole trace.
    pub fn coarse(index: &Index, window: Window) -> Census {
        let mut cells = vec![[Duration::ZERO; ALL]; window.width];
        for g in 0..index.groups.len() as u32 {
            let lane = Lane::Group(GroupId(g));
            let kind = usual(index, lane).unwrap_or(WaitKind::Other);
            for (sum, c) in cells.iter_mut().zip(index.cells(lane, window.from, window.to, window.width)) {
                add(sum, &c);
                sum[3 + kind as usize] += c.waiting;
            }
        }
        Census { window, cells }
    }

    /// What the events say, of `all` goroutines. Decodes segments: for a worker. `None` if `cancel` was set meanwhile.
    pub fn exact(source: &dyn Source, all: Vec<GoIdx>, window: Window, cancel: &AtomicBool) -> Option<Census> {
        let (strips, waited) = gather(source, &[(Lane::All, all)], 0, window, cancel)?;
        let (strip, waited) = (strips.first()?, waited.first()?);
        let cells = strip.cells.iter().zip(waited.by_kind()).map(|(c, kinds)| {
            let mut sum = [Duration::ZERO; ALL];
            add(&mut sum, c);
            sum[3..].copy_from_slice(kinds);
            sum
        });
        Some(Census { window, cells: cells.collect() })
    }

    /// How many there were on average in a cell, in thousandths.
    pub fn mean(&self, what: Counted, cell: usize) -> Option<u64> {
        let span = i128::from((self.window.edge(cell + 1) - self.window.edge(cell)).ns().max(1));
        let time = self.cells.get(cell)?[Counted::ALL.iter().position(|c| *c == what)?];
        Some((i128::from(time.ns()) * 1000 / span).max(0) as u64)
    }
}

/// Adds all of a cell but its waits.
fn add(sum: &mut [Duration; ALL], c: &Cell) {
    sum[0] += c.running;
    sum[1] += c.runnable;
    sum[2] += c.syscall;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_of_every_goroutine_is_counted_once() {
        let trace = crate::read::fixture::trace();
        let index = trace.index();
        let window = Window { from: index.start, to: index.end, width: 37 };
        let all: Vec<GoIdx> = (0..index.goroutines.len() as u32).map(GoIdx).collect();
        let exact = Census::exact(&*trace, all, window, &AtomicBool::new(false)).unwrap();
        let sum = |c: &Census, what: usize| c.cells.iter().map(|cell| cell[what]).sum::<Duration>();
        let times =
            |f: &dyn Fn(&crate::model::index::Goroutine) -> Duration| index.goroutines.iter().map(f).sum::<Duration>();
        assert_eq!(sum(&exact, 0), times(&|g| g.times.running));
        assert_eq!(sum(&exact, 1), times(&|g| g.times.runnable));
        assert_eq!(sum(&exact, 2), times(&|g| g.times.syscall + g.times.syscall_blocked));
        let waited: Duration = (3..ALL).map(|k| sum(&exact, k)).sum();
        let near = |a: Duration, b: Duration| (a.ns() - b.ns()).abs() <= a.ns() / 50 + 1000;
        // Who is blocked at the end is so up to the last event.
        assert!(near(waited, times(&|g| g.times.waiting)), "{waited}");
        assert!((3..ALL).filter(|k| sum(&exact, *k) > Duration::ZERO).count() > 1, "waits are told apart");
        let coarse = Census::coarse(&index, window);
        assert!(near(sum(&coarse, 0), sum(&exact, 0)), "{} and {}", sum(&coarse, 0), sum(&exact, 0));
        assert_eq!(exact.mean(Counted::Running, 37), None);
    }
}
