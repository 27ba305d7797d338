//! What a program's code tells of its maps: at which line which type is assigned to, and so how large its groups or
//! buckets are. No debug information is needed.

use super::ladder::{Layout, Unit};
use std::collections::BTreeMap;

/// Maps' types by line of source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Types {
    layout: Option<Layout>,
    lines: BTreeMap<(String, u32), Vec<Unit>>,
}

impl Types {
    /// No lines yet, of a program with this layout.
    pub fn new(layout: Option<Layout>) -> Types {
        Types { layout, lines: BTreeMap::new() }
    }

    /// Notes that a line assigns to maps of this unit.
    pub fn add(&mut self, file: &str, line: u32, unit: Unit) {
        let at = self.lines.entry((file.to_owned(), line)).or_default();
        if !at.contains(&unit) {
            at.push(unit);
        }
    }

    /// How the program lays maps out, if it tells.
    pub fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// The units of the maps that a line assigns to; none if the program does not tell.
    pub fn at(&self, file: &str, line: u32) -> &[Unit] {
        // A profile may have a shorter path than the program, or a longer one, where `-trimpath` was given for one of them.
        self.lines.get(&(file.to_owned(), line)).map_or(&[], Vec::as_slice)
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
