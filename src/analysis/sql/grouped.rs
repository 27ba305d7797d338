//! All rows of a table in the order that a query groups or sorts them by, where that is by columns of few different values.
//!
//! SQLite would sort them, text by text. Here rows with the same values are numbered as they come; what is sorted is those
//! numbers. Values are kept in columns, texts as numbers.

use super::held::Batch;
use crate::analysis::tables::{Cell, TRACE_ID, Table, Type};
use crate::model::Index;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cmp::Ordering;
use std::sync::Arc;

/// Of a row, which values it has in the columns that it is sorted by: a number, or that of a text.
type Key = SmallVec<[Option<i64>; 2]>;

/// A column to sort by, counted with the trace's id as the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct By {
    pub column: usize,
    pub descending: bool,
}

/// The values of a column.
enum Values {
    /// Numbers, and of each whether there is one.
    Numbers(Vec<i64>, Vec<bool>),
    /// Numbers of texts; [`NONE`] for none.
    Texts(Vec<u32>),
}

const NONE: u32 = u32::MAX;
/// Bytes of a number, of a text's number, and of a row's group and place.
const NUMBER: usize = 9;
const TEXT: usize = 4;
const ROW: usize = 8;
/// Bytes that a group takes about.
const GROUP: usize = 128;

/// A value of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'a> {
    Null,
    Number(i64),
    Text(&'a str),
}

/// Whether a column, counted with the trace's id as the first, may have few different values.
pub(super) fn repeats(table: Table, column: usize) -> bool {
    let Some(of) = column.checked_sub(1) else { return true };
    table.columns().get(of).is_some_and(|c| {
        c.of != Type::Int || !(c.name.ends_with("_ns") || matches!(c.name, "no" | "value" | "arg" | "arg2"))
    })
}

/// How many bytes so many rows take of which these columns are looked at.
pub(super) fn bytes(table: Table, used: u64, by: &[By], rows: u64) -> u64 {
    let kept = (0..=table.columns().len()).filter(|&c| is_used(used, c) && !by.iter().any(|b| b.column == c));
    let row: usize = kept.map(|c| if is_text(table, c) { TEXT } else { NUMBER }).sum();
    rows.saturating_mul((row + ROW) as u64)
}

/// Whether SQLite looks at a column: the last bit stands for all beyond it.
fn is_used(used: u64, column: usize) -> bool {
    used >> column.min(63) & 1 == 1
}

fn is_text(table: Table, column: usize) -> bool {
    column.checked_sub(1).map_or(TRACE_ID.of, |c| table.columns()[c].of) == Type::Text
}

/// Texts, each with a number.
#[derive(Default)]
struct Texts {
    ids: FxHashMap<Arc<str>, u32>,
    all: Vec<Arc<str>>,
    /// Of the trace at hand the numbers of its strings, and of words of ours, by where they lie.
    strings: FxHashMap<u32, u32>,
    words: FxHashMap<(usize, usize), u32>,
}

impl Texts {
    fn of(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.ids.get(text) {
            return id;
        }
        let (id, text) = (self.all.len() as u32, Arc::<str>::from(text));
        self.all.push(text.clone());
        self.ids.insert(text, id);
        id
    }

    fn id(&mut self, cell: &Cell, index: &Index) -> Option<u32> {
        let known = match cell {
            Cell::Str(s) => self.strings.get(&s.0),
            Cell::Word(w) => self.words.get(&(w.as_ptr() as usize, w.len())),
            _ => None,
        };
        if let Some(&id) = known {
            return Some(id);
        }
        let id = self.of(cell.text(index)?);
        match cell {
            Cell::Str(s) => _ = self.strings.insert(s.0, id),
            Cell::Word(w) => _ = self.words.insert((w.as_ptr() as usize, w.len()), id),
            _ => {}
        }
        Some(id)
    }
}

/// The rows.
pub(super) struct Grouped {
    table: Table,
    by: Vec<By>,
    texts: Texts,
    groups: FxHashMap<Key, u32>,
    keys: Vec<Key>,
    /// Of each row its group, and once all are there, the rows in their order.
    group: Vec<u32>,
    order: Vec<u32>,
    /// The columns that are looked at and not sorted by, by number.
    columns: Vec<Option<Values>>,
    most: usize,
}

impl Grouped {
    /// None yet, of a table of which these columns are looked at; at most so many bytes.
    pub fn new(table: Table, used: u64, by: Vec<By>, most: usize) -> Grouped {
        let kept = |c: usize| {
            let keeps = is_used(used, c) && !by.iter().any(|b| b.column == c);
            keeps.then(|| match is_text(table, c) {
                true => Values::Texts(Vec::new()),
                false => Values::Numbers(Vec::new(), Vec::new()),
            })
        };
        Grouped {
            columns: (0..=table.columns().len()).map(kept).collect(),
            table,
            by,
            texts: Texts::default(),
            groups: FxHashMap::default(),
            keys: Vec::new(),
            group: Vec::new(),
            order: Vec::new(),
            most,
        }
    }

    /// Another trace comes: its strings have numbers of their own.
    pub fn begin(&mut self) {
        self.texts.strings.clear();
    }

    /// Adds the rows of a batch, which has the columns that are looked at; false if that is too much.
    pub fn add(&mut self, batch: &Batch, index: &Index, trace: &str) -> bool {
        let trace = self.texts.of(trace);
        let null = Cell::Null;
        let mut key = Key::new();
        for row in 0..batch.len() {
            let cell = |c: usize| batch.cell(row, c).unwrap_or(&null);
            key.clear();
            for b in &self.by {
                key.push(match b.column.checked_sub(1) {
                    None => Some(trace.into()),
                    Some(c) => match cell(c) {
                        Cell::Int(n) => Some(*n),
                        Cell::Bool(b) => Some((*b).into()),
                        text => self.texts.id(text, index).map(i64::from),
                    },
                });
            }
            let group = match self.groups.get(&key) {
                Some(&group) => group,
                None => {
                    let group = self.keys.len() as u32;
                    self.groups.insert(key.clone(), group);
                    self.keys.push(key.clone());
                    group
                }
            };
            self.group.push(group);
            for (c, values) in self.columns.iter_mut().enumerate() {
                match (values, c.checked_sub(1)) {
                    (None, _) => {}
                    (Some(Values::Texts(all)), None) => all.push(trace),
                    (Some(Values::Texts(all)), Some(c)) => all.push(self.texts.id(cell(c), index).unwrap_or(NONE)),
                    (Some(Values::Numbers(all, there)), c) => {
                        let number = match cell(c.unwrap_or(0)) {
                            Cell::Int(n) => Some(*n),
                            Cell::Bool(b) => Some((*b).into()),
                            _ => None,
                        };
                        all.push(number.unwrap_or(0));
                        there.push(number.is_some());
                    }
                }
            }
        }
        let rows = self.group.len().saturating_mul(self.columns.iter().flatten().count() * NUMBER + ROW);
        rows.saturating_add(self.keys.len().saturating_mul(GROUP)) <= self.most && self.group.len() < NONE as usize
    }

    /// All rows are there: brings them into their order, those of a group in the order in which they came.
    pub fn sort(&mut self) {
        let mut ranked: Vec<u32> = (0..self.keys.len() as u32).collect();
        ranked.sort_by(|&a, &b| self.compare(&self.keys[a as usize], &self.keys[b as usize]));
        let mut count = vec![0u32; self.keys.len()];
        self.group.iter().for_each(|&g| count[g as usize] += 1);
        let mut next = vec![0u32; self.keys.len()];
        let mut place = 0;
        for &g in &ranked {
            next[g as usize] = place;
            place += count[g as usize];
        }
        self.order = vec![0; self.group.len()];
        for (row, &g) in (0u32..).zip(&self.group) {
            self.order[next[g as usize] as usize] = row;
            next[g as usize] += 1;
        }
    }

    /// As SQLite sorts: nothing comes before all else, numbers by size, texts by their bytes.
    fn compare(&self, a: &Key, b: &Key) -> Ordering {
        for ((by, a), b) in self.by.iter().zip(a).zip(b) {
            let order = match (a, b) {
                (Some(a), Some(b)) if is_text(self.table, by.column) => {
                    self.texts.all[*a as usize].cmp(&self.texts.all[*b as usize])
                }
                (a, b) => a.cmp(b),
            };
            if order != Ordering::Equal {
                return if by.descending { order.reverse() } else { order };
            }
        }
        Ordering::Equal
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The value of a column, counted with the trace's id as the first, of a row in the order.
    pub fn value(&self, place: usize, column: usize) -> Value<'_> {
        let Some(&row) = self.order.get(place) else { return Value::Null };
        let row = row as usize;
        let text = |id: u32| self.texts.all.get(id as usize).map_or(Value::Null, |t| Value::Text(t));
        match self.columns.get(column) {
            Some(Some(Values::Texts(all))) => text(all[row]),
            Some(Some(Values::Numbers(all, there))) if there[row] => Value::Number(all[row]),
            Some(Some(Values::Numbers(..))) => Value::Null,
            _ => match self.by.iter().position(|b| b.column == column) {
                Some(i) => match self.keys[self.group[row] as usize][i] {
                    None => Value::Null,
                    Some(n) if is_text(self.table, column) => text(n as u32),
                    Some(n) => Value::Number(n),
                },
                None => Value::Null,
            },
        }
    }
}
