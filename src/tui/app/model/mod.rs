//! The viewer's state, and how messages change it. No terminal, no thread, no clock: messages in, effects out.

mod answers;
mod begin;
mod bookmarks;
mod mouse;
mod panes;

use super::action::{Action, Scope};
use super::beside::Beside;
use super::catalog::ViewId;
use super::found::Found;
use super::hits;
use super::hits::Hits;
use super::jobs::{Answer, Effect, Slot};
use super::keymap::{Key, Keymap};
use super::live::{Going, Recorded};
use super::marks::Marks;
use super::nav::{Narrow, Nav, Place, Row};
use super::registry::Views;
use super::search;
use super::sheet::Sheet;
use super::view::{Command, Ctx, Pane, View};
use super::waited::Waited;
use crate::analysis::profile::Profiled;
use crate::base::{Duration, GoId};
use crate::model::Index;
use crate::read::Trace;
use crate::tui::chrome::footer::Notice;
use crate::tui::chrome::{ascii, footer, tabs, title};
use crate::tui::panels::{Bookmarks, Help, Overlay, OverlayCtx, Palette, Prompt};
use crate::tui::theme::Theme;
use crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use std::sync::Arc;

/// Something that happened.
#[derive(Debug)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was used.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resize(u16, u16),
    /// The index has grown, or is complete.
    Indexed,
    /// The trace is being recorded, and grows.
    Recording(Going),
    /// The recording is over.
    Recorded(Recorded),
    /// A job answered.
    Answer(Answer),
    /// The shell has something to say: the outcome of an effect.
    Say(String),
    /// An effect failed.
    Fail(String),
}

/// What all views share.
pub struct Shared {
    /// The trace.
    pub trace: Arc<Trace>,
    /// The profiles.
    pub profiles: Vec<Arc<Profiled>>,
    /// Texts that say something of the trace's goroutines.
    pub beside: Beside,
    /// Whether it was asked what profiles and texts say of them.
    pub joined: bool,
    /// What messages call them.
    pub name: String,
    /// Styles and glyphs.
    pub theme: Theme,
    /// Where the user is.
    pub nav: Nav,
    /// The query's hits.
    pub hits: Option<Hits>,
    /// What the rules say.
    pub found: Found,
    /// What goroutines waited for.
    pub waited: Waited,
    /// The bookmarks.
    pub marks: Marks,
    /// What is to be said of the recording that is being made.
    pub recording: Option<String>,
}

/// The viewer.
pub struct Model {
    shared: Shared,
    views: Views,
    keymap: Keymap,
    size: Size,
    focus: Pane,
    hits_shown: bool,
    overlay: Overlay,
    notice: Option<Notice>,
    /// A job that takes a while, and how far it is.
    working: Option<(Slot, String)>,
    queries: Vec<String>,
    /// The query that was last asked for, and whether the index was complete then.
    searched: Option<(String, bool)>,
    /// Where the left button went down, and where it did the time before.
    pressed: Option<(Pane, Position)>,
    last_press: Option<Position>,
    began: bool,
    /// Whether the user has done anything yet.
    touched: bool,
    reported: bool,
    /// The recording that is being made, and whether it has been told to end.
    live: Option<(Going, bool)>,
    /// Whether it ends as soon as the bookmarks are written.
    leaving: bool,
    /// Where to go as soon as that has been read, unless the user goes elsewhere before.
    begin_at: Option<(Duration, Option<GoId>)>,
}

fn cx<'a>(shared: &'a Shared, index: &'a Index, focused: bool) -> Ctx<'a> {
    Ctx {
        trace: &shared.trace,
        index,
        theme: &shared.theme,
        place: shared.nav.here(),
        hits: shared.hits.as_ref(),
        found: &shared.found,
        waited: &shared.waited,
        marks: &shared.marks,
        focused,
        name: &shared.name,
        profiles: &shared.profiles,
        beside: &shared.beside,
        recording: shared.recording.as_deref(),
    }
}

fn over<'a>(keymap: &'a Keymap, index: &'a Index, shared: &'a Shared) -> OverlayCtx<'a> {
    OverlayCtx { keymap, index, theme: &shared.theme, marks: &shared.marks }
}

/// Most columns and rows that are drawn. A terminal may say that it has 65 535 of each, which would take 200 GB of cells.
const LARGEST: u16 = 1000;

/// A screen's size, as far as it is drawn on: beyond it stays empty.
pub fn bounded(size: Size) -> Size {
    Size { width: size.width.min(LARGEST), height: size.height.min(LARGEST) }
}

impl Model {
    /// A viewer of `trace`, called `name`, on a screen of a size.
    pub fn new(trace: Arc<Trace>, name: String, theme: Theme, keymap: Keymap, size: Size) -> Model {
        let start = trace.index().start;
        let nav = Nav::new(Place::new(ViewId::Timeline, start));
        Model {
            shared: Shared {
                trace,
                profiles: Vec::new(),
                beside: Beside::default(),
                joined: false,
                name,
                theme,
                nav,
                hits: None,
                found: Found::default(),
                waited: Waited::default(),
                marks: Marks::default(),
                recording: None,
            },
            views: Views::default(),
            keymap,
            size,
            focus: Pane::Body,
            hits_shown: false,
            overlay: Overlay::None,
            notice: None,
            working: None,
            queries: Vec::new(),
            searched: None,
            pressed: None,
            last_press: None,
            began: false,
            touched: false,
            reported: false,
            live: None,
            leaving: false,
            begin_at: None,
        }
    }

    /// Where the user is.
    pub fn place(&self) -> &Place {
        self.shared.nav.here()
    }

    /// The part of the screen that has the focus.
    pub fn focus(&self) -> Pane {
        self.focus
    }

    /// The query's hits as far as they are known.
    pub fn hits(&self) -> Option<&Hits> {
        self.shared.hits.as_ref()
    }

    /// What is said at the foot, if anything.
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }

    /// Takes note of a message; returns what is to be done about it.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let trace = self.shared.trace.clone();
        let index = trace.index();
        let mut effects = Vec::new();
        match message {
            Message::Key(e) => {
                self.touched = true;
                if let Some(key) = Key::from_event(e) {
                    self.notice = None;
                    self.begin_at = None;
                    self.key(key, &index, &mut effects);
                }
            }
            Message::Mouse(e) => {
                self.touched = true;
                self.mouse(e, &index, &mut effects);
            }
            Message::Paste(text) => {
                let Model { overlay, keymap, shared, .. } = self;
                overlay.paste(&text, &over(keymap, &index, shared));
            }
            Message::Resize(width, height) => self.size = bounded(Size { width, height }),
            Message::Indexed => self.indexed(&index),
            Message::Recording(going) => self.recording(going),
            Message::Recorded(recorded) => self.recorded(recorded),
            Message::Answer(answer) => self.answer(answer, &index, &mut effects),
            Message::Say(text) => self.notice = Some(Notice { text, bad: false }),
            Message::Fail(text) => self.notice = Some(Notice { text, bad: true }),
        }
        self.settle(&index, &mut effects);
        effects
    }

    fn key(&mut self, key: Key, index: &Index, effects: &mut Vec<Effect>) {
        // A terminal sends the same for Alt and a key as for Escape and, at once, that key.
        if let Some(plain) =
            key.without_alt().filter(|_| Scope::ALL.into_iter().all(|s| self.keymap.action(s, key).is_none()))
        {
            self.key(Key::ESCAPE, index, effects);
            return self.key(plain, index, effects);
        }
        if self.overlay.is_some() {
            return self.over(key, index, effects);
        }
        if let Some(action) = self.keymap.action(self.focused_scope(), key) {
            self.act(action, index, effects);
        } else if let Some(action) = Scope::ALL.into_iter().find_map(|s| self.keymap.action(s, key)) {
            self.say(&format!("{key} means something in {}: {}", action.scope().place(), action.help()));
        } else if matches!(key.code, KeyCode::Char('0'..='9')) {
            self.notice = Some(Notice { text: "this version has no such view".into(), bad: true });
        } else {
            let help = self.keymap.text(Action::Help);
            self.say(&format!("{key} means nothing; {} shows all keys", help.split(' ').next().unwrap_or_default()));
        }
    }

    fn query(&mut self, query: String, index: &Index, effects: &mut Vec<Effect>) {
        if query.is_empty() {
            let mut to = self.shared.nav.here().clone();
            to.narrowing.retain(|n| !matches!(n, Narrow::Query(_)));
            self.apply(vec![Command::Jump(to)], index, effects);
            return;
        }
        self.queries.retain(|q| *q != query);
        self.queries.push(query.clone());
        self.shared.nav.narrow(Narrow::Query(query));
        // In a profile the query says which functions are shown, and in the findings it leads to one of these.
        let here = self.shared.nav.here();
        if here.view != ViewId::Profile && !here.lists_findings() {
            self.hits_shown = true;
            self.focus = Pane::Hits;
        }
    }

    /// Hands an action to the part that has the focus, then to the view, then to the panes, then to the model itself.
    fn act(&mut self, action: Action, index: &Index, effects: &mut Vec<Effect>) {
        if action == Action::Escape && self.cancel(effects) {
            return;
        }
        let mut chain = vec![self.focus];
        // Movement belongs to the part that has the focus alone.
        if !moves(action) {
            chain.extend([Pane::Body, Pane::Detail, Pane::Source]);
            if self.hits_shown {
                chain.push(Pane::Hits);
            }
        }
        for i in 0..chain.len() {
            let pane = chain[i];
            if chain[..i].contains(&pane) {
                continue;
            }
            // What Enter and Escape mean is for the part with the focus to say, or for the model.
            if i > 0 && matches!(action, Action::Enter | Action::Escape | Action::Expand) {
                break;
            }
            let mut out = Vec::new();
            let cx = cx(&self.shared, index, pane == self.focus);
            if self.views.get(pane, self.shared.nav.here()).handle(action, &cx, &mut out) {
                self.apply(out, index, effects);
                return;
            }
            self.apply(out, index, effects);
        }
        self.act_here(action, index, effects);
    }

    /// Shows a numbered view. Escape comes back to a sheet that was left for it.
    fn show(&mut self, view: ViewId) {
        let to = self.shared.nav.here().with_view(view);
        match self.shared.nav.here().sheet {
            Some(_) => self.shared.nav.enter(to),
            None => self.shared.nav.jump(to),
        }
        self.focus = Pane::Body;
    }

    fn act_here(&mut self, action: Action, index: &Index, effects: &mut Vec<Effect>) {
        if let Action::View(view) = action {
            self.show(view);
            return;
        }
        match action {
            Action::Quit if self.stop_recording(effects) => {}
            Action::Quit => self.quit(effects),
            Action::Bookmark => self.bookmark(index),
            Action::Bookmarks => self.overlay = Overlay::Bookmarks(Bookmarks::default()),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Redraw => effects.push(Effect::Redraw),
            Action::Help => {
                let cx = cx(&self.shared, index, true);
                let body = self.views.look(Pane::Body, cx.place);
                self.overlay = Overlay::Help(Help::of(body.title(&cx), body.legend(cx.theme.glyphs), body.scope()));
            }
            Action::Palette => self.overlay = Overlay::Palette(Palette::default()),
            Action::Filter => self.overlay = Overlay::Prompt(Prompt::new("", self.queries.clone())),
            Action::Escape => {
                if self.focus != Pane::Body {
                    self.focus = Pane::Body;
                } else if !self.shared.nav.escape() && !self.stop_recording(effects) {
                    self.notice =
                        Some(Notice { text: "nothing to come back from; q leaves gotrail".into(), bad: false });
                }
            }
            Action::Back if !self.shared.nav.back() => self.say("this is where you began"),
            Action::Forward if !self.shared.nav.forward() => self.say("there is nothing further on"),
            Action::NextPane => self.turn(1),
            Action::PrevPane => self.turn(-1),
            Action::NextHit => self.step(true, index),
            Action::PrevHit => self.step(false, index),
            Action::Hits => self.toggle_hits(),
            Action::Locks => self.sheet(Sheet::Locks, index),
            Action::Narrow => {
                let here = self.shared.nav.here();
                match (here.subject().0.some(), here.row) {
                    (Some(g), _) => self.shared.nav.narrow(Narrow::Go(g)),
                    (None, Some(Row::Group(g))) => self.shared.nav.narrow(Narrow::Group(g)),
                    _ => self.say("there is no goroutine or group under the cursor; 2 lists them"),
                }
            }
            Action::Copy => {
                let text = position(&self.shared, index);
                effects.push(Effect::Copy(text));
            }
            Action::Unblocker | Action::Unblocked | Action::Chain | Action::NextWait | Action::PrevWait => {
                self.say("there is no wait under the cursor; 3 lists them")
            }
            Action::Heat => {
                self.say("how long waits were is shown in the waits (3), how long spans took in the tasks (8)")
            }
            Action::Path => self.say("there is no goroutine or wait under the cursor; 2 lists goroutines, 3 waits"),
            Action::Editor => self.say("no source line is chosen"),
            Action::Select => self
                .say("a range is selected in the timeline (1) or in the events (5), a box of spans in the tasks (8)"),
            Action::Expand => {
                self.say("what can be expanded is in the timeline (1), the goroutines (2) and the waits (3)")
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        self.notice = Some(Notice { text: text.into(), bad: false });
    }

    /// Goes to the next or previous hit, around the end if need be.
    fn step(&mut self, forward: bool, index: &Index) {
        let Some(hits) = &self.shared.hits else {
            self.say("no query: / asks for one");
            return;
        };
        let here = self.shared.nav.here();
        let Some((i, around)) = hits.step(here, forward, index) else {
            let text = if hits.complete { "no hits" } else { "no hits so far" };
            self.say(text);
            return;
        };
        let (hit, of) = (hits.list()[i], hits.list().len());
        let mut to = here.clone();
        (to.at, to.event, to.frame) = (hit.time, Some(hit.no), hits::user_frame(index, hit.stack));
        if hit.go.is_some() {
            to.go = hit.go;
        }
        self.shared.nav.jump(to);
        self.focus = Pane::Detail;
        let around = if around { ", around the end" } else { "" };
        let text = format!(
            "hit {} of {}{around}",
            crate::base::text::count(i as u64 + 1),
            crate::base::text::count(of as u64)
        );
        self.notice = Some(Notice { text, bad: false });
    }

    fn scope(&self) -> Scope {
        self.views.look(Pane::Body, self.shared.nav.here()).scope()
    }

    fn apply(&mut self, commands: Vec<Command>, _index: &Index, effects: &mut Vec<Effect>) {
        for c in commands {
            match c {
                Command::Move(place) => *self.shared.nav.here_mut() = place,
                Command::Enter(place) => self.shared.nav.enter(place),
                Command::Jump(place) => self.shared.nav.jump(place),
                Command::Narrow(n) => self.shared.nav.narrow(n),
                Command::Back => drop(self.shared.nav.escape()),
                Command::StopLooking => self.stop_looking(effects),
                Command::Cancel(slot) => self.call_off(slot, effects),
                Command::Frame(frame) => self.shared.nav.here_mut().frame = frame,
                Command::Focus(pane) => self.focus = pane,
                Command::Open(path, line) => effects.push(Effect::Open { path, line }),
                Command::Copy(text) => effects.push(Effect::Copy(text)),
                Command::Say(text) => self.notice = Some(Notice { text, bad: false }),
                Command::Fail(text) => self.notice = Some(Notice { text, bad: true }),
                Command::Run(job) => effects.push(Effect::Run(job)),
                Command::Hide(rule) => self.shared.found.hide(rule),
                Command::Costs(costs) => self.views.source.set_costs(costs),
            }
        }
    }

    /// After a message: search if the query has changed, and let everything that is seen ask for what it lacks.
    fn settle(&mut self, index: &Index, effects: &mut Vec<Effect>) {
        self.name_waits(index, effects);
        self.join(index, effects);
        self.look_for_findings(index, effects);
        self.keep_bookmarks(index, effects);
        let query = self.shared.nav.here().query().map(str::to_string);
        match query {
            None => {
                if self.searched.take().is_some() {
                    effects.push(Effect::Cancel(search::slot()));
                }
                self.shared.hits = None;
                self.hits_shown = false;
            }
            Some(q) => {
                let fresh =
                    self.searched.as_ref().is_some_and(|(s, complete)| *s == q && (*complete || !index.complete));
                if !fresh {
                    self.shared.hits = Some(Hits::new(q.clone()));
                    self.searched = Some((q.clone(), index.complete));
                    effects.push(Effect::Run(search::search(q)));
                }
            }
        }
        if self.focus == Pane::Hits && !self.hits_shown {
            self.focus = Pane::Body;
        }
        // A view may move the cursor while it prepares, and another follow it: twice is enough for that to settle.
        for _ in 0..2 {
            let before = self.shared.nav.here().clone();
            let areas = self.areas();
            let mut out = Vec::new();
            {
                let cx = cx(&self.shared, index, false);
                self.views.overview.prepare(areas.overview, &cx, &mut out);
            }
            self.apply(out, index, effects);
            for (pane, area) in areas.panes() {
                let mut out = Vec::new();
                let cx = cx(&self.shared, index, pane == self.focus);
                if !area.is_empty() || pane != Pane::Hits {
                    self.views.get(pane, self.shared.nav.here()).prepare(area, &cx, &mut out);
                }
                self.apply(out, index, effects);
            }
            if *self.shared.nav.here() == before {
                break;
            }
        }
    }

    /// Draws the whole screen. Returns where the text cursor stands, if one is shown.
    pub fn render(&self, buf: &mut Buffer) -> Option<Position> {
        let index = self.shared.trace.index();
        let screen = buf.area.intersection(Rect::from((Position::ORIGIN, self.size)));
        let areas = self.divided(screen);
        let view = self.shared.nav.here().view;
        let see = cx(&self.shared, &index, false);
        let body = self.views.look(Pane::Body, self.shared.nav.here());
        title::draw(areas.title, buf, &see, body.obeys(self.shared.nav.here()));
        self.views.overview.render(areas.overview, buf, &see);
        tabs::draw(
            areas.tabs,
            buf,
            view,
            self.shared.nav.here().sheet.as_ref(),
            self.focus == Pane::Body,
            &self.shared.theme,
        );
        if !areas.rule.is_empty() {
            let titles: Vec<(Pane, Rect, String)> = areas.panes()[1..]
                .iter()
                .filter(|(_, area)| !area.is_empty())
                .map(|&(pane, area)| (pane, area, self.views.look(pane, self.shared.nav.here()).title(&see)))
                .collect();
            tabs::rule(areas.rule, buf, &titles, self.focus, &self.shared.theme);
        }
        for (pane, area) in areas.panes() {
            if !area.is_empty() {
                let see = cx(&self.shared, &index, pane == self.focus);
                if see.no_trace() && !self.views.look(Pane::Body, see.place).of_profiles(pane) {
                    tabs::no_trace(pane, area, buf, &self.shared.theme);
                    continue;
                }
                self.views.look(pane, self.shared.nav.here()).render(area, buf, &see);
            }
        }
        let working = self.working();
        let said = self.notice.as_ref().or(working.as_ref());
        footer::draw(areas.foot, buf, &see, (&self.keymap, self.scope()), (said, body.mode(&see)));
        let cursor = self.overlay.render(screen, areas.foot, buf, &over(&self.keymap, &index, &self.shared));
        if self.shared.theme.is_ascii() {
            ascii::replace(buf);
        }
        cursor
    }
}

/// Whether an action moves a cursor.
fn moves(action: Action) -> bool {
    use Action::*;
    matches!(action, Left | Right | Up | Down | Top | Bottom | HalfDown | HalfUp | PageDown | PageUp)
}

/// The cursor as the command line accepts it: `trace.out@812.031ms:g8`.
fn position(shared: &Shared, index: &Index) -> String {
    let here = shared.nav.here();
    let mut text = format!("{}@{}", shared.trace.name(), crate::tui::text::instant(here.at - index.start));
    if let Some(g) = index.goroutine(here.go) {
        text.push_str(&format!(":g{}", g.id.0));
    }
    text
}
