//! Tables: rows of cells under titles, laid out as text. A cell that identifies a row is never cut: where a line is longer
//! than the page is wide, its last cell goes on below.

use crate::base::text::width;
use std::io::{self, Write};

/// The paper: how much room there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

impl Page {
    /// Where nothing needs to be short: a file, a pipe.
    pub const ENDLESS: Page = Page { width: usize::MAX, height: usize::MAX };
}

/// On which side of its column a cell stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column: its title, and on which side its cells stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    title: String,
    align: Align,
    /// Whether it is left out if all its cells are empty.
    optional: bool,
}

impl Column {
    /// Numbers.
    pub fn right(title: &str) -> Column {
        Column { title: title.to_owned(), align: Align::Right, optional: false }
    }

    /// Words.
    pub fn left(title: &str) -> Column {
        Column { align: Align::Left, ..Column::right(title) }
    }

    /// The same, and it is left out if there is nothing in it.
    pub fn optional(self) -> Column {
        Column { optional: true, ..self }
    }
}

/// A row: a cell for each column, and lines that stand below the last one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// The cells, safe to show.
    pub cells: Vec<String>,
    /// What else there is to say, below the last cell; safe to show.
    pub notes: Vec<String>,
}

/// Rows under titles. The last column has the words that identify a row.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// Columns of the screen between two cells.
const GAP: usize = 2;
/// The narrowest that a last cell gets before it runs over the edge of the page.
const LEAST: usize = 24;

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Table {
        Table { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) -> &mut Row {
        let mut cells: Vec<String> = cells.into_iter().collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(Row { cells, notes: Vec::new() });
        self.rows.last_mut().expect("the row that was pushed")
    }

    /// Adds a row that has only words in its last cell.
    pub fn words(&mut self, words: String) {
        let mut cells = vec![String::new(); self.columns.len()];
        if let Some(last) = cells.last_mut() {
            *last = words;
        }
        self.rows.push(Row { cells, notes: Vec::new() });
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How wide each column is: as its widest cell or its title; nothing for one that is left out.
    fn widths(&self) -> Vec<Option<usize>> {
        let of = |(i, c): (usize, &Column)| {
            let cells = self.rows.iter().map(|r| width(&r.cells[i])).max().unwrap_or(0);
            (cells > 0 || !c.optional).then(|| cells.max(width(&c.title)))
        };
        self.columns.iter().enumerate().map(of).collect()
    }

    /// The table's lines, the titles first.
    pub fn lines(&self, page: Page) -> Vec<String> {
        let widths = self.widths();
        let Some(last) = self.columns.len().checked_sub(1) else { return Vec::new() };
        let indent: usize = widths[..last].iter().flatten().map(|w| w + GAP).sum();
        let room = page.width.saturating_sub(indent).max(LEAST);
        let mut out = Vec::new();
        let titles: Vec<String> = self.columns.iter().map(|c| c.title.clone()).collect();
        let no_notes = Vec::new();
        let rows = self.rows.iter().map(|r| (&r.cells, &r.notes));
        for (cells, notes) in std::iter::once((&titles, &no_notes)).chain(rows) {
            let mut head = String::new();
            for ((cell, column), w) in cells[..last].iter().zip(&self.columns).zip(&widths) {
                let Some(w) = w else { continue };
                let pad = " ".repeat(w - width(cell));
                match column.align {
                    Align::Right => head.extend([&pad, cell.as_str()]),
                    Align::Left => head.extend([cell.as_str(), &pad]),
                }
                head.push_str(&" ".repeat(GAP));
            }
            let words = fold(&cells[last], room);
            let blank = " ".repeat(indent);
            for (i, words) in words.iter().enumerate() {
                let line = format!("{}{words}", if i == 0 { &head } else { &blank });
                out.push(line.trim_end().to_owned());
            }
            for line in notes.iter().flat_map(|n| fold(n, room.saturating_sub(GAP).max(LEAST))) {
                out.push(format!("{blank}{}{line}", " ".repeat(GAP)));
            }
        }
        out
    }

    /// Writes the table's lines.
    ///
    /// # Errors
    ///
    /// `out` cannot be written.
    pub fn write(&self, page: Page, out: &mut dyn Write) -> io::Result<()> {
        self.lines(page).iter().try_for_each(|l| writeln!(out, "{l}"))
    }
}

/// `s` in lines of at most `columns` columns: broken before an arrow if that is enough, else between words, of which none is
/// cut. There is always one line; those after the first are set in.
pub fn fold(s: &str, columns: usize) -> Vec<String> {
    if width(s) <= columns {
        return vec![s.to_owned()];
    }
    if let Some((who, by)) = s.split_once(" ← ")
        && width(who) <= columns
    {
        let rest = fold(by, columns.saturating_sub(2));
        let set_in = |(i, l): (usize, String)| if i == 0 { format!("← {l}") } else { format!("  {l}") };
        return std::iter::once(who.to_owned()).chain(rest.into_iter().enumerate().map(set_in)).collect();
    }
    let lead = " ".repeat(s.len() - s.trim_start_matches(' ').len());
    let mut lines = Vec::new();
    let (mut line, mut spaces, mut bare) = (lead.clone(), 0, true);
    for word in s.trim_start_matches(' ').split(' ') {
        if word.is_empty() {
            spaces += 1;
        } else if bare {
            line.push_str(word);
            (spaces, bare) = (1, false);
        } else {
            if width(&line) + spaces + width(word) <= columns {
                line.push_str(&" ".repeat(spaces));
                line.push_str(word);
            } else {
                lines.push(std::mem::replace(&mut line, format!("{lead}  {word}")));
            }
            spaces = 1;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut t =
            Table::new([Column::right("total"), Column::right("open").optional(), Column::left("blocked where")]);
        t.row(["10h48m", "", "chan send · main.supplier quotes/main.go:30 ← nobody"].map(str::to_owned));
        t.row(["57ms", "", "sync"].map(str::to_owned)).notes.push("a note".into());
        t
    }

    #[test]
    fn numbers_stand_right_and_nothing_is_cut() {
        let lines = table().lines(Page::ENDLESS);
        assert_eq!(
            lines,
            [
                " total  blocked where",
                "10h48m  chan send · main.supplier quotes/main.go:30 ← nobody",
                "  57ms  sync",
                "          a note",
            ]
        );
    }

    #[test]
    fn what_is_too_long_goes_on_below() {
        let at = |width| table().lines(Page { width, height: 9 });
        assert_eq!(at(52)[1..3], ["10h48m  chan send · main.supplier quotes/main.go:30", "        ← nobody"]);
        let narrow = at(10);
        assert_eq!(narrow[1..3], ["10h48m  chan send ·", "          main.supplier"]);
        let words = |lines: &[String]| lines.join(" ").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&narrow), words(&table().lines(Page::ENDLESS)), "every word is there");
    }

    #[test]
    fn what_is_set_in_stays_so() {
        assert_eq!(fold("  G1 blocked at a.go:7", 12), ["  G1 blocked", "    at", "    a.go:7"]);
        assert_eq!(fold(" 7ms  main.worker runs", 20), [" 7ms  main.worker", "   runs"]);
        assert_eq!(fold("", 0), [""]);
        assert_eq!(fold("漢字漢字", 2), ["漢字漢字"]);
    }

    #[test]
    fn a_column_is_as_wide_as_what_is_in_it() {
        let mut t = Table::new([Column::left("a"), Column::right("n"), Column::left("w")]);
        t.row(["漢字".into(), "1".into(), "x".into()]);
        t.row(["a".into(), "33 100 000".into(), "y".into()]);
        assert_eq!(t.lines(Page::ENDLESS), ["a              n  w", "漢字           1  x", "a     33 100 000  y"]);
    }
}
