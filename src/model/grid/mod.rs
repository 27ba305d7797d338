//! Summaries of each lane over a grid of time cells, so that any window draws in time that depends on the screen.
//!
//! A lane is sparse: it keeps an entry only for a cell in which something happened to it. Between two entries it stays
//! in the state in which the earlier one left it.

mod coarsen;
mod draw;
mod entry;
mod sum;

pub(crate) use entry::{Entry, Packed};

use crate::base::{Duration, GoIdx, GroupId, ProcIdx, Time};
use crate::wire::event::GoState;
use draw::{Columns, drawn};
use smallvec::SmallVec;

/// What went on in a lane during one cell of the screen.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Cell {
    /// Time running, summed over the lane's goroutines. For a P: time held.
    pub running: Duration,
    /// Time runnable.
    pub runnable: Duration,
    /// Time waiting.
    pub waiting: Duration,
    /// Time in syscalls.
    pub syscall: Duration,
    /// The longest wait that touches the cell, at its full length. From the grid, where it is kept to a quarter of a
    /// power of two, rounded down.
    pub longest_wait: Duration,
    /// CPU samples.
    pub samples: u32,
    /// Events.
    pub events: u32,
}

impl Cell {
    /// Adds another lane's or cell's content.
    pub fn add(&mut self, o: &Cell) {
        self.running += o.running;
        self.runnable += o.runnable;
        self.waiting += o.waiting;
        self.syscall += o.syscall;
        self.longest_wait = self.longest_wait.max(o.longest_wait);
        self.samples = self.samples.saturating_add(o.samples);
        self.events = self.events.saturating_add(o.events);
    }

    /// The state that took most of the cell, `NotExist` if none took any.
    pub fn dominant(&self) -> GoState {
        [
            (self.running, GoState::Running),
            (self.syscall, GoState::Syscall),
            (self.runnable, GoState::Runnable),
            (self.waiting, GoState::Waiting),
        ]
        .into_iter()
        .filter(|(d, _)| d.0 > 0)
        .max_by_key(|(d, s)| (*d, *s == GoState::Running))
        .map_or(GoState::NotExist, |(_, s)| s)
    }
}

/// A row of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lane {
    /// Everything: all goroutines together (running and runnable only).
    All,
    /// One P.
    Proc(ProcIdx),
    /// All goroutines of a group.
    Group(GroupId),
    /// One goroutine.
    Go(GoIdx),
}

/// At most this many cells: so narrow that a cell's number fits 16 bits, so many that a full-width screen has dozens a
/// column.
const MAX_CELLS: u32 = 8192;
/// The most Ps that have a lane: it may be as long as the grid, and a few bytes of a file are enough to claim that a P
/// was held all the time.
pub(crate) const MAX_PROC_LANES: usize = 1024;
/// "No cell yet".
pub(crate) const NO_CELL: u32 = u32::MAX;

/// Where cells begin: cell `n` is `start + (n << shift)` to `start + ((n + 1) << shift)`, in ns.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scale {
    pub(crate) start: i64,
    pub(crate) shift: u32,
}

impl Scale {
    /// The finest scale on which `from..to` fits.
    pub fn over(from: Time, to: Time) -> Scale {
        let span = (to - from).0.max(1) as u64;
        let span = span + span / 16;
        let mut shift = 4;
        while shift < 62 && (span >> shift) >= u64::from(MAX_CELLS) {
            shift += 1;
        }
        Scale { start: from.0, shift }
    }

    /// The cell of an instant; what lies outside is put into the first or the last one.
    #[inline]
    pub fn cell(self, t: Time) -> u32 {
        let d = t.0.saturating_sub(self.start).max(0) as u64;
        (d >> self.shift).min(u64::from(MAX_CELLS - 1)) as u32
    }

    /// When a cell begins.
    #[inline]
    pub fn start(self, cell: u32) -> Time {
        Time(self.start.saturating_add((u64::from(cell) << self.shift).min(i64::MAX as u64) as i64))
    }

    /// When a cell ends; the last one never does.
    pub fn end(self, cell: u32) -> Time {
        if cell >= MAX_CELLS - 1 { Time::MAX } else { self.start(cell + 1) }
    }

    /// Length of a cell.
    pub fn width(self) -> Duration {
        Duration(1 << self.shift)
    }

    /// By how many bits a time within one cell is shifted to fit 32 bits.
    pub(crate) fn unit(self) -> u32 {
        self.shift.saturating_sub(31)
    }

    /// Calls `f` with each cell that `from..to` touches, and the ns it spends there.
    #[inline]
    pub fn each_cell(self, from: Time, to: Time, mut f: impl FnMut(u32, u64)) {
        let (a, b) = (self.cell(from), self.cell(to));
        if a == b {
            f(a, (to - from).0.max(0) as u64);
            return;
        }
        for cell in a..=b {
            let lo = if cell == a { from } else { self.start(cell) };
            let hi = if cell == b { to } else { self.start(cell + 1) };
            f(cell, (hi - lo).0.max(0) as u64);
        }
    }
}

/// A goroutine's entries. Of a million, most are created in one cell and end in the next.
pub(crate) type GoLane = SmallVec<[Packed; 2]>;

/// The grid of the whole trace.
#[derive(Default)]
pub struct Grid {
    pub(crate) scale: Scale,
    pub(crate) gos: Vec<GoLane>,
    /// Per P and cell, time held in units of `1 << scale.unit()` ns.
    pub(crate) procs: Vec<Vec<u32>>,
    pub(crate) running: Vec<u64>,
    pub(crate) runnable: Vec<u64>,
    pub(crate) end: Time,
    /// By how many doublings cells are longer than those that generations are folded onto.
    pub(crate) coarser: u32,
    /// How many entries there are, and how many bytes they may take.
    pub(crate) entries: usize,
    pub(crate) budget: usize,
    pub(crate) sums: sum::Sums,
}

impl Grid {
    /// An empty grid, whose entries may take so many bytes.
    pub(crate) fn new(scale: Scale, budget: usize) -> Grid {
        Grid { scale, budget, ..Grid::default() }
    }

    /// Length of the grid's own cells: windows whose screen cells are shorter are better drawn from events.
    pub fn cell_width(&self) -> Duration {
        self.scale.width()
    }

    pub(crate) fn set_end(&mut self, end: Time) {
        self.end = end;
    }

    /// Says that a goroutine was in a state from `at` on, of which no event speaks.
    pub(crate) fn begin(&mut self, go: GoIdx, at: Time, state: GoState) {
        let entry = Entry { cell: self.scale.cell(at), exit: state, ..Entry::default() };
        self.put(go, entry.pack(self.scale));
    }

    /// Says that nothing is known of a goroutine from `at` on, which was in `state` until then.
    pub(crate) fn leave(&mut self, go: GoIdx, at: Time, state: GoState) {
        let cell = self.scale.cell(at);
        let mut entry = Entry { cell, exit: GoState::Undetermined, ..Entry::default() };
        entry.add(state, (at - self.scale.start(cell)).0.max(0));
        self.put(go, entry.pack(self.scale));
    }

    /// Adds a generation's entry; `carried` is the state that the goroutine was in before, if the entry does not know.
    pub(crate) fn add(&mut self, go: GoIdx, mut entry: Packed, carried: GoState) {
        if entry.exit == GoState::Undetermined {
            entry.exit = carried;
        }
        if self.coarser > 0 {
            let before = self.gos.get(go.index()).and_then(|l| l.last()).map_or(GoState::NotExist, |p| p.exit);
            entry = entry.widen(self.coarser, before);
        }
        self.put(go, entry);
    }

    fn put(&mut self, go: GoIdx, p: Packed) {
        let i = go.index();
        if i >= self.gos.len() {
            self.gos.resize_with(i + 1, GoLane::new);
        }
        match self.gos[i].last_mut() {
            Some(last) if last.cell >= p.cell => {
                let old = *last;
                last.join(p);
                if let Some(sum) = self.sums.of(go, false) {
                    sum.change(&old, last);
                }
            }
            last => {
                if let Some(sum) = self.sums.of(go, true) {
                    sum.push(&p, last.map(|p| p.exit));
                }
                self.gos[i].push(p);
                self.entries += 1;
            }
        }
    }

    /// Which cell has what a generation has in its cell `i`.
    fn place(&self, i: usize) -> usize {
        (i >> self.coarser).min(MAX_CELLS as usize - 1)
    }

    pub(crate) fn add_proc(&mut self, proc: ProcIdx, first: u32, cells: &[u32]) {
        let i = proc.index();
        if i >= MAX_PROC_LANES {
            return;
        }
        if i >= self.procs.len() {
            self.procs.resize_with(i + 1, Vec::new);
        }
        let first = first as usize;
        let need = self.place(first + cells.len()) + 1;
        let shorter = Scale { shift: self.scale.shift - self.coarser, ..self.scale };
        let unit = self.scale.unit() - shorter.unit();
        let coarser = self.coarser;
        let lane = &mut self.procs[i];
        if lane.len() < need {
            lane.resize(need, 0);
        }
        for (i, ns) in (first..).zip(cells) {
            if let Some(cell) = lane.get_mut(i >> coarser) {
                *cell = cell.saturating_add(*ns >> unit);
            }
        }
    }

    pub(crate) fn add_all(&mut self, first: u32, running: &[u64], runnable: &[u64]) {
        let first = first as usize;
        let need = self.place(first + running.len().max(runnable.len())) + 1;
        for (lane, cells) in [(&mut self.running, running), (&mut self.runnable, runnable)] {
            if lane.len() < need {
                lane.resize(need, 0);
            }
            for (i, ns) in (first..).zip(cells) {
                if let Some(cell) = lane.get_mut(i >> self.coarser) {
                    *cell = cell.saturating_add(*ns);
                }
            }
        }
    }

    /// Bytes that the grid takes.
    pub fn bytes(&self) -> usize {
        self.gos.iter().map(|l| if l.spilled() { l.capacity() * size_of::<Packed>() } else { 0 }).sum::<usize>()
            + self.gos.capacity() * size_of::<GoLane>()
            + self.procs.iter().map(|l| l.capacity() * 4).sum::<usize>()
            + (self.running.capacity() + self.runnable.capacity()) * 8
            + self.sums.bytes()
    }

    pub(crate) fn shrink(&mut self) {
        for lane in &mut self.gos {
            lane.shrink_to_fit();
        }
    }

    /// The last cell that begins before `t` and in which something happened to a goroutine: from and up to when, exclusive.
    pub fn touched_before(&self, go: GoIdx, t: Time) -> Option<(Time, Time)> {
        let lane = self.gos.get(go.0 as usize)?;
        let p = lane.get(lane.partition_point(|p| self.scale.start(p.cell.into()) < t).checked_sub(1)?)?;
        Some((self.scale.start(p.cell.into()), self.scale.end(p.cell.into())))
    }

    /// The content of a lane in `width` equal cells of the window `from..to`, as precise as the grid's own cells are;
    /// of a group, which has these `members`, the sum of theirs.
    pub(crate) fn cells(&self, lane: Lane, members: &[GoIdx], from: Time, to: Time, width: usize) -> Vec<Cell> {
        let mut out = vec![Cell::default(); width];
        let mut columns = Columns::new(from, to, self.scale, &mut out);
        match lane {
            Lane::Go(g) => self.draw(g, &mut columns),
            Lane::Group(g) => match self.sums.lane(g) {
                Some(sum) => sum.draw(&mut columns, (from, to), self.scale, self.end),
                None => members.iter().for_each(|&m| self.draw(m, &mut columns)),
            },
            Lane::Proc(p) => {
                let unit = self.scale.unit();
                if let Some(lane) = self.procs.get(p.0 as usize) {
                    self.dense(lane.len(), |c| u64::from(lane[c]) << unit, GoState::Running, from, to, &mut columns);
                }
            }
            Lane::All => {
                self.dense(self.running.len(), |c| self.running[c], GoState::Running, from, to, &mut columns);
                self.dense(self.runnable.len(), |c| self.runnable[c], GoState::Runnable, from, to, &mut columns);
            }
        }
        columns.finish();
        out
    }

    fn draw(&self, go: GoIdx, columns: &mut Columns) {
        if let Some(lane) = self.gos.get(go.0 as usize) {
            columns.lane(lane, self.scale, self.end);
        }
    }

    fn dense(
        &self,
        len: usize,
        value: impl Fn(usize) -> u64,
        state: GoState,
        from: Time,
        to: Time,
        columns: &mut Columns,
    ) {
        let Some(state) = drawn(state) else { return };
        let last = (self.scale.cell(to) as usize + 1).min(len);
        for c in (self.scale.cell(from) as usize).min(last)..last {
            columns.spread(state, value(c), self.scale.start(c as u32), self.scale.start(c as u32 + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale() -> Scale {
        Scale::over(Time(0), Time(8_000_000))
    }

    #[test]
    fn a_scale_fits_its_span() {
        for span in [1i64, 100, 1 << 20, 1 << 33, 1 << 50] {
            let s = Scale::over(Time(7), Time(7 + span));
            assert!(s.cell(Time(7 + span)) < MAX_CELLS - 1);
            assert_eq!(s.cell(Time(7)), 0);
            let c = s.cell(Time(7 + span / 2));
            assert!(s.start(c) <= Time(7 + span / 2) && Time(7 + span / 2) < s.start(c + 1));
        }
    }

    #[test]
    fn a_goroutine_that_waits_all_the_time_takes_one_entry_and_fills_the_window() {
        let mut g = Grid::new(scale(), usize::MAX);
        g.begin(GoIdx(3), Time(0), GoState::Waiting);
        g.set_end(Time(8_000_000));
        let cells = g.cells(Lane::Go(GoIdx(3)), &[], Time(0), Time(8_000_000), 10);
        for c in cells {
            assert_eq!(c.dominant(), GoState::Waiting);
            assert!((c.waiting.0 - 800_000).abs() < 2_000, "{c:?}");
        }
    }

    #[test]
    fn a_lone_sample_is_seen_from_afar_and_in_one_column_only() {
        let mut g = Grid::new(scale(), usize::MAX);
        let s = scale();
        g.begin(GoIdx(0), Time(0), GoState::Waiting);
        let e = Entry {
            cell: s.cell(Time(4_000_123)),
            exit: GoState::Waiting,
            running: 10,
            samples: 1,
            events: 3,
            longest: 1000,
            ..Entry::default()
        };
        g.add(GoIdx(0), e.pack(s), GoState::Waiting);
        g.set_end(Time(8_000_000));
        let cells = g.cells(Lane::Go(GoIdx(0)), &[], Time(0), Time(8_000_000), 80);
        assert_eq!(cells.iter().map(|c| c.samples).sum::<u32>(), 1);
        assert_eq!(cells[40].samples, 1);
        assert!(cells[40].running.0 > 0);
    }
}
