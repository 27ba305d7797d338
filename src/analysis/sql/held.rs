//! Rows that are held: those of one segment while they are read, and tables that are looked up in.

use crate::analysis::tables::{Cell, Sink, Table};
use rustc_hash::FxHashMap;

/// Rows of one table.
#[derive(Default)]
pub(super) struct Batch {
    pub cells: Vec<Cell>,
    /// Cells of a row.
    pub width: usize,
    /// The most cells that it holds.
    pub most: usize,
    /// Whether there were more.
    pub too_many: bool,
}

impl Batch {
    /// An empty one.
    pub fn new(table: Table, most: usize) -> Batch {
        Batch { cells: Vec::new(), width: table.columns().len(), most, too_many: false }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.cells.len() / self.width.max(1)
    }

    /// A cell.
    pub fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        self.cells.get(row * self.width + column)
    }
}

impl Sink for Batch {
    fn row(&mut self, _: Table, cells: &[Cell]) {
        if self.cells.len() + cells.len() > self.most {
            self.too_many = true;
        } else {
            self.cells.extend_from_slice(cells);
        }
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
