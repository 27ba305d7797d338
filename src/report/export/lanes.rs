//! What happened as slices on tracks, for viewers of timelines: made out of table rows, drawn by one of the formats.
//!
//! | track | slices |
//! |---|---|
//! | of each goroutine, below its start function | the states it was in |
//! | of each P | the goroutines that ran on it, and CPU samples as instants |
//! | GC, STW | mark phases, pauses |
//! | sweeps of each P, assists, regions of each goroutine, each task | what their names say |
//!
//! A goroutine that ends another's wait has an instant `unblocks` on its track, and a flow leads from there to the slice in
//! which the other one is runnable.

use crate::analysis::tables::{Cell, Ids, Sink, Table, Wanted};
use crate::base::{GroupId, StackId, Time};
use crate::model::Index;
use rustc_hash::FxHashMap;

/// Where a slice stands. Goroutines and Ps by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Track {
    /// A goroutine.
    Goroutine(i64),
    /// A P.
    Proc(i64),
    /// Mark phases.
    Gc,
    /// Pauses.
    Stw,
    /// Sweeps of a P.
    Sweep(i64),
    /// Assists of a goroutine.
    Assist(i64),
    /// Regions of a goroutine.
    Regions(i64),
    /// A task.
    Task(i64),
}

/// A slice, or with `to` as `from` perhaps a moment.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a> {
    /// Where it stands.
    pub track: Track,
    /// What it is called.
    pub name: &'a str,
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// More about it: names and texts.
    pub args: &'a [(&'a str, &'a str)],
    /// The flow that leads here.
    pub flow: Option<u64>,
}

/// A format of timelines.
pub trait Draw {
    /// A slice.
    fn slice(&mut self, s: &Slice);
    /// A moment, and the flow that begins there.
    fn instant(&mut self, track: Track, name: &str, at: Time, flow: Option<u64>);
    /// A value of a counter.
    fn counter(&mut self, name: &str, at: Time, value: i64);
    /// A hit of the CPU profiler: on a thread, of a goroutine, in a stack.
    fn sample(&mut self, at: Time, m: Option<i64>, p: Option<i64>, stack: Option<StackId>);
    /// Whether nothing more can be written.
    fn failed(&self) -> bool;
}

/// How much there is, as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Drawn {
    /// Slices and instants.
    pub slices: u64,
    /// Values of counters.
    pub values: u64,
    /// Flows.
    pub flows: u64,
    /// CPU samples.
    pub samples: u64,
}

/// Where the columns are that are looked at.
struct Columns(FxHashMap<(Table, &'static str), usize>);

impl Columns {
    fn new() -> Columns {
        let all = Table::ALL.iter().flat_map(|&t| t.columns().iter().enumerate().map(move |(i, c)| ((t, c.name), i)));
        Columns(all.collect())
    }
}

/// Turns rows into slices.
pub struct Lanes<'a, D> {
    index: &'a Index,
    columns: Columns,
    /// By number: the last goroutine that had it.
    groups: FxHashMap<i64, GroupId>,
    stacks: FxHashMap<i64, StackId>,
    window: (Time, Time),
    /// Of goroutines that have just been made runnable, the flow that leads to them.
    flows: FxHashMap<i64, u64>,
    drawn: Drawn,
    /// Who draws them.
    pub draw: D,
}

/// The rows that slices are made of.
const TABLES: [Table; 6] =
    [Table::Transitions, Table::Ranges, Table::Metrics, Table::Samples, Table::Tasks, Table::Regions];

impl<'a, D: Draw> Lanes<'a, D> {
    /// Slices of what lies in the window, in part at least.
    pub fn new(index: &'a Index, window: (Time, Time), draw: D) -> Lanes<'a, D> {
        let ids = Ids::new(&index.dict);
        let groups = index.goroutines.iter().map(|g| (g.id.0 as i64, g.group)).collect();
        let stacks = index.totals.samples.keys().filter_map(|&s| Some((ids.stack(s)?, s))).collect();
        let (columns, flows) = (Columns::new(), FxHashMap::default());
        Lanes { index, columns, groups, stacks, window, flows, drawn: Drawn::default(), draw }
    }

    /// The rows that are wanted for that.
    pub fn wanted(&self) -> Wanted {
        Wanted { from: self.window.0, to: self.window.1, ..Wanted::of(&TABLES) }
    }

    /// How much was drawn.
    pub fn drawn(&self) -> Drawn {
        self.drawn
    }

    /// The group of a goroutine.
    fn group(&self, g: i64) -> &'a str {
        self.groups.get(&g).map_or("", |&g| self.index.group_name(g))
    }

    fn slice(&mut self, s: &Slice) {
        self.drawn.slices += 1;
        self.draw.slice(s);
    }

    fn row_of(&mut self, table: Table, row: &Row) {
        let (from, to) = (Time(row.int("start_ns").unwrap_or(0)), Time(row.int("end_ns").unwrap_or(0)));
        let name = row.text("name").unwrap_or("");
        match table {
            Table::Transitions => self.transition(row, from, to),
            Table::Ranges => {
                let track = match (name, row.int("p"), row.int("g")) {
                    (n, ..) if n.starts_with("stop-the-world") => Track::Stw,
                    (_, Some(p), _) => Track::Sweep(p),
                    (_, _, Some(g)) => Track::Assist(g),
                    _ => Track::Gc,
                };
                self.slice(&Slice { track, name, from, to, args: &[], flow: None });
            }
            Table::Tasks => {
                let task = row.int("task").unwrap_or(0);
                self.slice(&Slice { track: Track::Task(task), name, from, to, args: &[], flow: None });
            }
            Table::Regions => {
                let g = row.int("g").unwrap_or(0);
                self.slice(&Slice { track: Track::Regions(g), name, from, to, args: &[], flow: None });
            }
            Table::Metrics => {
                self.drawn.values += 1;
                let at = Time(row.int("time_ns").unwrap_or(0));
                self.draw.counter(name, at, row.int("value").unwrap_or(0));
            }
            Table::Samples => {
                self.drawn.samples += 1;
                let stack = row.int("stack_id").and_then(|s| self.stacks.get(&s).copied());
                let at = Time(row.int("time_ns").unwrap_or(0));
                self.draw.sample(at, row.int("m"), row.int("p"), stack);
            }
            _ => {}
        }
    }

    fn transition(&mut self, row: &Row, from: Time, to: Time) {
        let Some(g) = row.int("g") else { return };
        let state = row.text("from_state").unwrap_or("");
        if matches!(state, "NotExist" | "Undetermined") {
            return;
        }
        let reason = row.text("reason").unwrap_or("");
        let args: &[(&str, &str)] = if reason.is_empty() { &[] } else { &[("reason", reason)] };
        let flow = self.flows.remove(&g).filter(|_| state == "Runnable");
        self.drawn.flows += u64::from(flow.is_some());
        self.slice(&Slice { track: Track::Goroutine(g), name: state, from, to, args, flow });
        if let (true, Some(p)) = (state == "Running", row.int("p")) {
            let name = format!("G{g} {}", self.group(g));
            self.slice(&Slice { track: Track::Proc(p), name: name.trim_end(), from, to, args: &[], flow: None });
        }
        let inside = to >= self.window.0 && to < self.window.1;
        if let (true, Some(by), Some(no)) = (inside && state == "Waiting", row.int("waker_g"), row.int("no")) {
            self.drawn.slices += 1;
            self.draw.instant(Track::Goroutine(by), "unblocks", to, Some(no as u64));
            self.flows.insert(g, no as u64);
        }
    }
}

/// A row that is asked for its cells by name.
struct Row<'r> {
    table: Table,
    cells: &'r [Cell],
    index: &'r Index,
    columns: &'r FxHashMap<(Table, &'static str), usize>,
}

impl<'r> Row<'r> {
    fn cell(&self, name: &'static str) -> &'r Cell {
        const NULL: &Cell = &Cell::Null;
        self.columns.get(&(self.table, name)).and_then(|&i| self.cells.get(i)).unwrap_or(NULL)
    }

    fn int(&self, name: &'static str) -> Option<i64> {
        match self.cell(name) {
            Cell::Int(n) => Some(*n),
            _ => None,
        }
    }

    fn text(&self, name: &'static str) -> Option<&'r str> {
        self.cell(name).text(self.index)
    }
}

impl<D: Draw> Sink for Lanes<'_, D> {
    fn row(&mut self, table: Table, cells: &[Cell]) {
        let columns = std::mem::take(&mut self.columns.0);
        self.row_of(table, &Row { table, cells, index: self.index, columns: &columns });
        self.columns.0 = columns;
    }

    fn full(&self) -> bool {
        self.draw.failed()
    }
}

impl Track {
    /// The start function of a goroutine's group, where the track is one of a goroutine.
    pub fn goroutine(self) -> Option<i64> {
        match self {
            Track::Goroutine(g) | Track::Assist(g) | Track::Regions(g) => Some(g),
            _ => None,
        }
    }

    /// What it is called.
    pub fn name(self) -> String {
        match self {
            Track::Goroutine(g) => format!("G{}", g.cast_unsigned()),
            Track::Proc(p) => format!("P{}", p.cast_unsigned()),
            Track::Gc => "GC".into(),
            Track::Stw => "STW".into(),
            Track::Sweep(p) => format!("P{} sweep", p.cast_unsigned()),
            Track::Assist(g) => format!("G{} assist", g.cast_unsigned()),
            Track::Regions(g) => format!("G{} regions", g.cast_unsigned()),
            Track::Task(t) => format!("task #{}", t.cast_unsigned()),
        }
    }

    /// A number of its own among all tracks; below 2^32 there is none.
    pub fn id(self) -> u64 {
        let (kind, n) = match self {
            Track::Goroutine(g) => (1, g),
            Track::Proc(p) => (2, p),
            Track::Gc => (3, 0),
            Track::Stw => (4, 0),
            Track::Sweep(p) => (5, p),
            Track::Assist(g) => (6, g),
            Track::Regions(g) => (7, g),
            Track::Task(t) => (8, t),
        };
        kind << 56 | n as u64 & ((1 << 56) - 1)
    }
}

/// The start functions of goroutines by number, for the names of tracks.
pub fn groups(index: &Index) -> FxHashMap<i64, (GroupId, &str)> {
    let of = |g: &crate::model::Goroutine| (g.id.0 as i64, (g.group, index.group_name(g.group)));
    index.goroutines.iter().map(of).collect()
}
