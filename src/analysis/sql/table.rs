//! A table of traces as SQLite asks for it. The only place in the program that may use `unsafe`: for
//! two traits whose condition is that their types begin with SQLite's own struct and are laid out as in C.
#![allow(unsafe_code)]

use super::Shared;
use super::grouped::{self, By, Grouped, Value};
use super::held::{Batch, Lookup, key};
use super::stream::{Broken, Stream};
use crate::analysis::tables::{self, Cell, Column, TRACE_ID, Table, Type, Wanted};
use crate::base::Time;
use rusqlite::ffi::{sqlite3_vtab, sqlite3_vtab_cursor};
use rusqlite::types::{Null, ValueRef};
use rusqlite::vtab::{Context, Filters, IndexConstraintOp, IndexInfo, VTab, VTabConnection, VTabCursor};
use rusqlite::{Error, Result};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_int};
use std::rc::Rc;
use std::sync::Arc;

/// What stands before the message of an error that is a trace's.
pub(super) const UNREADABLE: &str = "trace: ";
/// What is said of a table that is too large to be held.
pub(super) const TOO_MUCH: &str = "too many rows to look up in";
/// Bytes that a cell takes.
const CELL: usize = size_of::<Cell>();

/// Which table, of which traces.
pub(super) struct Aux {
    pub table: Table,
    pub shared: Arc<Shared>,
}

/// Tables that are held because they are looked up in, by trace.
type Held = Rc<RefCell<Vec<Option<Rc<Lookup>>>>>;

/// A table.
#[repr(C)]
pub(super) struct Rows {
    /// SQLite's own; must come first.
    base: sqlite3_vtab,
    table: Table,
    shared: Arc<Shared>,
    held: Held,
}

/// What a constraint bounds, as the letters that SQLite hands from the plan to the cursor.
const FROM: char = 'a';
const TO: char = 'b';
const AT: char = 'c';
const GO: char = 'g';
const TRACE: char = 't';
const KEY: char = 'k';
/// What comes before the columns that are looked at, as a hexadecimal number with a bit for each; and before each column that
/// the rows are to be sorted by, as a decimal number, negative for downwards.
const USED: char = '/';
const BY: char = ',';

fn columns(t: Table) -> impl Iterator<Item = &'static Column> {
    std::iter::once(&TRACE_ID).chain(t.columns())
}

fn fault(message: impl Into<String>) -> Error {
    Error::ModuleError(message.into())
}

// SAFETY: the first field is SQLite's struct, and the layout is C's.
unsafe impl<'v> VTab<'v> for Rows {
    type Aux = Aux;
    type Cursor = Cursor;

    fn connect(
        _: &mut VTabConnection,
        aux: Option<&Aux>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        _: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Rows)> {
        let aux = aux.ok_or_else(|| fault("a table without traces"))?;
        let of = |c: &Column| match c.of {
            Type::Int | Type::Bool => "integer",
            Type::Text => "text",
        };
        let all: Vec<String> = columns(aux.table).map(|c| format!("\"{}\" {}", c.name, of(c))).collect();
        let sql = CString::new(format!("create table x({})", all.join(", "))).map_err(|e| fault(e.to_string()))?;
        let held = Rc::new(RefCell::new(vec![None; aux.shared.traces.len()]));
        let (table, shared) = (aux.table, aux.shared.clone());
        Ok((Cow::Owned(sql), Rows { base: sqlite3_vtab::default(), table, shared, held }))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        use IndexConstraintOp::*;
        let key = key(self.table).map(|k| k + 1);
        let (mut letters, mut cost) = (String::new(), 1e8f64);
        let mut used = Vec::new();
        for (i, c) in info.constraints().enumerate() {
            let column = usize::try_from(c.column()).ok();
            let Some(name) = column.and_then(|i| columns(self.table).nth(i)).map(|c| c.name) else { continue };
            let equal = c.operator() == SQLITE_INDEX_CONSTRAINT_EQ;
            let letter = match (name, c.operator()) {
                _ if !c.is_usable() => continue,
                (_, SQLITE_INDEX_CONSTRAINT_EQ) if column == key => KEY,
                ("time_ns" | "start_ns" | "end_ns", SQLITE_INDEX_CONSTRAINT_EQ) => AT,
                ("time_ns" | "start_ns" | "end_ns", SQLITE_INDEX_CONSTRAINT_GT | SQLITE_INDEX_CONSTRAINT_GE) => FROM,
                ("time_ns" | "start_ns" | "end_ns", SQLITE_INDEX_CONSTRAINT_LT | SQLITE_INDEX_CONSTRAINT_LE) => TO,
                ("g", SQLITE_INDEX_CONSTRAINT_EQ) => GO,
                ("trace_id", SQLITE_INDEX_CONSTRAINT_EQ) => TRACE,
                _ => continue,
            };
            cost /= if letter == KEY {
                1e7
            } else if equal {
                20.0
            } else {
                2.0
            };
            letters.push(letter);
            used.push(i);
        }
        if key.is_some() {
            // There are fewer stacks and goroutines than events.
            cost /= 100.0;
        }
        for (n, i) in (1..).zip(used) {
            // SQLite looks at the rows once more: what is pushed down may let more through.
            info.constraint_usage(i).set_argv_index(n);
        }
        letters.push(USED);
        letters.push_str(&format!("{:x}", info.col_used()));
        // Rows in order are made from all of the table, which is not to be gone through first where another table narrows it.
        let joined = info.constraints().any(|c| !c.is_usable());
        // What is looked up comes as it is held.
        if let Some(by) = self.order(info).filter(|_| !joined && !letters.contains(KEY)) {
            by.iter()
                .for_each(|b| letters.push_str(&format!("{BY}{}{}", ["", "-"][usize::from(b.descending)], b.column)));
            info.set_order_by_consumed(true);
        }
        info.set_idx_str(&letters);
        info.set_estimated_cost(cost.max(1.0));
        info.set_estimated_rows((cost / 10.0).max(1.0) as i64);
        Ok(true)
    }

    fn open(&'v mut self) -> Result<Cursor> {
        Ok(Cursor {
            base: sqlite3_vtab_cursor::default(),
            table: self.table,
            shared: self.shared.clone(),
            held: self.held.clone(),
            wanted: Wanted::of(&[self.table]),
            trace: None,
            key: None,
            at: 0,
            source: None,
            batch: Batch::default(),
            picked: None,
            grouped: None,
            row: 0,
            rowid: 0,
        })
    }
}

impl Rows {
    /// The columns that a query groups or sorts by, if they have few different values and the rows have room in memory.
    fn order(&self, info: &IndexInfo) -> Option<Vec<By>> {
        let by = |o: rusqlite::vtab::OrderBy<'_>| {
            let column = usize::try_from(o.column()).ok().filter(|&c| grouped::repeats(self.table, c))?;
            Some(By { column, descending: o.is_order_by_desc() })
        };
        let by: Vec<By> = info.order_bys().map(by).collect::<Option<_>>()?;
        let rows = self.shared.traces.iter().map(|t| {
            let index = t.1.index();
            index.event_count() + index.goroutines.len() as u64
        });
        let fits = grouped::bytes(self.table, info.col_used(), &by, rows.sum()) <= self.shared.limits.memory as u64 / 2;
        (!by.is_empty() && fits).then_some(by)
    }
}

/// A walk through a table.
#[repr(C)]
pub(super) struct Cursor {
    /// SQLite's own; must come first.
    base: sqlite3_vtab_cursor,
    table: Table,
    shared: Arc<Shared>,
    held: Held,
    wanted: Wanted,
    /// The one trace that is wanted.
    trace: Option<String>,
    /// The number that is looked up.
    key: Option<i64>,
    /// The trace at hand.
    at: usize,
    /// Its rows; nothing before it has begun.
    source: Option<Stream>,
    batch: Batch,
    /// The rows that were looked up.
    picked: Option<(Rc<Lookup>, Vec<u32>)>,
    /// All rows, where they are sorted.
    grouped: Option<Grouped>,
    row: usize,
    rowid: i64,
}

impl Cursor {
    /// The most cells that are held: what the limit of memory leaves.
    fn most(&self) -> usize {
        self.shared.limits.memory / CELL / 2
    }

    /// How many rows are at hand.
    fn len(&self) -> usize {
        match (&self.grouped, &self.picked) {
            (Some(all), _) => all.len(),
            (None, Some(picked)) => picked.1.len(),
            (None, None) => self.batch.len(),
        }
    }

    /// Makes rows until there are some, or all traces are done.
    fn fill(&mut self) -> Result<()> {
        while self.row >= self.len() && self.at < self.shared.traces.len() {
            if self.shared.is_over() {
                return Err(fault("over"));
            }
            self.row = 0;
            self.batch = Batch::default();
            self.picked = None;
            let skip = self.trace.as_ref().is_some_and(|id| *id != self.shared.traces[self.at].0);
            if skip || !self.step()? {
                self.at += 1;
                self.source = None;
            }
        }
        Ok(())
    }

    /// Takes the next rows of the trace at hand; false if there are no more.
    fn step(&mut self) -> Result<bool> {
        let trace = self.shared.traces[self.at].1.clone();
        if let Some(key) = self.key {
            let lookup = self.lookup(&trace)?;
            let rows = lookup.by.get(&key).cloned().unwrap_or_default();
            self.picked = Some((lookup, rows));
            // All that there is of this trace.
            self.at += 1;
            return Ok(true);
        }
        let most = self.shared.limits.memory / CELL;
        let (table, wanted) = (self.table, self.wanted);
        let source = self.source.get_or_insert_with(|| Stream::new(trace.clone(), &self.shared, (table, wanted, most)));
        match source.next() {
            Ok(Some(batch)) => self.batch = batch,
            Ok(None) => return Ok(false),
            Err(Broken::TooMuch) => return Err(fault(TOO_MUCH)),
            Err(Broken::Over) => return Err(fault("over")),
            Err(Broken::Unreadable(why)) => return Err(fault(format!("{UNREADABLE}{}: {why}", trace.name()))),
        }
        Ok(true)
    }

    /// Takes all rows, and sorts them.
    fn group(&mut self, used: u64, by: Vec<By>) -> Result<()> {
        let mut all = Grouped::new(self.table, used, by, self.shared.limits.memory);
        let mut of = usize::MAX;
        while let Some(at) = self.next_batch()? {
            let Some((id, trace)) = self.shared.traces.get(at) else { break };
            if of != at {
                of = at;
                all.begin();
            }
            if !all.add(&self.batch, &trace.index(), id) {
                return Err(fault(TOO_MUCH));
            }
        }
        all.sort();
        self.batch = Batch::default();
        (self.row, self.grouped) = (0, Some(all));
        Ok(())
    }

    /// Goes on to the next rows; the trace that they are of.
    fn next_batch(&mut self) -> Result<Option<usize>> {
        self.row = self.len();
        self.fill()?;
        Ok((self.len() > 0).then_some(self.at))
    }

    /// The whole table of the trace at hand, to look up in.
    fn lookup(&self, trace: &crate::read::Trace) -> Result<Rc<Lookup>> {
        if let Some(held) = self.held.borrow().get(self.at).cloned().flatten() {
            return Ok(held);
        }
        let most = self.most() / self.shared.traces.len().max(1);
        // It is held for all that look rows up in it, whatever they look at.
        let mut batch = Batch::new(self.table, u64::MAX, most);
        let wrong = |e| fault(format!("{UNREADABLE}{}: {e}", trace.name()));
        tables::each(trace, trace.name(), Wanted::of(&[self.table]), &mut batch).map_err(wrong)?;
        if batch.too_many {
            return Err(fault(TOO_MUCH));
        }
        let lookup = Rc::new(Lookup::new(batch, key(self.table).unwrap_or(0)));
        if let Some(slot) = self.held.borrow_mut().get_mut(self.at) {
            *slot = Some(lookup.clone());
        }
        Ok(lookup)
    }

    /// The trace that the row at hand is of.
    fn of(&self) -> usize {
        if self.picked.is_some() { self.at - 1 } else { self.at }
    }
}

/// A bound that is no whole number bounds nothing: SQLite looks at the rows itself.
fn whole(v: ValueRef<'_>) -> Option<i64> {
    match v {
        ValueRef::Integer(n) => Some(n),
        _ => None,
    }
}

// SAFETY: the first field is SQLite's struct, and the layout is C's.
unsafe impl VTabCursor for Cursor {
    fn filter(&mut self, _: c_int, letters: Option<&str>, args: &Filters<'_>) -> Result<()> {
        self.wanted = Wanted::of(&[self.table]);
        (self.trace, self.key, self.source, self.picked) = (None, None, None, None);
        (self.at, self.row, self.rowid) = (0, 0, 0);
        self.grouped = None;
        let (letters, used) = letters.unwrap_or_default().split_once(USED).unwrap_or_default();
        let mut by = used.split(BY);
        let used = by.next().unwrap_or_default();
        // The first column is the trace's id; the last bit stands for all columns beyond it.
        let used = u64::from_str_radix(used, 16).unwrap_or(u64::MAX);
        self.wanted.columns = if used >> 63 == 1 { u64::MAX } else { used >> 1 };
        self.batch = Batch::default();
        for (letter, value) in letters.chars().zip(args.iter()) {
            let n = whole(value);
            let w = &mut self.wanted;
            match (letter, n) {
                (FROM, Some(n)) => w.from = w.from.max(Time(n)),
                (TO, Some(n)) => w.to = w.to.min(Time(n.saturating_add(1))),
                (AT, Some(n)) => (w.from, w.to) = (w.from.max(Time(n)), w.to.min(Time(n.saturating_add(1)))),
                (GO, Some(n)) => w.go = u64::try_from(n).ok(),
                (KEY, Some(n)) => self.key = Some(n),
                (TRACE, _) => self.trace = value.as_str().ok().map(str::to_owned),
                _ => {}
            }
        }
        let of = |b: &str| Some(By { column: b.trim_start_matches('-').parse().ok()?, descending: b.starts_with('-') });
        let by: Vec<By> = by.filter_map(of).collect();
        if by.is_empty() { self.fill() } else { self.group(used, by) }
    }

    fn next(&mut self) -> Result<()> {
        self.row += 1;
        self.rowid += 1;
        self.fill()
    }

    fn eof(&self) -> bool {
        self.row >= self.len()
    }

    fn column(&self, ctx: &mut Context, i: c_int) -> Result<()> {
        if let Some(all) = &self.grouped {
            return match all.value(self.row, usize::try_from(i).unwrap_or(usize::MAX)) {
                Value::Null => ctx.set_result(&Null),
                Value::Number(n) => ctx.set_result(&n),
                Value::Text(t) => ctx.set_result(&t),
            };
        }
        let Some((id, trace)) = self.shared.traces.get(self.of()) else { return ctx.set_result(&Null) };
        let Some(column) = usize::try_from(i).ok().and_then(|i| i.checked_sub(1)) else {
            return ctx.set_result(&id.as_str());
        };
        let cell = match &self.picked {
            Some((held, rows)) => rows.get(self.row).and_then(|&r| held.rows.cell(r as usize, column)),
            None => self.batch.cell(self.row, column),
        };
        match cell {
            None | Some(Cell::Null) => ctx.set_result(&Null),
            Some(Cell::Int(n)) => ctx.set_result(n),
            Some(Cell::Bool(b)) => ctx.set_result(b),
            Some(Cell::Word(w)) => ctx.set_result(w),
            Some(other) => ctx.set_result(&other.text(&trace.index()).unwrap_or_default()),
        }
    }

    fn rowid(&self) -> Result<i64> {
        Ok(self.rowid)
    }
}
