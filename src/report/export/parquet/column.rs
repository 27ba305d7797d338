//! The values of one column that wait for their row group to be full.

use super::chunk::{NULL, Repeated, chunk};
use crate::analysis::tables::{self, Cell, Type};
use crate::model::Index;
use parquet::data_type::{BoolType, Int64Type};
use parquet::errors::Result;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;
use rustc_hash::FxHashMap;
use std::io::Write;
use std::sync::Arc;

/// Values that were looked up last, by the lowest bits of what stands for them.
const RECENT: usize = 256;

/// What stands for a value while its row group is filled: equal ones have equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Key(u64, u32);

/// The second half of the key of a number, and of a string of the trace. (Of a word of ours it is its length.)
const NUMBER: u32 = u32::MAX;
const STRING: u32 = u32::MAX - 1;

/// Different values, each with a number.
#[derive(Default)]
pub(super) struct Repeats {
    /// Of each row, the number of its value; [`NULL`] for none.
    pub rows: Vec<u32>,
    ids: FxHashMap<Key, u32>,
    recent: Vec<(Key, u32)>,
    /// The different values, in the order of their numbers.
    pub values: Vec<Cell>,
}

impl Repeats {
    #[inline]
    fn push(&mut self, key: Key, cell: &Cell) {
        let slot = (key.0 ^ key.0 >> 8) as usize % RECENT;
        let known = self.recent.get(slot).filter(|r| r.0 == key).map(|r| r.1);
        let id = known.unwrap_or_else(|| self.look_up(key, slot, cell));
        self.rows.push(id);
    }

    fn look_up(&mut self, key: Key, slot: usize, cell: &Cell) -> u32 {
        let next = self.values.len() as u32;
        let id = *self.ids.entry(key).or_insert(next);
        if id == next {
            self.values.push(cell.clone());
        }
        if self.recent.is_empty() {
            self.recent.resize(RECENT, (Key::default(), NULL));
        }
        self.recent[slot] = (key, id);
        id
    }

    /// A text that stands for nothing but itself: it is not looked for among the others.
    fn push_own(&mut self, text: &Arc<str>) {
        self.rows.push(self.values.len() as u32);
        self.values.push(Cell::Own(text.clone()));
    }
}

/// The values of a column.
pub(super) enum Column {
    /// Numbers that are nearly all different, and of each row whether it has one.
    Grows(Vec<i64>, Vec<i16>),
    Bool(Vec<bool>, Vec<i16>),
    Int(Repeats),
    Text(Repeats),
}

/// So many different numbers are worth a dictionary, however few rows there are.
const FEW: usize = 1 << 12;

/// The values of a column of a whole row group, on their way into the file.
pub(super) enum Filled {
    /// Numbers, and of each row whether it has one.
    Int(Vec<i64>, Vec<i16>),
    Bool(Vec<bool>, Vec<i16>),
    Repeated(Repeated),
}

impl Filled {
    fn numbers(rows: Vec<u32>, all: &[i64]) -> Filled {
        let values = all.iter().flat_map(|n| n.to_le_bytes()).collect();
        let bounds = all.iter().min().copied().zip(all.iter().max().copied());
        Filled::Repeated(Repeated { values, distinct: all.len(), rows, bounds })
    }

    /// Texts, and of each row which.
    pub fn texts<'a>(rows: Vec<u32>, all: impl Iterator<Item = &'a str>) -> Filled {
        let (mut values, mut distinct) = (Vec::new(), 0);
        for text in all {
            values.extend_from_slice(&(text.len() as u32).to_le_bytes());
            values.extend_from_slice(text.as_bytes());
            distinct += 1;
        }
        Filled::Repeated(Repeated { values, distinct, rows, bounds: None })
    }

    /// Writes the next column of a row group.
    ///
    /// # Errors
    ///
    /// What the library says, or the file.
    pub fn write<W: Write + Send>(&self, group: &mut SerializedRowGroupWriter<W>, of: &ColumnDescPtr) -> Result<()> {
        if let Filled::Repeated(repeated) = self {
            let (bytes, closed) = chunk(of, repeated)?;
            return group.append_column(&bytes, closed);
        }
        let Some(mut w) = group.next_column()? else { return Ok(()) };
        match self {
            Filled::Int(v, present) => _ = w.typed::<Int64Type>().write_batch(v, Some(present), None)?,
            Filled::Bool(v, present) => _ = w.typed::<BoolType>().write_batch(v, Some(present), None)?,
            Filled::Repeated(_) => {}
        }
        w.close()
    }
}

/// Numbers of events and instants are nearly all different, and grow: a dictionary of them is work for nothing.
pub(super) fn grows(c: &tables::Column) -> bool {
    c.of == Type::Int && (c.name.ends_with("_ns") || matches!(c.name, "no" | "value"))
}

impl Column {
    pub fn new(c: &tables::Column) -> Column {
        match c.of {
            Type::Int if grows(c) => Column::Grows(Vec::new(), Vec::new()),
            Type::Int => Column::Int(Repeats::default()),
            Type::Bool => Column::Bool(Vec::new(), Vec::new()),
            Type::Text => Column::Text(Repeats::default()),
        }
    }

    /// Takes the values out.
    pub fn take(&mut self, index: &Index) -> Filled {
        match self {
            Column::Grows(v, present) => Filled::Int(std::mem::take(v), std::mem::take(present)),
            Column::Bool(v, present) => Filled::Bool(std::mem::take(v), std::mem::take(present)),
            Column::Int(r) => {
                let Repeats { rows, values, .. } = std::mem::take(r);
                let number = |c: &Cell| if let Cell::Int(n) = c { *n } else { 0 };
                let values: Vec<i64> = values.iter().map(number).collect();
                if values.len() <= FEW || values.len() <= rows.len() / 2 {
                    return Filled::numbers(rows, &values);
                }
                let all = rows.iter().filter_map(|&r| values.get(r as usize).copied()).collect();
                Filled::Int(all, rows.iter().map(|&r| i16::from(r != NULL)).collect())
            }
            Column::Text(r) => {
                let Repeats { rows, values, .. } = std::mem::take(r);
                Filled::texts(rows, values.iter().map(|v| v.text(index).unwrap_or_default()))
            }
        }
    }

    /// Adds a row's value, and gives back how many bytes its text adds, if it is a new one.
    #[inline]
    pub fn push(&mut self, cell: &Cell, index: &Index) -> usize {
        match (self, cell) {
            (Column::Grows(v, present), Cell::Int(n)) => {
                v.push(*n);
                present.push(1);
            }
            (Column::Bool(v, present), Cell::Bool(b)) => {
                v.push(*b);
                present.push(1);
            }
            (Column::Grows(_, present) | Column::Bool(_, present), _) => present.push(0),
            (Column::Int(r), Cell::Int(n)) => r.push(Key(*n as u64, NUMBER), cell),
            (Column::Text(r), text) => return push_text(r, text, index),
            (Column::Int(r), _) => r.rows.push(NULL),
        }
        0
    }
}

fn push_text(r: &mut Repeats, cell: &Cell, index: &Index) -> usize {
    let before = r.values.len();
    match cell {
        Cell::Str(s) => r.push(Key(u64::from(s.0), STRING), cell),
        Cell::Word(w) => r.push(Key(w.as_ptr() as u64, w.len() as u32), cell),
        Cell::Own(s) => r.push_own(s),
        _ => r.rows.push(NULL),
    }
    r.values.get(before).and_then(|v| v.text(index)).map_or(0, str::len)
}
