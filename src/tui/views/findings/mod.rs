//! The view of findings: what is wrong, by which evidence, and what to do about it.

mod render;

use crate::analysis::states::interval;
use crate::base::{Duration, FrameId, GoIdx, Time};
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::found::{Found, Item};
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::nav::{Place, Row};
use crate::tui::app::shared_jobs;
use crate::tui::app::view::{Command, Ctx, Legend, Mouse, Obeys, Pane, Querying, View};
use crate::tui::app::zoom::amid;
use crate::tui::theme::Glyphs;
use crate::tui::views::detail;
use crate::tui::widgets::scroll::Scroll;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::cell::Cell;

/// The view.
#[derive(Default)]
pub struct Findings {
    list: Scroll,
    /// Whether the rules were asked from here.
    asked: bool,
    /// Whether what speaks for the finding under the cursor has the room of the list, and from which line on it is shown.
    unfolded: bool,
    from: Cell<usize>,
    /// The query for which the cursor has moved to a finding.
    sought: Option<String>,
}

/// What a query looks for in texts: its words without what they say of events.
fn words(query: &str) -> Vec<String> {
    let plain = |w: &str| w.rsplit_once(':').map_or(w, |(_, w)| w).trim_matches(['"', '(', ')', '*']).to_lowercase();
    query
        .split_whitespace()
        .filter(|w| !matches!(*w, "and" | "or" | "not"))
        .map(plain)
        .filter(|w| !w.is_empty())
        .collect()
}

/// Whether the query's words are in what is said of a finding.
pub(super) fn is_meant(item: &Item, cx: &Ctx) -> bool {
    let Some(query) = cx.place.query() else { return false };
    let said = [item.title, &item.says, &item.line, &item.rule.replace('_', " ")].join(" ").to_lowercase();
    let words = words(query);
    !words.is_empty() && words.iter().all(|w| said.contains(w.as_str()))
}

/// Lines that a page down goes on in what speaks for a finding.
const PAGE: usize = 8;

impl Findings {
    /// The finding under the cursor.
    fn on<'a>(&self, cx: &Ctx<'a>) -> Option<&'a Item> {
        cx.found.said()?.items.get(self.list.selected as usize)
    }

    /// Moves to the next finding that the query means, or to the one before, around the end; `false` if there is none.
    fn seek(&mut self, forward: bool, from: usize, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        let Some(said) = cx.found.said() else { return false };
        let n = said.items.len();
        let step = |k: usize| if forward { (from + k) % n } else { (from + n - k) % n };
        let Some(to) = (0..n).map(step).find(|&i| is_meant(&said.items[i], cx)) else { return false };
        self.list.select(to as u64);
        self.from.set(0);
        self.point(cx, out);
        true
    }

    /// Shows the line of the finding under the cursor in the source pane, and its goroutines beside it.
    fn point(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(item) = self.on(cx) else { return };
        let row = item.row.or_else(|| cx.index.goroutine(item.go).map(|g| Row::Group(g.group)));
        // What lies in no range that is chosen is not where the cursor may go.
        let inside = |t: &Time| cx.place.window().is_none_or(|(a, b)| *t >= a && *t < b);
        let at = item.time.filter(inside).unwrap_or(cx.place.at);
        let here = Place { go: GoIdx::NONE, at, row, event: None, frame: item.frame, ..cx.place.clone() };
        if here != *cx.place {
            out.push(Command::Move(here));
        }
    }

    /// Goes to the proof: the goroutine at the instant, or else the line.
    fn enter(&self, cx: &Ctx, out: &mut Vec<Command>) {
        let Some(item) = self.on(cx) else { return };
        let here = Place { row: None, event: None, ..cx.place.clone() };
        let to = match item.time {
            Some(at) => {
                let around = Duration(cx.index.duration().ns() / 100);
                let zoom = Some(amid(at, at + around));
                // The detail pane chooses the frame of what stands there.
                Place { view: ViewId::Timeline, go: item.go, at, zoom, frame: FrameId::NONE, ..here }
            }
            None if item.of_maps => Place { view: ViewId::Maps, frame: item.frame, ..here },
            None if item.frame.is_some() => Place { view: ViewId::Stacks, frame: item.frame, ..here },
            None => {
                out.push(Command::Say(format!("gotrail shows it outside of the viewer: {}", item.check)));
                return;
            }
        };
        out.push(Command::Enter(to));
        out.push(Command::Focus(Pane::Body));
    }
}

/// Shows the chain or the critical path of the wait that a goroutine is in at an instant.
fn show_wait(go: GoIdx, at: Time, chain: bool) -> Job {
    let work = move |j: &JobCtx| Ok(interval::at(j.trace, go, at, j.cancel));
    Job::new("wait", work, move |_: &mut Findings, found, cx, out| {
        let sheet =
            found.as_ref().and_then(|i| if chain { detail::chain_of(i) } else { Some(detail::path_of(cx.index, i)) });
        match sheet {
            Some(sheet) => {
                out.push(Command::Enter(Place { go, at, row: None, ..cx.place.with_sheet(sheet) }));
                out.push(Command::Focus(Pane::Body));
            }
            None => out.push(Command::Say("its goroutine is in no wait at that instant: Enter goes there".into())),
        }
    })
}

impl View for Findings {
    fn title(&self, cx: &Ctx) -> String {
        match cx.found {
            Found::Said(said) => {
                let hidden =
                    if said.hidden.is_empty() { String::new() } else { format!(", {} hidden", said.hidden.len()) };
                match said.items.len() {
                    0 => format!("findings · none{hidden}"),
                    n => format!("findings · {n}, the worst first{hidden}"),
                }
            }
            _ => "findings".into(),
        }
    }

    fn scope(&self) -> Scope {
        Scope::Findings
    }

    fn wants_room(&self, _: &Place) -> bool {
        self.unfolded
    }

    fn obeys(&self, _: &Place) -> Obeys {
        Obeys { query: Querying::Marks, ..Obeys::NOTHING }
    }

    fn legend(&self, _: &Glyphs) -> Legend {
        let entry = |mark: &str, meaning: &str| (mark.to_owned(), meaning.to_owned());
        vec![
            entry("!!! !! i", "critical, warning, info: by the rule's own thresholds (findings.toml), not by cost"),
            entry("order", "by severity; within one what slows tasks and requests most, then what costs most time"),
            entry("ok ?", "looked at and fine; could not be told, and why"),
            entry("/ n N", "go to the findings that have the words"),
        ]
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Enter if *cx.found == Found::Cancelled => {
                out.push(Command::Run(shared_jobs::findings(cx.beside.clone())));
            }
            Action::Escape if matches!(cx.found, Found::Looking(_)) => out.push(Command::StopLooking),
            Action::Enter => self.enter(cx, out),
            Action::Right if cx.focused => self.enter(cx, out),
            Action::Chain | Action::Path => {
                let item = self.on(cx);
                match (item.and_then(|i| i.path.clone()), item.and_then(|i| Some((i.go.some()?, i.time?)))) {
                    (Some(sheet), _) => {
                        out.push(Command::Enter(cx.place.with_sheet(sheet)));
                        out.push(Command::Focus(Pane::Body));
                    }
                    (None, Some((go, at))) => out.push(Command::Run(show_wait(go, at, action == Action::Chain))),
                    (None, None) => out.push(Command::Say("this finding is about no one goroutine".into())),
                }
            }
            Action::NextHit | Action::PrevHit => {
                let n = cx.found.said().map_or(1, |s| s.items.len().max(1));
                let at = self.list.selected as usize;
                let from = if action == Action::NextHit { at + 1 } else { at + n - 1 };
                return cx.focused && self.seek(action == Action::NextHit, from % n, cx, out);
            }
            Action::HideRule => match self.on(cx) {
                Some(item) => {
                    let n = cx.found.said().map_or(0, |s| s.items.iter().filter(|i| i.rule == item.rule).count());
                    out.push(Command::Hide(Some(item.rule)));
                    out.push(Command::Say(format!("hidden in this trace: {} ({n} of rule {})", item.title, item.rule)));
                }
                None => out.push(Command::Say("there is no finding under the cursor".into())),
            },
            Action::ShowRules => {
                let n = cx.found.said().map_or(0, |s| s.hidden.len());
                out.push(Command::Hide(None));
                out.push(Command::Say(if n == 0 { "none is hidden".into() } else { format!("{n} shown again") }));
            }
            Action::Copy => match self.on(cx) {
                Some(item) => out.push(Command::Copy(item.markdown.clone())),
                None => return false,
            },
            Action::Expand if self.on(cx).is_some() => {
                self.unfolded = !self.unfolded;
                self.from.set(0);
            }
            // How far it can go depends on the room, which is known when it is drawn.
            Action::PageDown if self.unfolded => self.from.set(self.from.get() + PAGE),
            Action::PageUp if self.unfolded => self.from.set(self.from.get().saturating_sub(PAGE)),
            _ => {
                if !self.list.handle(action) {
                    return false;
                }
                self.from.set(0);
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match what {
            Mouse::Press | Mouse::Double => {
                let rows = render::rows(self, area, cx);
                if !rows.contains(at) {
                    return false;
                }
                self.list.select(self.list.top + u64::from(at.y - rows.y));
                self.point(cx, out);
                if what == Mouse::Double {
                    self.enter(cx, out);
                }
            }
            Mouse::Wheel(n, _) => self.list.wheel(i64::from(n)),
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Findings {
            return;
        }
        if cx.index.complete && *cx.found == Found::Unasked && !self.asked && !cx.no_trace() {
            self.asked = true;
            out.push(Command::Run(shared_jobs::findings(cx.beside.clone())));
        }
        let n = cx.found.said().map_or(0, |s| s.items.len());
        self.list.fit(n as u64, render::rows(self, area, cx).height);
        let query = cx.place.query();
        if n > 0 && self.sought.as_deref() != query {
            self.sought = query.map(str::to_owned);
            let at = self.list.selected as usize;
            if !self.seek(true, at, cx, out) && query.is_some() {
                out.push(Command::Say("no finding has these words; n goes to the events that match".into()));
            }
        }
        self.point(cx, out);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
