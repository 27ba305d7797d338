//! Summaries of each lane over a grid of time cells, so that any window draws in time that depends on the screen.
//!
//! A lane is sparse: it keeps an entry only for a cell in which something happened to it. Between two entries it stays
//! in the state in which the earlier one left it.

mod coarsen;

use crate::base::{Duration, GoIdx, GroupId, ProcIdx, Time};
use crate::wire::event::GoState;

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

    /// Adds time in a state.
    pub fn add_state(&mut self, state: GoState, d: Duration) {
        match state {
            GoState::Running => self.running += d,
            GoState::Runnable => self.runnable += d,
            GoState::Waiting => self.waiting += d,
            GoState::Syscall => self.syscall += d,
            GoState::NotExist | GoState::Undetermined => {}
        }
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

/// What happened to one goroutine in one cell, while it is being added up. The times cover the cell from its start to
/// the last transition in it; the rest of the cell is spent in `exit`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub cell: u32,
    pub exit: GoState,
    pub running: u64,
    pub runnable: u64,
    pub waiting: u64,
    pub syscall: u64,
    /// Before its creation.
    pub absent: u64,
    pub longest: u64,
    pub events: u32,
    pub samples: u32,
}

impl Default for Entry {
    fn default() -> Entry {
        Entry {
            cell: NO_CELL,
            exit: GoState::Undetermined,
            running: 0,
            runnable: 0,
            waiting: 0,
            syscall: 0,
            absent: 0,
            longest: 0,
            events: 0,
            samples: 0,
        }
    }
}

impl Entry {
    #[inline]
    pub fn add(&mut self, state: GoState, ns: i64) {
        let ns = ns as u64;
        match state {
            GoState::Running => self.running += ns,
            GoState::Runnable => self.runnable += ns,
            GoState::Waiting => self.waiting += ns,
            GoState::Syscall => self.syscall += ns,
            GoState::NotExist | GoState::Undetermined => self.absent += ns,
        }
    }
}

/// An entry as it is kept: times as 255ths of the cell, rounded up so that nothing short disappears.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Packed {
    pub cell: u16,
    pub exit: GoState,
    /// Running, runnable, waiting, syscall, absent.
    pub parts: [u8; 5],
    /// Four times the binary logarithm of the longest wait in ns that ended here.
    pub longest: u8,
    pub samples: u8,
    pub events: u16,
}

const STATES: [GoState; 5] =
    [GoState::Running, GoState::Runnable, GoState::Waiting, GoState::Syscall, GoState::NotExist];

fn pack_longest(ns: u64) -> u8 {
    if ns == 0 { 0 } else { ((ns as f64).log2() * 4.0).floor().clamp(1.0, 255.0) as u8 }
}

fn unpack_longest(x: u8) -> Duration {
    if x == 0 { Duration::ZERO } else { Duration((f64::from(x) / 4.0).exp2().min(i64::MAX as f64) as i64) }
}

impl Entry {
    /// As it is kept, on a grid of this scale.
    pub fn pack(&self, scale: Scale) -> Packed {
        let width = scale.width().0 as u64;
        let part = |ns: u64| match ns.checked_mul(255) {
            Some(n) => n.div_ceil(width).min(255) as u8,
            None => (u128::from(ns) * 255).div_ceil(width.into()).min(255) as u8,
        };
        Packed {
            cell: self.cell.min(MAX_CELLS - 1) as u16,
            exit: self.exit,
            parts: [part(self.running), part(self.runnable), part(self.waiting), part(self.syscall), part(self.absent)],
            longest: pack_longest(self.longest),
            samples: self.samples.min(255) as u8,
            events: self.events.min(u32::from(u16::MAX)) as u16,
        }
    }
}

impl Packed {
    /// Which of `parts` a state's time is in.
    pub fn part_of(state: GoState) -> usize {
        STATES.iter().position(|s| *s == state).unwrap_or(STATES.len() - 1)
    }

    /// Adds the entry of the same cell that a later generation made. It takes its first state to last from the start
    /// of the cell, where this entry knows better.
    pub fn join(&mut self, later: Packed) {
        let known: u32 = self.parts.iter().map(|&p| u32::from(p)).sum();
        for (i, state) in STATES.into_iter().enumerate() {
            let mut add = u32::from(later.parts[i]);
            if state == self.exit {
                add = add.saturating_sub(known);
            }
            self.parts[i] = (u32::from(self.parts[i]) + add).min(255) as u8;
        }
        self.exit = later.exit;
        self.longest = self.longest.max(later.longest);
        self.samples = self.samples.saturating_add(later.samples);
        self.events = self.events.saturating_add(later.events);
    }
}

/// The grid of the whole trace.
#[derive(Default)]
pub struct Grid {
    pub(crate) scale: Scale,
    pub(crate) gos: Vec<Vec<Packed>>,
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
            self.gos.resize_with(i + 1, Vec::new);
        }
        match self.gos[i].last_mut() {
            Some(last) if last.cell >= p.cell => last.join(p),
            _ => {
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
        self.gos.iter().map(|l| l.capacity() * size_of::<Packed>() + 24).sum::<usize>()
            + self.procs.iter().map(|l| l.capacity() * 4).sum::<usize>()
            + (self.running.capacity() + self.runnable.capacity()) * 8
    }

    pub(crate) fn shrink(&mut self) {
        for lane in &mut self.gos {
            lane.shrink_to_fit();
        }
    }

    /// Adds a goroutine's lane, in equal cells of the window `from..to`, to `out`.
    pub fn add_go(&self, go: GoIdx, from: Time, to: Time, out: &mut [Cell]) {
        let Some(lane) = self.gos.get(go.0 as usize) else { return };
        let mut screen = Screen::new(from, to, out);
        // The last entry at or before the window's start says in which state it begins.
        let first = self.scale.cell(from);
        let begin = lane.partition_point(|p| u32::from(p.cell) < first).saturating_sub(1);
        for (i, p) in lane.iter().enumerate().skip(begin) {
            let (lo, hi) = (self.scale.start(p.cell.into()), self.scale.start(u32::from(p.cell) + 1));
            if lo >= to {
                break;
            }
            let next = lane.get(i + 1).map_or(self.end, |n| self.scale.start(n.cell.into()));
            screen.entry(p, lo, hi);
            screen.fill(p.exit, hi, next);
        }
    }

    /// The last cell that begins before `t` and in which something happened to a goroutine: from and up to when, exclusive.
    pub fn touched_before(&self, go: GoIdx, t: Time) -> Option<(Time, Time)> {
        let lane = self.gos.get(go.0 as usize)?;
        let p = lane.get(lane.partition_point(|p| self.scale.start(p.cell.into()) < t).checked_sub(1)?)?;
        Some((self.scale.start(p.cell.into()), self.scale.end(p.cell.into())))
    }

    /// The content of one goroutine, one P or everything, in `width` equal cells of the window `from..to`, as precise
    /// as the grid's own cells are. For groups see `Index::cells`.
    pub fn cells(&self, lane: Lane, from: Time, to: Time, width: usize) -> Vec<Cell> {
        let mut out = vec![Cell::default(); width];
        match lane {
            Lane::Go(g) => self.add_go(g, from, to, &mut out),
            Lane::Group(_) => {}
            Lane::Proc(p) => {
                let unit = self.scale.unit();
                if let Some(lane) = self.procs.get(p.0 as usize) {
                    let held = |c: usize| u64::from(lane[c]) << unit;
                    self.dense(lane.len(), held, GoState::Running, from, to, &mut out);
                }
            }
            Lane::All => {
                self.dense(self.running.len(), |c| self.running[c], GoState::Running, from, to, &mut out);
                self.dense(self.runnable.len(), |c| self.runnable[c], GoState::Runnable, from, to, &mut out);
            }
        }
        out
    }

    fn dense(&self, len: usize, value: impl Fn(usize) -> u64, state: GoState, from: Time, to: Time, out: &mut [Cell]) {
        let mut screen = Screen::new(from, to, out);
        let last = (self.scale.cell(to) as usize + 1).min(len);
        for c in (self.scale.cell(from) as usize).min(last)..last {
            let (lo, hi) = (self.scale.start(c as u32), self.scale.start(c as u32 + 1));
            screen.spread(state, value(c), lo, hi);
        }
    }
}

/// Screen cells to which stretches of time are added.
struct Screen<'a> {
    from: Time,
    to: Time,
    out: &'a mut [Cell],
}

impl<'a> Screen<'a> {
    fn new(from: Time, to: Time, out: &'a mut [Cell]) -> Screen<'a> {
        Screen { from, to, out }
    }

    fn span(&self) -> i128 {
        i128::from((self.to - self.from).0.max(1))
    }

    fn column(&self, t: Time) -> usize {
        let x = i128::from((t - self.from).0) * self.out.len() as i128 / self.span();
        x.clamp(0, self.out.len() as i128 - 1) as usize
    }

    fn column_start(&self, i: usize) -> Time {
        let d = self.span() * i as i128;
        Time(self.from.0.saturating_add(((d + self.out.len() as i128 - 1) / self.out.len() as i128) as i64))
    }

    /// Calls `f` with each column that `lo..hi` touches and the ns it spends there.
    fn each(&mut self, lo: Time, hi: Time, mut f: impl FnMut(&mut Cell, i64)) {
        let (lo, hi) = (lo.max(self.from), hi.min(self.to));
        if lo >= hi || self.out.is_empty() {
            return;
        }
        let (a, b) = (self.column(lo), self.column(Time(hi.0 - 1)));
        for i in a..=b {
            let x = lo.max(self.column_start(i));
            let y = if i == b { hi } else { hi.min(self.column_start(i + 1)) };
            f(&mut self.out[i], (y - x).0.max(0));
        }
    }

    fn fill(&mut self, state: GoState, lo: Time, hi: Time) {
        self.each(lo, hi, |cell, ns| cell.add_state(state, Duration(ns)));
    }

    /// Spreads `ns` evenly over `lo..hi`.
    fn spread(&mut self, state: GoState, ns: u64, lo: Time, hi: Time) {
        let width = i128::from((hi - lo).0.max(1));
        self.each(lo, hi, |cell, part| {
            let share = i128::from(ns) * i128::from(part) / width;
            cell.add_state(state, Duration(share as i64));
        });
    }

    fn entry(&mut self, p: &Packed, lo: Time, hi: Time) {
        let width = (hi - lo).0.max(1) as u64;
        let mut rest = 255u64;
        for (i, state) in STATES.into_iter().enumerate() {
            let part = u64::from(p.parts[i]).min(rest);
            rest -= part;
            if part > 0 {
                self.spread(state, (u128::from(width) * u128::from(part) / 255) as u64, lo, hi);
            }
        }
        if rest > 0 {
            self.spread(p.exit, (u128::from(width) * u128::from(rest) / 255) as u64, lo, hi);
        }
        let (lo, hi) = (lo.max(self.from), hi.min(self.to));
        if lo < hi && !self.out.is_empty() {
            let i = self.column(Time(lo.0 + (hi.0 - lo.0) / 2));
            let cell = &mut self.out[i];
            cell.longest_wait = cell.longest_wait.max(unpack_longest(p.longest));
            cell.samples += u32::from(p.samples);
            cell.events += u32::from(p.events);
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
        let cells = g.cells(Lane::Go(GoIdx(3)), Time(0), Time(8_000_000), 10);
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
        let cells = g.cells(Lane::Go(GoIdx(0)), Time(0), Time(8_000_000), 80);
        assert_eq!(cells.iter().map(|c| c.samples).sum::<u32>(), 1);
        assert_eq!(cells[40].samples, 1);
        assert!(cells[40].running.0 > 0);
    }
}
