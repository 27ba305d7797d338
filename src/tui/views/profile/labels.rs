//! The labels of the samples as a list: each with its values, and what they cost.

use super::body::{Body, Enter};
use super::found::Found;
use super::rows::{ratio, signed};
use crate::analysis::profile::cut::{Cut, What};
use crate::analysis::profile::facets::Share;
use crate::base::number::count_in;
use crate::base::{FrameId, text};
use crate::tui::app::action::Action;
use crate::tui::app::nav::Narrow;
use crate::tui::app::view::{Ctx, Mouse};
use crate::tui::theme::Role;
use crate::tui::widgets::list::{Col, List, Table, Took, one};
use crate::tui::widgets::spans::Spans;
use crate::tui::widgets::table::Sort;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A row: a label, or one of its values.
pub struct LabelRow {
    of: Arc<Found>,
    /// Position among the labels, and among the values of that one.
    label: usize,
    value: Option<usize>,
    /// Whether it is a label whose values are shown.
    open: bool,
}

/// What a row is of, by name: the label, and the value unless it is the label itself. `None` inside is what is without
/// the label.
type Name = (String, Option<Option<String>>);

impl LabelRow {
    fn label(&self) -> &str {
        &self.of.hot.facets[self.label].key
    }

    /// The value, if the row is one.
    fn value(&self) -> Option<&Option<String>> {
        self.value.map(|v| &self.of.hot.facets[self.label].values[v].text)
    }

    fn name(&self) -> Name {
        (self.label().to_owned(), self.value().cloned())
    }

    fn share(&self) -> Share {
        let facet = &self.of.hot.facets[self.label];
        self.value.map_or(facet.all, |v| facet.values[v].share)
    }

    /// What it is called, safe to show.
    fn text(&self) -> String {
        match self.value() {
            None => text::escape(self.label()).into_owned(),
            Some(Some(v)) if v.is_empty() => "\"\"".into(),
            Some(Some(v)) => text::escape(v).into_owned(),
            Some(None) => "without".into(),
        }
    }

    fn number(&self) -> Role {
        let usual = if self.value.is_none() { Role::Dim } else { Role::Text };
        self.of.role(self.share().flat, usual)
    }

    /// What it is called in the list: behind a sign whether it is open, or below its label.
    fn shown(&self, cx: &Ctx) -> Spans {
        let name = self.text();
        match self.value() {
            Some(Some(_)) => one(format!("    {name}"), Role::Title),
            Some(None) => one(format!("    {name}"), Role::Dim),
            None => {
                let glyphs = cx.theme.glyphs;
                let mark = if self.open { glyphs.expanded } else { glyphs.collapsed };
                let values = &self.of.hot.facets[self.label].values;
                let n = values.iter().filter(|v| v.text.is_some()).count();
                let s = if n == 1 { "" } else { "s" };
                one(format!("{mark} {name}  {} value{s}", text::count(n as u64)), Role::Heading)
            }
        }
    }
}

fn flat(a: &LabelRow, b: &LabelRow, _: &Ctx) -> Ordering {
    a.share().flat.unsigned_abs().cmp(&b.share().flat.unsigned_abs())
}

fn named(a: &LabelRow, b: &LabelRow, _: &Ctx) -> Ordering {
    a.value().cmp(&b.value())
}

/// What all tables of labels have in common.
const REST: Table<LabelRow> = Table {
    columns: &[],
    sort: Sort { column: 0, descending: true },
    same: |a, b| a.name() == b.name(),
    tie: None,
    arrange: None,
    given_in_order: true,
    section: None,
};

/// The labels of one profile.
static LABELS: Table<LabelRow> = Table {
    columns: &[
        Col::number("flat", 10, |r: &LabelRow, _, w| one(r.of.fitting(r.share().flat, w), r.number())).by(flat),
        Col::number("flat%", 7, |r: &LabelRow, _, _| one(r.of.share(r.share().flat), r.number())).drop(1).by(flat),
        Col::number("count", 9, |r: &LabelRow, _, width| {
            one(count_in(r.share().count.unsigned_abs(), width.into()), Role::Dim)
        })
        .drop(2)
        .by(|a, b, _| a.share().count.unsigned_abs().cmp(&b.share().count.unsigned_abs())),
        Col::text("label", 16, |r: &LabelRow, cx, _| r.shown(cx)).elastic().by(named),
    ],
    ..REST
};

/// The labels where profiles are compared.
static COMPARED: Table<LabelRow> = Table {
    columns: &[
        Col::number("flat", 10, |r: &LabelRow, _, w| one(r.of.fitting(r.share().flat, w), r.number())).by(flat),
        Col::number("flat%", 7, |r: &LabelRow, _, _| {
            let flat = r.share().flat;
            one(signed(flat, r.of.share(flat)), r.number())
        })
        .drop(3)
        .by(flat),
        Col::number("before", 9, |r: &LabelRow, _, w| one(r.of.unsigned(r.share().before, w), Role::Text))
            .drop(2)
            .by(|a, b, _| a.share().before.cmp(&b.share().before)),
        Col::number("after", 9, |r: &LabelRow, _, w| one(r.of.unsigned(r.share().after(), w), Role::Text))
            .drop(1)
            .by(|a, b, _| a.share().after().cmp(&b.share().after())),
        Col::number("ratio", 6, |r: &LabelRow, _, _| one(ratio(r.share().ratio()), Role::Text))
            .drop(4)
            .by(|a, b, _| a.share().ratio().total_cmp(&b.share().ratio())),
        Col::text("label", 16, |r: &LabelRow, cx, _| r.shown(cx)).elastic().by(named),
    ],
    ..REST
};

/// Where there are more values than these in all, only the names are shown at first.
const MANY: usize = 40;

/// The list.
pub struct Labels {
    list: List<LabelRow>,
    /// Whether there are so few values that all labels are open at first.
    few: bool,
    /// The labels that are not as they are at first: open, or closed.
    turned: BTreeSet<String>,
    /// What the cursor was on last.
    on: Option<Name>,
    /// How much there was narrowed already when the labels were shown, …
    shown_at: usize,
    /// … and each time before one of them was gone into.
    chosen_at: Vec<usize>,
}

impl Default for Labels {
    fn default() -> Labels {
        Labels {
            list: List::new(&LABELS),
            few: true,
            turned: BTreeSet::new(),
            on: None,
            shown_at: 0,
            chosen_at: Vec::new(),
        }
    }
}

impl Labels {
    /// Takes note that they are shown, or hidden, on the user's wish.
    pub fn turned_at(&mut self, narrowed: usize) {
        self.shown_at = narrowed;
    }

    /// Takes note that the profile was filtered by one of them.
    pub fn chosen(&mut self, narrowed: usize) {
        self.chosen_at.push(narrowed);
    }

    /// Whether what Escape takes off now is one of them that was gone into: then the list is to be shown again.
    pub fn comes_back(&mut self, narrowed: usize) -> bool {
        self.chosen_at.retain(|&at| at < narrowed);
        self.chosen_at.pop_if(|at| *at + 1 == narrowed).is_some()
    }

    fn is_open(&self, label: &str) -> bool {
        self.few != self.turned.contains(label)
    }

    /// Puts the rows in order; the cursor stays on what it is on.
    fn order(&mut self, found: &Arc<Found>, cx: &Ctx) {
        let facets = &found.hot.facets;
        let on = self.list.selected().map(LabelRow::name).or_else(|| self.on.take());
        self.list.set_table(if found.hot.change.is_some() { &COMPARED } else { &LABELS });
        self.few = facets.len() == 1 || facets.iter().map(|f| f.values.len()).sum::<usize>() <= MANY;
        let sort = self.list.sort();
        let order = self.list.table().columns.get(sort.column).and_then(|c| c.order);
        let mut rows = Vec::new();
        for (label, facet) in facets.iter().enumerate() {
            let row = |value, open| LabelRow { of: found.clone(), label, value, open };
            let open = self.is_open(&facet.key);
            rows.push(row(None, open));
            if open {
                let mut values: Vec<LabelRow> = (0..facet.values.len()).map(|v| row(Some(v), false)).collect();
                // What is without the label comes last.
                values.sort_by(|a, b| {
                    let without = |r: &LabelRow| r.value().is_none_or(|v| v.is_none());
                    let by = order.map_or(Ordering::Equal, |o| sort.turn(o(a, b, cx)));
                    without(a).cmp(&without(b)).then(by)
                });
                rows.extend(values);
            }
        }
        self.list.set(rows, cx);
        let exact = |r: &LabelRow| on.as_ref().is_some_and(|on| r.name() == *on);
        let label = |r: &LabelRow| r.value.is_none() && on.as_ref().is_some_and(|on| r.label() == on.0);
        let at = self.list.position(exact).or_else(|| self.list.position(label)).unwrap_or(0);
        self.list.select(at);
        self.on = on;
    }

    /// Opens or closes the label under the cursor.
    fn turn(&mut self, found: &Arc<Found>, cx: &Ctx) {
        let Some((label, value)) = self.list.selected().map(LabelRow::name) else { return };
        if value.is_some() {
            self.go_up();
        }
        if !self.turned.remove(&label) {
            self.turned.insert(label);
        }
        self.order(found, cx);
    }

    /// Goes to the label whose value the cursor is on.
    fn go_up(&mut self) {
        let label = self.list.selected().map(|r| r.label);
        let at = self.list.position(|r| r.value.is_none() && Some(r.label) == label);
        self.list.select(at.unwrap_or(0));
    }
}

impl Body for Labels {
    fn take(&mut self, _old: Option<&Found>, found: &Arc<Found>, cx: &Ctx) {
        self.order(found, cx);
    }

    fn handle(&mut self, action: Action, found: &Arc<Found>, cx: &Ctx) -> Took {
        let row = self.list.selected().map(|r| (r.value.is_some(), r.open));
        match (action, row) {
            (Action::Left, Some((true, _))) => self.go_up(),
            (Action::Left, Some((false, true))) => self.turn(found, cx),
            (Action::Right, Some((false, false))) => self.turn(found, cx),
            (Action::Left | Action::Right, _) => {}
            (Action::Expand, _) => self.turn(found, cx),
            _ => {
                let took = self.list.handle(action, cx);
                if took == Took::Done {
                    self.order(found, cx);
                }
                return took;
            }
        }
        Took::Moved
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, found: &Arc<Found>, cx: &Ctx) -> Took {
        let sort = self.list.sort();
        let took = self.list.mouse(at, what, area, cx);
        if self.list.sort() != sort {
            self.order(found, cx);
        }
        took
    }

    fn fit(&mut self, area: Rect, _found: Option<&Found>) {
        self.list.fit(area.height);
    }

    fn frame(&self, _found: &Found) -> Option<FrameId> {
        None
    }

    /// The samples with what is under the cursor: with the value of the label, with the label, or without it.
    fn cut(&self, _found: &Found, _cx: &Ctx) -> Option<Cut> {
        let (label, value) = self.list.selected().map(LabelRow::name)?;
        Some(match value {
            Some(v) => Cut { what: What::Label(label, v), without: false },
            None => Cut { what: What::Label(label, None), without: true },
        })
    }

    fn enter(&mut self, found: &Arc<Found>, _narrowed: usize, cx: &Ctx) -> Enter {
        if self.list.selected().is_some_and(|r| r.value.is_some()) {
            return Enter::Narrow;
        }
        self.turn(found, cx);
        Enter::Nothing
    }

    fn leave(&mut self, narrowed: usize, _found: &Arc<Found>, _cx: &Ctx) -> bool {
        narrowed <= self.shown_at
    }

    fn text(&self, found: &Found, _cx: &Ctx) -> Option<String> {
        let row = self.list.selected()?;
        let flat = row.share().flat;
        Some(format!("{} {}  {}", found.change(flat), found.share(flat), row.text()))
    }

    fn render(&self, found: &Found, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let empty = match found.key.ask.cuts.is_empty() {
            false => "none of these samples has a label; Esc removes the last filter",
            true => "the samples of this profile have no labels",
        };
        self.list.render(area, buf, cx, empty);
    }
}

/// Whether the profile is filtered by a cut already.
pub fn is_narrowed_to(cut: &Cut, cx: &Ctx) -> bool {
    cx.place.narrowing.contains(&Narrow::Cut(cut.clone()))
}
