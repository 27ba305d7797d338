//! Which rows the timeline has, and in which order.

use crate::analysis::cost::lenses::LensNo;
use crate::analysis::timeline::{Counted, alive};
use crate::base::{Duration, GoIdx, GroupId, Time};
use crate::model::segment::Kind;
use crate::model::{Index, Lane};
use crate::tui::app::hits::Hits;
use crate::tui::app::nav::{Inner, Place, Row};
use crate::tui::app::route::RouteRef;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;

/// What a row shows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    /// A goroutine.
    Go(GoIdx),
    /// Anything else.
    Other(Row),
}

impl Item {
    /// What the cursor is on.
    pub fn of(place: &Place) -> Option<Item> {
        match (place.go.some(), place.row) {
            (Some(g), Some(row @ Row::Inside(of, _))) if of == g => Some(Item::Other(row)),
            (Some(g), _) => Some(Item::Go(g)),
            (None, _) => place.subject().1.map(Item::Other),
        }
    }

    /// Puts the cursor of a place on it.
    pub fn put(self, place: &mut Place) {
        match self {
            Item::Go(g) => (place.go, place.row) = (g, None),
            Item::Other(r @ Row::Inside(g, _)) => (place.go, place.row) = (g, Some(r)),
            Item::Other(r) => (place.go, place.row) = (GoIdx::NONE, Some(r)),
        }
    }

    /// The lane of the grid behind the row.
    pub fn lane(self) -> Option<Lane> {
        match self {
            Item::Go(g) => Some(Lane::Go(g)),
            Item::Other(Row::Proc(p)) => Some(Lane::Proc(p)),
            Item::Other(Row::Group(g)) => Some(Lane::Group(g)),
            Item::Other(Row::Procs) => Some(Lane::All),
            Item::Other(_) => None,
        }
    }
}

/// A row of the timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// What it shows.
    pub item: Item,
    /// How far it is indented: the members of a group stand under it.
    pub depth: u8,
    /// Whether its members are shown; `None` if it has none.
    pub open: Option<bool>,
}

/// More Ps than this are folded into one row.
const MANY_PROCS: usize = 8;

/// In a lower view the goroutines need the room more than the run queue and the samples of all of them, which stand below.
const TALL: u16 = 16;

/// From this height on what the GC leaves to the program is there without being asked for.
const TALLER: u16 = 19;

/// From this height on all that is folded elsewhere is unfolded, as far as there is room.
const HIGH: u16 = 36;

/// Rows of the heap's picture.
pub const HEAP_ROWS: u8 = 4;

/// The rows, and what is open.
#[derive(Default)]
pub struct Rows {
    /// All rows, from top to bottom.
    pub lines: Vec<Line>,
    /// How many rows there is room for.
    pub height: u16,
    /// The lenses that have CPU samples, as far as they are known.
    pub lenses: Vec<LensNo>,
    /// Whether it is known what the GC leaves to the program.
    pub mutator: bool,
    /// How many goroutines there are from each instant on; nothing before the trace is read.
    pub alive: Vec<(Time, u64)>,
    /// What the user has opened, or closed where it was open by itself.
    turned: FxHashSet<Row>,
    /// What is open by itself, as there is room for it.
    unfolded: FxHashSet<Row>,
    /// The goroutines whose regions and stacks are shown, and how many rows those have.
    inside: FxHashMap<GoIdx, (u8, u8)>,
    /// The groups in the order in which they are shown.
    order: Vec<GroupId>,
    hits: FxHashMap<GoIdx, u32>,
    key: Option<Key>,
    sorted_for: Option<(bool, Option<String>)>,
}

/// What the rows depend on.
#[derive(Clone, PartialEq, Debug)]
struct Key {
    goroutines: usize,
    height: u16,
    lenses: usize,
    mutator: bool,
    procs: usize,
    complete: bool,
    query: Option<String>,
    hits: usize,
    hits_complete: bool,
    group: Option<GroupId>,
    only: Option<GoIdx>,
    route: Option<RouteRef>,
    turned: usize,
}

impl Rows {
    /// Whether something that has members shows them.
    pub fn is_open(&self, row: Row) -> bool {
        self.unfolded.contains(&row) != self.turned.contains(&row)
    }

    /// Shows or hides the members of a group, the Ps, the system's groups, the states that goroutines are counted by.
    pub fn set_open(&mut self, row: Row, open: bool) {
        if open == self.unfolded.contains(&row) {
            self.turned.remove(&row);
        } else {
            self.turned.insert(row);
        }
        self.key = None;
    }

    /// Whether the rows below a goroutine are there.
    pub fn shows_inside(&self, g: GoIdx) -> bool {
        self.inside.contains_key(&g)
    }

    /// Shows or hides what a goroutine's code was at.
    pub fn set_inside(&mut self, g: GoIdx, shown: bool) {
        if shown {
            // Until it is known how deep its stacks are there is a row for them.
            self.inside.entry(g).or_insert((0, 1));
        } else {
            self.inside.remove(&g);
        }
        self.key = None;
    }

    /// Makes room for so many rows of regions and of frames below a goroutine. Rows that are there stay, so that nothing moves
    /// while the window does.
    pub fn make_room(&mut self, g: GoIdx, regions: usize, frames: usize) {
        if let Some(rows) = self.inside.get_mut(&g) {
            let more = (rows.0.max(regions as u8), rows.1.max(frames as u8));
            if *rows != more {
                *rows = more;
                self.key = None;
            }
        }
    }

    /// Opens what must be open for `item` to have a row.
    pub fn uncover(&mut self, item: Item, index: &Index) {
        let group = match item {
            Item::Go(g) => index.goroutine(g).map(|g| g.group),
            Item::Other(Row::Group(g)) => {
                if index.owner(g).is_hidden() {
                    self.set_open(Row::System, true);
                }
                None
            }
            Item::Other(Row::Proc(_)) => {
                self.set_open(Row::Procs, true);
                None
            }
            Item::Other(Row::State(_)) => {
                self.set_open(Row::Alive, true);
                None
            }
            Item::Other(Row::HeapPart(_)) => {
                self.set_open(Row::Heap, true);
                None
            }
            Item::Other(Row::Lens(_)) => {
                self.set_open(Row::Samples, true);
                None
            }
            Item::Other(Row::Mutator) => {
                self.set_open(Row::Gc, true);
                None
            }
            Item::Other(Row::Inside(g, _)) => {
                self.set_inside(g, true);
                index.goroutine(g).map(|g| g.group)
            }
            Item::Other(_) => None,
        };
        if let Some(g) = group {
            if index.owner(g).is_hidden() {
                self.set_open(Row::System, true);
            }
            self.set_open(Row::Group(g), true);
        }
    }

    /// How many hits a goroutine has.
    pub fn hits_of(&self, g: GoIdx) -> u32 {
        self.hits.get(&g).copied().unwrap_or(0)
    }

    /// How many hits the members of a group have.
    pub fn hits_of_group(&self, g: GroupId, index: &Index) -> u32 {
        if self.hits.is_empty() {
            return 0;
        }
        // Go through whatever is shorter.
        let members = index.groups.get(g.0 as usize).map_or(&[][..], |g| &g.members);
        if members.len() < self.hits.len() {
            members.iter().map(|&m| self.hits_of(m)).sum()
        } else {
            self.hits.iter().filter(|(m, _)| index.goroutine(**m).is_some_and(|x| x.group == g)).map(|(_, n)| n).sum()
        }
    }

    /// The position of an item's row.
    pub fn find(&self, item: Item) -> Option<usize> {
        self.lines.iter().position(|l| l.item == item)
    }

    /// Brings the rows up to date; `true` if they changed.
    pub fn update(&mut self, index: &Index, hits: Option<&Hits>, place: &Place) -> bool {
        let key = Key {
            goroutines: index.goroutines.len(),
            height: self.height,
            lenses: self.lenses.len(),
            mutator: self.mutator,
            procs: index.procs.len(),
            complete: index.complete,
            query: hits.map(|h| h.query.clone()),
            hits: hits.map_or(0, |h| h.list().len()),
            hits_complete: hits.is_some_and(|h| h.complete),
            group: place.group(),
            only: place.only(),
            route: place.route.clone(),
            turned: self.turned.len(),
        };
        if self.key.as_ref() == Some(&key) {
            return false;
        }
        self.hits.clear();
        for h in hits.map_or(&[][..], |h| h.list()) {
            if h.go.is_some() {
                *self.hits.entry(h.go).or_default() += 1;
            }
        }
        if key.complete && self.alive.is_empty() {
            self.alive = alive(index);
        }
        self.sort_groups(index, &key);
        self.unfold(index, place);
        self.lines = self.build(index, place);
        self.key = Some(key);
        true
    }

    /// While the index grows groups are only appended, so that no row changes its place under the reader's eyes.
    fn sort_groups(&mut self, index: &Index, key: &Key) {
        let sorted_for = (key.complete, key.query.clone().filter(|_| key.hits_complete));
        let known: FxHashSet<GroupId> = self.order.iter().copied().collect();
        let all = (0..index.groups.len() as u32).map(GroupId);
        let mut new: Vec<GroupId> = all.filter(|g| !known.contains(g)).collect();
        if self.sorted_for.as_ref() != Some(&sorted_for) {
            new.append(&mut self.order);
            self.sorted_for = Some(sorted_for);
        }
        let hits = key.hits_complete;
        new.sort_by_cached_key(|&g| {
            let group = &index.groups[g.index()];
            let hits = if hits { self.hits_of_group(g, index) } else { 0 };
            (Reverse(hits), Reverse(group.times.running), Reverse(group.times.total()), g)
        });
        self.order.extend(new);
        self.order.retain(|g| g.index() < index.groups.len());
    }

    /// Unfolds what there is room for. While the trace is being read nothing is: rows would move.
    fn unfold(&mut self, index: &Index, place: &Place) {
        self.unfolded.clear();
        if self.height >= TALLER {
            self.unfolded.insert(Row::Gc);
        }
        if self.height < HIGH || !index.complete || place.route.is_some() {
            return;
        }
        self.unfolded.extend([Row::Heap, Row::Samples]);
        let mut room = usize::from(self.height).saturating_sub(self.build(index, place).len());
        for &g in self.order.iter().filter(|&&g| !index.owner(g).is_hidden()) {
            let n = index.groups.get(g.index()).map_or(0, |g| g.members.len());
            if n <= room {
                room -= n;
                self.unfolded.insert(Row::Group(g));
            }
        }
        if Counted::ALL.len() <= room {
            self.unfolded.insert(Row::Alive);
        }
    }

    fn build(&self, index: &Index, place: &Place) -> Vec<Line> {
        let mut lines = Vec::new();
        let plain = |row| Line { item: Item::Other(row), depth: 0, open: None };
        if let Some(route) = &place.route {
            lines.extend([plain(Row::Gc), plain(Row::Stw)]);
            lines.extend(route.has_path().then(|| plain(Row::Path)));
            route.lanes.iter().for_each(|&g| self.push_goroutine(&mut lines, g, 0));
            return lines;
        }
        let folded = |row: Row, inside: bool| Line { open: inside.then(|| self.is_open(row)), ..plain(row) };
        lines.push(folded(Row::Gc, self.mutator));
        if self.mutator && self.is_open(Row::Gc) {
            lines.push(Line { depth: 1, ..plain(Row::Mutator) });
        }
        lines.push(plain(Row::Stw));
        lines.push(folded(Row::Heap, !index.heap.is_empty()));
        if !index.heap.is_empty() && self.is_open(Row::Heap) {
            lines.extend((0..HEAP_ROWS).map(|part| Line { depth: 1, ..plain(Row::HeapPart(part)) }));
        }
        if !self.alive.is_empty() {
            let open = self.is_open(Row::Alive);
            lines.push(Line { open: Some(open), ..plain(Row::Alive) });
            let states = Counted::ALL.into_iter().filter(|_| open);
            lines.extend(states.map(|s| Line { depth: 1, ..plain(Row::State(s)) }));
        }
        if self.height >= TALL {
            lines.push(plain(Row::Queue));
            self.push_samples(&mut lines, index);
        }
        let below = |lines: &mut Vec<Line>| {
            if self.height < TALL {
                lines.push(plain(Row::Queue));
                self.push_samples(lines, index);
            }
        };
        let many = index.procs.len() > MANY_PROCS;
        if many {
            lines.push(Line { open: Some(self.is_open(Row::Procs)), ..plain(Row::Procs) });
        }
        if !many || self.is_open(Row::Procs) {
            let depth = u8::from(many);
            let procs = index.procs_in_order();
            lines.extend(procs.into_iter().map(|p| Line { depth, ..plain(Row::Proc(p)) }));
        }
        let only = place.only();
        let group = place.group().or(only.and_then(|g| index.goroutine(g)).map(|g| g.group));
        if let Some(g) = group {
            self.push_group(&mut lines, index, g, 0, only);
            below(&mut lines);
            return lines;
        }
        let (system, user): (Vec<GroupId>, Vec<GroupId>) =
            self.order.iter().copied().partition(|&g| index.owner(g).is_hidden());
        for g in user {
            self.push_group(&mut lines, index, g, 0, None);
        }
        if !system.is_empty() {
            let open = self.is_open(Row::System);
            lines.push(Line { open: Some(open), ..plain(Row::System) });
            for g in system.into_iter().filter(|_| open) {
                self.push_group(&mut lines, index, g, 1, None);
            }
        }
        below(&mut lines);
        lines
    }

    fn push_samples(&self, lines: &mut Vec<Line>, index: &Index) {
        if !index.segments.iter().any(|s| s.kinds & 1 << Kind::CpuSample as u8 != 0) {
            return;
        }
        let open = self.is_open(Row::Samples);
        lines.push(Line { item: Item::Other(Row::Samples), depth: 0, open: Some(open) });
        let lenses = self.lenses.iter().filter(|_| open);
        lines.extend(lenses.map(|&l| Line { item: Item::Other(Row::Lens(l)), depth: 1, open: None }));
    }

    /// The row of a goroutine, and what is shown below it.
    fn push_goroutine(&self, lines: &mut Vec<Line>, g: GoIdx, depth: u8) {
        let inside = self.inside.get(&g);
        lines.push(Line { item: Item::Go(g), depth, open: Some(inside.is_some()) });
        let Some(&(regions, frames)) = inside else { return };
        let rows = (0..regions).map(Inner::Region).chain((0..frames).map(Inner::Frame));
        lines.extend(rows.map(|r| Line { item: Item::Other(Row::Inside(g, r)), depth: depth + 1, open: None }));
    }

    fn push_group(&self, lines: &mut Vec<Line>, index: &Index, g: GroupId, depth: u8, only: Option<GoIdx>) {
        let Some(group) = index.groups.get(g.0 as usize).filter(|g| !g.members.is_empty()) else { return };
        let open = self.is_open(Row::Group(g)) || only.is_some();
        lines.push(Line { item: Item::Other(Row::Group(g)), depth, open: Some(open) });
        if !open {
            return;
        }
        let mut members: Vec<GoIdx> = match only {
            Some(g) => vec![g],
            None => group.members.clone(),
        };
        if index.complete {
            members.sort_by_cached_key(|&m| {
                let (running, id) =
                    index.goroutine(m).map_or((Duration::ZERO, m.0.into()), |x| (x.times.running, x.id.0));
                (Reverse(self.hits_of(m)), Reverse(running), id)
            });
        }
        members.into_iter().for_each(|m| self.push_goroutine(lines, m, depth + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ProcId, ProcIdx};
    use crate::model::index::Proc;
    use crate::tui::app::catalog::ViewId;

    #[test]
    fn ps_stand_in_the_order_of_their_numbers() {
        for ids in [&[1, 0, 2][..], &[9, 3, 7, 8, 0, 1, 2, 6, 5, 4]] {
            let procs = ids.iter().map(|&id| Proc { id: ProcId(id), running: Duration::ZERO }).collect();
            let index = Index { procs, complete: true, ..Index::default() };
            let (mut rows, place) = (Rows::default(), Place::new(ViewId::Timeline, Time(0)));
            rows.set_open(Row::Procs, true);
            rows.update(&index, None, &place);
            let id = |l: &Line| match l.item {
                Item::Other(Row::Proc(ProcIdx(p))) => Some(ids[usize::from(p)]),
                _ => None,
            };
            let shown: Vec<_> = rows.lines.iter().filter_map(id).collect();
            assert!(shown.len() == ids.len() && shown.is_sorted(), "{shown:?}");
        }
    }
}
