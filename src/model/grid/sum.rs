//! Lanes of groups: the sum of their members' lanes, kept up to date as entries come in.
//!
//! To draw a group from its members takes as long as they have entries, which may be millions. So a group with many
//! entries gets a lane of its own, which holds of each cell the members' parts, and by how many the members that stay
//! in a state throughout change with it. A lane is some hundred kilobytes at most, whatever the number of members.

use super::draw::{Columns, DRAWN, drawn};
use super::entry::Packed;
use super::{Grid, MAX_CELLS, Scale};
use crate::base::{GoIdx, GroupId, Time};
use crate::wire::event::GoState;

/// A group with fewer entries is drawn from its members.
const ENTRIES: usize = 4096;
/// Bytes that all such lanes may take; beyond, groups are drawn from their members.
const BUDGET: usize = 64 << 20;
/// Cells of a block: a lane allocates those blocks in which something happens.
const BLOCK: usize = 64;

/// What the members did in some neighbouring cells.
struct Block {
    /// 255ths of each cell by state, of members that have an entry there.
    parts: [[u32; DRAWN]; BLOCK],
    /// Change of the number of members that stay in a state from this cell on without an entry.
    turns: [[i32; DRAWN]; BLOCK],
    longest: [u8; BLOCK],
    samples: [u32; BLOCK],
    events: [u32; BLOCK],
    /// Sum of `turns`.
    turned: [i32; DRAWN],
}

impl Block {
    fn new() -> Box<Block> {
        Box::new(Block {
            parts: [[0; DRAWN]; BLOCK],
            turns: [[0; DRAWN]; BLOCK],
            longest: [0; BLOCK],
            samples: [0; BLOCK],
            events: [0; BLOCK],
            turned: [0; DRAWN],
        })
    }
}

/// The sum of some goroutines' lanes.
#[derive(Default)]
pub(crate) struct SumLane {
    blocks: Vec<Option<Box<Block>>>,
}

/// Adds or takes away.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Plus,
    Minus,
}

impl SumLane {
    fn bytes(&self) -> usize {
        self.blocks.capacity() * 8 + self.blocks.iter().flatten().count() * size_of::<Block>()
    }

    #[inline]
    fn at(&mut self, cell: usize) -> (&mut Block, usize) {
        let i = cell / BLOCK;
        if i >= self.blocks.len() {
            self.blocks.resize_with(i + 1, || None);
        }
        (self.blocks[i].get_or_insert_with(Block::new), cell % BLOCK)
    }

    /// From `cell` on, one more (or fewer) member stays in a state.
    #[inline]
    fn turn(&mut self, state: GoState, cell: usize, by: i32) {
        let Some(s) = drawn(state) else { return };
        let (block, i) = self.at(cell);
        block.turns[i][s] += by;
        block.turned[s] += by;
    }

    #[inline]
    fn parts(&mut self, p: &Packed, sign: Sign) {
        let (block, i) = self.at(p.cell.into());
        let add = |sum: &mut u32, x: u32| match sign {
            Sign::Plus => *sum = sum.saturating_add(x),
            Sign::Minus => *sum = sum.saturating_sub(x),
        };
        for (sum, x) in block.parts[i].iter_mut().zip(p.shares()) {
            add(sum, x.into());
        }
        add(&mut block.samples[i], p.samples.into());
        add(&mut block.events[i], p.events.into());
        block.longest[i] = block.longest[i].max(p.longest);
    }

    /// A member's new entry, before which it stayed in `before`.
    #[inline]
    pub fn push(&mut self, p: &Packed, before: Option<GoState>) {
        if let Some(before) = before {
            self.turn(before, p.cell.into(), -1);
        }
        self.parts(p, Sign::Plus);
        self.turn(p.exit, usize::from(p.cell) + 1, 1);
    }

    /// A member's last entry is another now.
    #[inline]
    pub fn change(&mut self, old: &Packed, new: &Packed) {
        self.parts(old, Sign::Minus);
        self.parts(new, Sign::Plus);
        if old.exit != new.exit {
            self.turn(old.exit, usize::from(old.cell) + 1, -1);
            self.turn(new.exit, usize::from(new.cell) + 1, 1);
        }
    }

    /// All entries of a member.
    pub fn add(&mut self, lane: &[Packed]) {
        let mut before = None;
        for p in lane {
            self.push(p, before);
            before = Some(p.exit);
        }
    }

    /// Draws the lane; `end` is the end of the trace.
    pub fn draw(&self, columns: &mut Columns, (from, to): (Time, Time), scale: Scale, end: Time) {
        let first = scale.cell(from) as usize / BLOCK;
        let mut there = [0i64; DRAWN];
        for block in self.blocks.iter().take(first).flatten() {
            for (n, t) in there.iter_mut().zip(block.turned) {
                *n += i64::from(t);
            }
        }
        for (b, block) in self.blocks.iter().enumerate().skip(first) {
            let cell = (b * BLOCK) as u32;
            if scale.start(cell) >= to {
                return;
            }
            let Some(block) = block else {
                let hi = scale.start(cell + BLOCK as u32).min(end);
                columns.fill(there.map(|n| n.max(0) as u64), scale.start(cell), hi);
                continue;
            };
            for i in 0..BLOCK {
                let (lo, hi) = (scale.start(cell + i as u32), scale.start(cell + i as u32 + 1));
                for (n, t) in there.iter_mut().zip(block.turns[i]) {
                    *n += i64::from(t);
                }
                let by = there.map(|n| n.max(0) as u64);
                let mut shares = block.parts[i].map(u64::from);
                match columns.within_one(lo, hi) {
                    Some(column) => {
                        if hi <= end {
                            for (x, n) in shares.iter_mut().zip(by) {
                                *x += n * 255;
                            }
                        } else {
                            columns.fill(by, lo, hi.min(end));
                        }
                        columns.add_whole(column, shares);
                    }
                    None => {
                        columns.add_spread(shares, lo, hi);
                        columns.fill(by, lo, hi.min(end));
                    }
                }
                columns.note(block.longest[i], block.samples[i], block.events[i], lo, hi);
            }
        }
        let rest = scale.start((self.blocks.len() * BLOCK) as u32);
        columns.fill(there.map(|n| n.max(0) as u64), rest, end);
    }
}

/// The lanes of groups.
pub(crate) struct Sums {
    /// From how many entries on a group gets a lane.
    least: usize,
    /// Of each goroutine its group; of each group how many entries its members have, and its lane if it has one.
    group_of: Vec<GroupId>,
    groups: Vec<(usize, Option<SumLane>)>,
    /// Groups that are to get a lane.
    due: Vec<GroupId>,
}

impl Default for Sums {
    fn default() -> Sums {
        Sums { least: ENTRIES, group_of: Vec::new(), groups: Vec::new(), due: Vec::new() }
    }
}

impl Sums {
    /// The lane of a group, if it has one that is up to date.
    pub fn lane(&self, g: GroupId) -> Option<&SumLane> {
        self.groups.get(g.0 as usize)?.1.as_ref()
    }

    /// Bytes of all lanes.
    pub fn bytes(&self) -> usize {
        let lanes: usize = self.groups.iter().filter_map(|(_, l)| l.as_ref()).map(SumLane::bytes).sum();
        lanes + self.group_of.capacity() * size_of::<GroupId>()
    }

    fn group(&mut self, g: GroupId) -> &mut (usize, Option<SumLane>) {
        let i = g.0 as usize;
        if i >= self.groups.len() {
            self.groups.resize_with(i + 1, Default::default);
        }
        &mut self.groups[i]
    }

    fn count(&mut self, g: GroupId, entries: usize) {
        let least = self.least;
        let (n, lane) = self.group(g);
        let before = *n;
        *n += entries;
        if before < least && *n >= least && lane.is_none() {
            self.due.push(g);
        }
    }

    /// The lane that a goroutine's entries are summed in, if any; with `new`, it gets one more.
    #[inline]
    pub(super) fn of(&mut self, go: GoIdx, new: bool) -> Option<&mut SumLane> {
        let g = *self.group_of.get(go.0 as usize)?;
        if new {
            self.count(g, 1);
        }
        self.groups.get_mut(g.0 as usize)?.1.as_mut()
    }

    /// A goroutine turns out to be of another group than it was, with these entries.
    pub(super) fn join(&mut self, go: GoIdx, to: GroupId, entries: &[Packed]) {
        let i = go.0 as usize;
        if i >= self.group_of.len() {
            self.group_of.resize(i + 1, GroupId::NONE);
        }
        let from = std::mem::replace(&mut self.group_of[i], to);
        if from == to {
            return;
        }
        self.count(to, entries.len());
        if entries.is_empty() {
            return;
        }
        if let Some(lane) = self.group(to).1.as_mut() {
            lane.add(entries);
        }
        if from.is_some() {
            // The longest wait of a cell cannot be taken back: the lane is made anew.
            let least = self.least;
            let (n, lane) = self.group(from);
            *n -= entries.len().min(*n);
            let again = *n >= least;
            if lane.take().is_some() && again {
                self.due.push(from);
            }
        }
    }

    /// All lanes are made anew.
    pub(super) fn reset(&mut self, gos: &[super::GoLane]) {
        for (n, lane) in &mut self.groups {
            (*n, *lane) = (0, None);
        }
        self.due.clear();
        for (i, lane) in gos.iter().enumerate() {
            if let Some(&g) = self.group_of.get(i) {
                self.count(g, lane.len());
            }
        }
    }

    /// Makes the lanes that are due.
    pub(super) fn make(&mut self, gos: &[super::GoLane]) {
        if self.due.is_empty() {
            return;
        }
        let mut room = BUDGET.saturating_sub(self.bytes());
        let most = (MAX_CELLS as usize / BLOCK + 1) * (size_of::<Block>() + 8);
        for g in std::mem::take(&mut self.due) {
            let Some(left) = room.checked_sub(most) else { break };
            room = left;
            self.group(g).1.get_or_insert_default();
        }
        // Only those that were made just now are empty.
        let fresh: Vec<bool> =
            self.groups.iter().map(|(_, l)| l.as_ref().is_some_and(|l| l.blocks.is_empty())).collect();
        for (&g, lane) in self.group_of.iter().zip(gos) {
            if fresh.get(g.0 as usize) == Some(&true)
                && let Some(sum) = &mut self.groups[g.0 as usize].1
            {
                sum.add(lane);
            }
        }
    }
}

impl Grid {
    /// A goroutine is of this group from now on, and has been all along.
    pub(crate) fn join_group(&mut self, go: GoIdx, group: GroupId) {
        let entries = self.gos.get(go.0 as usize).map_or(&[][..], |l| l);
        self.sums.join(go, group, entries);
    }

    /// Makes the lanes of groups that are due.
    pub(crate) fn sum(&mut self) {
        self.sums.make(&self.gos);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cell;
    use crate::model::grid::{Entry, Lane};
    use proptest::prelude::*;

    const SPAN: i64 = 8_000_000;
    const GROUPS: u32 = 3;

    /// What comes in: a goroutine, a cell, what it did there; or that it is of another group.
    #[derive(Clone, Debug)]
    enum Step {
        Entry(u32, u32, [u64; 4], usize, bool),
        Begin(u32, u32, usize),
        Group(u32, u32),
        Fit,
    }

    fn step() -> impl Strategy<Value = Step> {
        let go = 0u32..12;
        let part = 0u64..1000;
        prop_oneof![
            8 => (go.clone(), 0u32..3900, [part.clone(), part.clone(), part.clone(), part], 0usize..6, any::<bool>())
                .prop_map(|(g, c, p, s, x)| Step::Entry(g, c, p, s, x)),
            1 => (go.clone(), 0u32..3900, 0usize..6).prop_map(|(g, c, s)| Step::Begin(g, c, s)),
            1 => (go, 0..GROUPS).prop_map(|(g, to)| Step::Group(g, to)),
            1 => Just(Step::Fit),
        ]
    }

    fn near(a: &Cell, b: &Cell, slack: i64) -> bool {
        let states = |c: &Cell| [c.running.0, c.runnable.0, c.waiting.0, c.syscall.0];
        states(a).iter().zip(states(b)).all(|(x, y)| (x - y).abs() <= slack)
            && (a.longest_wait, a.samples, a.events) == (b.longest_wait, b.samples, b.events)
    }

    proptest! {
        #[test]
        fn a_group_is_the_sum_of_its_members(
            steps in prop::collection::vec(step(), 1..400),
            budget in prop_oneof![Just(usize::MAX), Just(600usize)],
            windows in prop::collection::vec((0..SPAN, 1..SPAN, 1usize..200), 1..6),
        ) {
            let scale = Scale::over(Time(0), Time(SPAN));
            let mut grid = Grid::new(scale, budget);
            grid.sums.least = 8;
            let mut group_of = [GroupId(0); 12];
            for g in 0..12 {
                grid.join_group(GoIdx(g), GroupId(0));
            }
            for s in steps {
                match s {
                    Step::Entry(g, cell, [running, runnable, waiting, syscall], exit, odd) => {
                        let exit = GoState::ALL[exit];
                        let (longest, samples) = (waiting * 7, u32::from(odd));
                        let absent = if odd { 300 } else { 0 };
                        let e = Entry { cell, exit, running, runnable, waiting, syscall, absent, longest, events: 2, samples };
                        grid.add(GoIdx(g), e.pack(scale), GoState::Waiting);
                    }
                    Step::Begin(g, cell, s) => grid.begin(GoIdx(g), scale.start(cell), GoState::ALL[s]),
                    Step::Group(g, to) => {
                        group_of[g as usize] = GroupId(to);
                        grid.join_group(GoIdx(g), GroupId(to));
                    }
                    Step::Fit => grid.fit(),
                }
            }
            grid.fit();
            grid.set_end(Time(SPAN));
            for group in (0..GROUPS).map(GroupId) {
                let members: Vec<GoIdx> = (0..12).map(GoIdx).filter(|g| group_of[g.0 as usize] == group).collect();
                let entries: usize = members.iter().filter_map(|m| grid.gos.get(m.0 as usize)).map(|l| l.len()).sum();
                prop_assert!(entries < 8 || grid.sums.lane(group).is_some(), "{entries} entries");
                for &(from, span, width) in &windows {
                    let (from, to) = (Time(from), Time(from + span));
                    let got = grid.cells(Lane::Group(group), &members, from, to, width);
                    let mut want = vec![Cell::default(); width];
                    for &m in &members {
                        let one = grid.cells(Lane::Go(m), &[], from, to, width);
                        want.iter_mut().zip(&one).for_each(|(a, b)| a.add(b));
                    }
                    for (i, (a, b)) in got.iter().zip(&want).enumerate() {
                        // Each member's time is rounded down to a nanosecond when it stands alone.
                        prop_assert!(near(a, b, members.len() as i64), "{group:?} {from:?} {to:?}, cell {i} of {width}:\n{a:?}\n{b:?}");
                    }
                }
            }
        }
    }
}
