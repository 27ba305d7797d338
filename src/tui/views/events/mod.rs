//! The events view: the ordered events, all or what the narrowing leaves, read page by page in the background.

mod listing;
mod render;

pub use listing::Listing;

use crate::base::EventNo;
use crate::base::{Duration, Time};
use crate::model::Event;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::catalog::ViewId;
use crate::tui::app::hits::user_frame;
use crate::tui::app::jobs::Job;
use crate::tui::app::nav::{Narrow, Place};
use crate::tui::app::view::{Command, Ctx, Mouse, Pane, View};
use crate::tui::views::timeline::selecting;
use crate::tui::widgets::scroll::Scroll;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::collections::BTreeMap;

/// Events that are kept; when there are more the page that is seen is kept and the rest is read again if need be.
const KEPT: usize = 20_000;

/// The view.
#[derive(Default)]
pub struct Events {
    listing: Listing,
    /// What the listing was made for: narrowing, events known, hits.
    stamp: Option<(Vec<Narrow>, u64, Option<u64>)>,
    scroll: Scroll,
    known: BTreeMap<EventNo, Event>,
    /// The page that was asked for last.
    asked: Option<Vec<EventNo>>,
    /// The cursor as it was seen last, and the instant whose event was asked for.
    followed: Option<(Option<EventNo>, Time)>,
    /// Where a range was begun.
    anchor: Option<Time>,
}

impl Events {
    fn at(&self, row: u64) -> Option<&Event> {
        self.known.get(&self.listing.get(row)?)
    }

    fn place_of(&self, row: u64, cx: &Ctx) -> Option<Place> {
        let mut to = cx.place.clone();
        let no = self.listing.get(row)?;
        to.event = Some(no);
        if let Some(e) = self.known.get(&no) {
            to.at = e.time;
            to.go = if e.go.is_some() { e.go } else { e.by };
            to.frame = user_frame(cx.index, e.stack);
        }
        Some(to)
    }

    fn point(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if let Some(to) = self.place_of(self.scroll.selected, cx) {
            self.followed = Some((to.event, to.at));
            out.push(Command::Move(to));
        }
    }

    fn enter(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        if let Some(from) = self.anchor.take() {
            let to = self.at(self.scroll.selected).map_or(from, |e| e.time);
            // A window ends before its second instant, and the selected event is to be in it.
            out.push(Command::Narrow(Narrow::Window(from.min(to), from.max(to) + Duration(1))));
            return;
        }
        if let Some(to) = self.place_of(self.scroll.selected, cx) {
            out.push(Command::Enter(to));
            out.push(Command::Focus(Pane::Detail));
        }
    }

    /// Makes or asks for the list of events that the narrowing leaves.
    fn list(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let hits = cx.hits.map(|h| h.found.total());
        let stamp = (cx.place.narrowing.clone(), cx.index.events, hits);
        if self.stamp.as_ref() == Some(&stamp) {
            return;
        }
        if self.stamp.as_ref().is_some_and(|s| s.0 != stamp.0) {
            self.followed = None;
        }
        self.stamp = Some(stamp);
        if let Some(hits) = cx.hits {
            let fits = hits.list().iter().filter(|h| cx.place.shows(h, cx.index));
            self.listing = Listing::of(fits.map(|h| h.no).collect(), cx.place.narrowing.clone());
        } else if cx.place.narrowing.is_empty() {
            self.listing = Listing::all(cx.index.events);
        } else {
            let place = cx.place.clone();
            out.push(Command::Run(Job::new(
                "listing",
                move |cx| listing::narrowed(cx, &place),
                |view: &mut Events, listing: Listing, cx, _| {
                    if listing.narrowing == cx.place.narrowing && cx.hits.is_none() {
                        view.listing = listing;
                        view.followed = None;
                    }
                },
            )));
        }
    }

    /// Asks for the events that are seen and not known, with a page before and after.
    fn page(&mut self, cx: &Ctx, out: &mut Vec<Command>) {
        let seen = self.scroll.seen();
        let mut missing = false;
        for row in seen.clone() {
            let Some(no) = self.listing.get(row) else { break };
            if self.known.contains_key(&no) {
                continue;
            }
            let Some(seg) = cx.index.segment_of(no) else { continue };
            match cx.trace.cached(seg).filter(|s| no >= s.first && no - s.first < s.len() as u64) {
                Some(s) => drop(self.known.insert(no, s.event((no - s.first) as usize))),
                None => missing = true,
            }
        }
        if !missing {
            return;
        }
        let page = seen.end - seen.start;
        let rows = seen.start.saturating_sub(page)..seen.end.saturating_add(page);
        let want: Vec<EventNo> = rows.map_while(|r| self.listing.get(r)).collect();
        if self.asked.as_ref() == Some(&want) {
            return;
        }
        self.asked = Some(want.clone());
        out.push(Command::Run(Job::new(
            "page",
            move |cx| Ok(listing::read(cx, &want)),
            |view: &mut Events, events, cx, out| view.take_page(&events, cx, out),
        )));
    }

    fn take_page(&mut self, events: &[Event], cx: &Ctx, out: &mut Vec<Command>) {
        if self.known.len() > KEPT {
            self.known.clear();
        }
        self.known.extend(events.iter().map(|e| (e.no, *e)));
        self.asked = None;
        // The event under the cursor has got its time and its stack.
        if cx.place.view == ViewId::Events
            && cx.place.event.is_some()
            && cx.place.event == self.listing.get(self.scroll.selected)
        {
            self.point(cx, out);
        }
    }

    /// Goes where the cursor is, if someone else has moved it.
    fn follow(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        let here = (cx.place.event, cx.place.at);
        if self.followed == Some(here) || self.listing.is_empty() {
            return;
        }
        self.followed = Some(here);
        self.scroll.fit(self.listing.len(), area.height.saturating_sub(1));
        match cx.place.event {
            Some(no) => {
                self.scroll.reveal(self.listing.position(no));
                // One that the narrowing leaves out is no longer what the cursor is on.
                if self.listing.get(self.scroll.selected) != Some(no) {
                    self.point(cx, out);
                }
            }
            None => {
                let at = cx.place.at;
                let then = move |view: &mut Events, no, cx: &Ctx, out: &mut Vec<Command>| {
                    if cx.place.event.is_some() || cx.place.at != at {
                        return;
                    }
                    view.scroll.reveal(view.listing.position(no));
                    if cx.place.view == ViewId::Events {
                        view.point(cx, out);
                    }
                };
                out.push(Command::Run(Job::new("event at", move |cx| listing::event_at(cx, at), then)));
            }
        }
    }
}

impl View for Events {
    fn title(&self, _cx: &Ctx) -> String {
        "events".into()
    }

    fn scope(&self) -> Scope {
        // No order but that of time makes sense of events.
        Scope::Global
    }

    fn mode(&self, cx: &Ctx) -> Option<String> {
        let (a, b) = (self.anchor?, self.at(self.scroll.selected)?.time);
        Some(selecting(cx, a.min(b), a.max(b), "j k move the end, v or Enter filters by it, Esc forgets it"))
    }

    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match action {
            Action::Enter => self.enter(cx, out),
            Action::Escape if self.anchor.is_some() => self.anchor = None,
            Action::Select => match (self.anchor, self.at(self.scroll.selected)) {
                (Some(_), _) => self.enter(cx, out),
                (None, Some(e)) => self.anchor = Some(e.time),
                (None, None) => return false,
            },
            _ => {
                if !cx.focused || !self.scroll.handle(action) {
                    return false;
                }
                self.scroll.fit(self.listing.len(), self.scroll.seen().count().min(1000) as u16);
                self.page(cx, out);
                self.point(cx, out);
            }
        }
        true
    }

    fn mouse(&mut self, at: Position, what: Mouse, area: Rect, cx: &Ctx, out: &mut Vec<Command>) -> bool {
        match what {
            Mouse::Press | Mouse::Double if at.y > area.y => {
                let row = self.scroll.top + u64::from(at.y - area.y - 1);
                if row < self.listing.len() {
                    self.scroll.select(row);
                    self.point(cx, out);
                    if what == Mouse::Double {
                        self.enter(cx, out);
                    }
                }
            }
            Mouse::Wheel(n, _) => {
                self.scroll.wheel(i64::from(n) * 3);
                self.point(cx, out);
            }
            _ => return false,
        }
        true
    }

    fn prepare(&mut self, area: Rect, cx: &Ctx, out: &mut Vec<Command>) {
        if cx.place.view != ViewId::Events {
            return;
        }
        self.list(cx, out);
        self.follow(area, cx, out);
        self.scroll.fit(self.listing.len(), area.height.saturating_sub(1));
        self.page(cx, out);
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        render::draw(self, area, buf, cx);
    }
}
