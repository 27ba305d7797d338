//! Rows that are held: those of one segment while they are read, and tables that are looked up in.

use crate::analysis::tables::{Cell, Sink, Table};
use rustc_hash::FxHashMap;

/// Rows of one table, of which some columns are looked at.
#[derive(Default)]
pub(super) struct Batch {
    cells: Vec<Cell>,
    /// How many rows there are.
    rows: usize,
    /// Of each column, where its cell is in a row, if it is looked at.
    places: Vec<Option<usize>>,
    /// The columns that are looked at.
    columns: Vec<usize>,
    /// The most cells that it holds.
    pub most: usize,
    /// Whether there were more.
    pub too_many: bool,
}

impl Batch {
    /// An empty one, for those columns whose bits are set, from the table's first on.
    pub fn new(table: Table, columns: u64, most: usize) -> Batch {
        let columns: Vec<usize> = (0..table.columns().len()).filter(|c| columns >> c & 1 == 1).collect();
        let places = (0..table.columns().len()).map(|c| columns.iter().position(|&k| k == c)).collect();
        Batch { cells: Vec::new(), rows: 0, places, columns, most, too_many: false }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// A cell; nothing where nobody was to look at it.
    pub fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        let place = self.places.get(column).copied().flatten()?;
        self.cells.get(row * self.columns.len() + place)
    }
}

impl Sink for Batch {
    fn row(&mut self, _: Table, cells: &[Cell]) {
        if self.cells.len() + self.columns.len() > self.most {
            self.too_many = true;
            return;
        }
        for &c in &self.columns {
            self.cells.push(cells.get(c).cloned().unwrap_or_default());
        }
        self.rows += 1;
    }

    fn full(&self) -> bool {
        self.too_many
    }
}

/// A table of one trace, by the number in one of its columns.
pub(super) struct Lookup {
    pub rows: Batch,
    pub by: FxHashMap<i64, Vec<u32>>,
}

impl Lookup {
    /// The rows, found by the number in a column.
    pub fn new(rows: Batch, column: usize) -> Lookup {
        let mut by: FxHashMap<i64, Vec<u32>> = FxHashMap::default();
        for i in 0..rows.len() {
            if let Some(Cell::Int(n)) = rows.cell(i, column) {
                by.entry(*n).or_default().push(i as u32);
            }
        }
        Lookup { rows, by }
    }
}

/// The column by which a table is looked up in: those that others are joined to.
pub(super) fn key(table: Table) -> Option<usize> {
    let name = match table {
        Table::Stacks | Table::Frames => "stack_id",
        Table::Functions => "function_id",
        Table::Goroutines => "g",
        _ => return None,
    };
    table.columns().iter().position(|c| c.name == name)
}
