//! The labels of the samples as a list: each with its values, and what they cost.

use super::{Found, render};
use crate::analysis::profile::Hot;
use crate::analysis::profile::cut::{Cut, What};
use crate::analysis::profile::facets::{Facet, Share, Value};
use crate::base::text;
use crate::tui::app::action::Action;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::{Column, Slot, Sort};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The columns.
const COLUMNS: [Column; 4] = [
    Column { title: "flat", width: 10, right: true, drop: 0, elastic: false },
    Column { title: "flat%", width: 7, right: true, drop: 1, elastic: false },
    Column { title: "count", width: 9, right: true, drop: 2, elastic: false },
    Column { title: "label", width: 16, right: false, drop: 0, elastic: true },
];

/// The columns where profiles are compared.
const COMPARED: [Column; 6] = [
    Column { title: "flat", width: 10, right: true, drop: 0, elastic: false },
    Column { title: "flat%", width: 7, right: true, drop: 3, elastic: false },
    Column { title: "before", width: 9, right: true, drop: 2, elastic: false },
    Column { title: "after", width: 9, right: true, drop: 1, elastic: false },
    Column { title: "ratio", width: 6, right: true, drop: 4, elastic: false },
    Column { title: "label", width: 16, right: false, drop: 0, elastic: true },
];

/// Where there are more values than these in all, only the names are shown at first.
const MANY: usize = 40;

/// A row: positions among the labels, and among the values of one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Row {
    Key(usize),
    Value(usize, usize),
}

/// The list.
pub struct Labels {
    rows: Vec<Row>,
    /// Whether there are so few values that all labels are open at first.
    few: bool,
    /// Whether profiles are compared.
    compared: bool,
    /// The cursor.
    pub scroll: Scroll,
    /// The order of the values.
    pub sort: Sort,
    /// The labels that are not as they are at first: open, or closed.
    turned: BTreeSet<String>,
    /// What the cursor was on last: the label, and the value unless it was on the label itself.
    on: Option<(String, Option<Option<String>>)>,
}

impl Default for Labels {
    fn default() -> Labels {
        let sort = Sort { column: 0, descending: true };
        Labels {
            rows: Vec::new(),
            few: true,
            compared: false,
            scroll: Scroll::default(),
            sort,
            turned: BTreeSet::new(),
            on: None,
        }
    }
}

fn compare(a: &Value, b: &Value, sort: Sort, compared: bool) -> Ordering {
    let (x, y) = (&a.share, &b.share);
    let order = match (compared, sort.column) {
        (false, 2) => x.count.unsigned_abs().cmp(&y.count.unsigned_abs()),
        (true, 2) => x.before.cmp(&y.before),
        (true, 3) => x.after().cmp(&y.after()),
        (true, 4) => x.ratio().total_cmp(&y.ratio()),
        (false, 3) | (true, 5) => a.text.cmp(&b.text),
        _ => x.flat.unsigned_abs().cmp(&y.flat.unsigned_abs()),
    };
    // What is without the label comes last.
    a.text.is_none().cmp(&b.text.is_none()).then(sort.turn(order))
}

impl Labels {
    /// The columns.
    pub fn columns(&self) -> &'static [Column] {
        if self.compared { &COMPARED } else { &COLUMNS }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    fn is_open(&self, facets: &[Facet], key: usize) -> bool {
        self.few != self.turned.contains(&facets[key].key)
    }

    /// The row under the cursor.
    fn row(&self, facets: &[Facet]) -> Option<(&Row, String, Option<Option<String>>)> {
        let row = self.rows.get(self.scroll.selected as usize)?;
        Some(match *row {
            Row::Key(k) => (row, facets.get(k)?.key.clone(), None),
            Row::Value(k, v) => (row, facets.get(k)?.key.clone(), Some(facets[k].values.get(v)?.text.clone())),
        })
    }

    /// Puts the rows in order; the cursor stays on what it was on among the labels `old`.
    pub fn order(&mut self, old: &[Facet], hot: &Hot) {
        let facets = &hot.facets;
        let on = self.row(old).map(|(_, key, value)| (key, value)).or_else(|| self.on.take());
        self.rows.clear();
        self.compared = hot.change.is_some();
        self.few = facets.len() == 1 || facets.iter().map(|f| f.values.len()).sum::<usize>() <= MANY;
        for k in 0..facets.len() {
            self.rows.push(Row::Key(k));
            if self.is_open(facets, k) {
                let mut values: Vec<usize> = (0..facets[k].values.len()).collect();
                values.sort_by(|&a, &b| compare(&facets[k].values[a], &facets[k].values[b], self.sort, self.compared));
                self.rows.extend(values.into_iter().map(|v| Row::Value(k, v)));
            }
        }
        let same = |exact: bool| {
            let (key, value) = on.as_ref()?;
            self.rows.iter().position(|r| match *r {
                Row::Key(k) => facets[k].key == *key && (value.is_none() || !exact),
                Row::Value(k, v) => facets[k].key == *key && value.as_ref() == Some(&facets[k].values[v].text),
            })
        };
        let at = same(true).or_else(|| same(false)).unwrap_or(0);
        self.scroll.fit(self.rows.len() as u64, self.scroll.seen().count().clamp(1, 1000) as u16);
        self.scroll.select(at as u64);
        self.on = on;
    }

    /// Opens or closes the label under the cursor.
    pub fn turn(&mut self, hot: &Hot) {
        let Some((_, key, value)) = self.row(&hot.facets) else { return };
        if value.is_some() {
            self.go_up();
        }
        if !self.turned.remove(&key) {
            self.turned.insert(key);
        }
        self.order(&hot.facets, hot);
    }

    fn go_up(&mut self) {
        let at = self.scroll.selected as usize;
        let key = self.rows.get(..=at).and_then(|r| r.iter().rposition(|r| matches!(r, Row::Key(_))));
        self.scroll.select(key.unwrap_or(0) as u64);
    }

    /// Moves the cursor, opens and closes; `false` if the action does none of these.
    pub fn handle(&mut self, action: Action, hot: &Hot) -> bool {
        let row = self.rows.get(self.scroll.selected as usize).copied();
        match (action, row) {
            (Action::Left, Some(Row::Value(..))) => self.go_up(),
            (Action::Left, Some(Row::Key(k))) if self.is_open(&hot.facets, k) => self.turn(hot),
            (Action::Right, Some(Row::Key(k))) if !self.is_open(&hot.facets, k) => self.turn(hot),
            (Action::Left | Action::Right, _) => {}
            (Action::Expand, _) => self.turn(hot),
            _ => return self.scroll.handle(action),
        }
        true
    }

    /// The samples with what is under the cursor: with the value of the label, with the label, or without it.
    pub fn cut(&self, facets: &[Facet]) -> Option<Cut> {
        let (_, key, value) = self.row(facets)?;
        Some(match value {
            Some(v) => Cut { what: What::Label(key, v), without: false },
            None => Cut { what: What::Label(key, None), without: true },
        })
    }

    /// Whether the cursor is on a value.
    pub fn on_value(&self) -> bool {
        matches!(self.rows.get(self.scroll.selected as usize), Some(Row::Value(..)))
    }

    /// What is under the cursor as text.
    pub fn text(&self, found: &Found) -> Option<String> {
        let row = self.rows.get(self.scroll.selected as usize)?;
        let (share, name) = look(found, *row)?;
        Some(format!("{} {}  {name}", found.change(share.flat), found.share(share.flat)))
    }

    /// A cell of a row.
    pub fn cell(&self, found: &Found, no: usize, slot: Slot, theme: &Theme) -> Option<(String, Role)> {
        let row = *self.rows.get(no)?;
        let (share, name) = look(found, row)?;
        let number = found.role(share.flat, if matches!(row, Row::Key(_)) { Role::Dim } else { Role::Text });
        let compared = self.compared;
        Some(match slot.column {
            0 => (found.fitting(share.flat, slot.width), number),
            1 if compared => (render::signed(share.flat, found.share(share.flat)), number),
            1 => (found.share(share.flat), number),
            2 if compared => (found.unsigned(share.before, slot.width), Role::Text),
            3 if compared => (found.unsigned(share.after(), slot.width), Role::Text),
            4 if compared => (render::ratio(share.ratio()), Role::Text),
            2 => (text::count(share.count.unsigned_abs()), Role::Dim),
            _ => match row {
                Row::Key(k) => {
                    let open = self.is_open(&found.hot.facets, k);
                    let mark = if open { theme.glyphs.expanded } else { theme.glyphs.collapsed };
                    let values = found.hot.facets[k].values.iter().filter(|v| v.text.is_some()).count();
                    let s = if values == 1 { "" } else { "s" };
                    (format!("{mark} {name}  {} value{s}", text::count(values as u64)), Role::Heading)
                }
                Row::Value(k, v) => match found.hot.facets[k].values[v].text {
                    Some(_) => (format!("    {name}"), Role::Title),
                    None => (format!("    {name}"), Role::Dim),
                },
            },
        })
    }
}

/// What a row costs, and what it is called, safe to show.
fn look(found: &Found, row: Row) -> Option<(Share, String)> {
    Some(match row {
        Row::Key(k) => {
            let f = found.hot.facets.get(k)?;
            (f.all, text::escape(&f.key).into_owned())
        }
        Row::Value(k, v) => {
            let v = found.hot.facets.get(k)?.values.get(v)?;
            let name = match &v.text {
                Some(t) if t.is_empty() => "\"\"".to_string(),
                Some(t) => text::escape(t).into_owned(),
                None => "without".to_string(),
            };
            (v.share, name)
        }
    })
}
