//! What the views and panes have in common, what they may look at, and what they ask of the model.

use super::action::{Action, Scope};
use super::beside::Beside;
use super::catalog::ViewId;
use super::found::Found;
use super::hits::Hits;
use super::jobs::{Job, Slot};
use super::marks::Marks;
use super::nav::{Narrow, Place, Target};
use super::waited::Waited;
use crate::analysis::profile::Profiled;
use crate::base::{FrameId, Time};
use crate::model::Index;
use crate::read::Trace;
use crate::tui::theme::{Glyphs, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

/// What every view may look at. Made anew for each message and each frame; the index guard behind it is held only as
/// long.
pub struct Ctx<'a> {
    /// The trace, for `Trace::cached`; `Trace::segment` is for jobs.
    pub trace: &'a Arc<Trace>,
    /// The index as far as it is built.
    pub index: &'a Index,
    /// Styles and glyphs.
    pub theme: &'a Theme,
    /// Where the user is.
    pub place: &'a Place,
    /// The query's hits, as far as they are found.
    pub hits: Option<&'a Hits>,
    /// What the rules say of the trace, as far as they have been asked.
    pub found: &'a Found,
    /// What goroutines waited for, by the names that waits have.
    pub waited: &'a Waited,
    /// The bookmarks.
    pub marks: &'a Marks,
    /// Whether the view or pane that is asked has the focus.
    pub focused: bool,
    /// What messages call the trace: `trace.out`.
    pub name: &'a str,
    /// The profiles that are open beside the trace, or instead of one.
    pub profiles: &'a [Arc<Profiled>],
    /// Texts that say something of the trace's goroutines.
    pub beside: &'a Beside,
    /// What is to be said of the recording that is being made, if it still is.
    pub recording: Option<&'a str>,
}

impl Ctx<'_> {
    /// Whether only profiles are open.
    pub fn no_trace(&self) -> bool {
        !self.profiles.is_empty() && self.trace.is_none()
    }

    /// The index whose frames the place's frame is one of: the profile's in the view of a profile, and where there is no
    /// trace.
    pub fn frames(&self) -> &Index {
        match self.place.view == ViewId::Profile || self.no_trace() {
            true => self.profiles.get(self.place.profile).map_or(self.index, |p| &p.index),
            false => self.index,
        }
    }

    /// The window that views show: the selected one, or the whole trace.
    pub fn window(&self) -> (Time, Time) {
        self.place.window().unwrap_or((self.index.start, self.index.end))
    }
}

/// What a view wants of the model.
pub enum Command {
    /// Move the cursor: replace the present place without history. For `j`, `k`, a click on a row.
    Move(Place),
    /// Go into something: `Esc` and `[` come back.
    Enter(Place),
    /// Jump somewhere: `[` comes back.
    Jump(Place),
    /// Narrow all views: `Esc` takes it off.
    Narrow(Narrow),
    /// Come back, as `Esc` does.
    Back,
    /// Call off what looks for findings.
    StopLooking,
    /// Call off what runs in a slot.
    Cancel(Slot),
    /// Choose the frame whose source is shown.
    Frame(FrameId),
    /// Give a pane the focus.
    Focus(Pane),
    /// Open a file at a line (from 1) in the editor.
    Open(PathBuf, u32),
    /// Put text on the clipboard.
    Copy(String),
    /// Say something in the message line.
    Say(String),
    /// Say that something went wrong.
    Fail(String),
    /// Run a job in the background; what it brings back is for the view that its answer names.
    Run(Job),
    /// Hide what a rule finds in this trace; without one, show again what is hidden.
    Hide(Option<&'static str>),
    /// Show beside the lines of source what they cost, as the view counts it.
    Costs(Arc<dyn LineCosts>),
}

impl Target {
    /// Goes there, at the view that `from` is at.
    pub fn command(self, from: &Place) -> Command {
        let to = Place { go: self.go, row: None, at: self.at, event: None, ..from.clone() };
        if self.far { Command::Jump(to) } else { Command::Move(to) }
    }
}

/// The parts of the screen that can have the focus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pane {
    /// The view.
    Body,
    /// The list of hits by line, bottom left.
    Hits,
    /// The detail pane, bottom left.
    Detail,
    /// The source pane, bottom right.
    Source,
}

/// What the mouse did, inside the area of the view that is told of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mouse {
    /// Pressed the left button.
    Press,
    /// Moved with the left button down.
    Drag,
    /// Let the left button go.
    Release,
    /// Pressed the left button a second time at the same place.
    Double,
    /// Turned the wheel by so many notches, down being positive; `true` with Ctrl.
    Wheel(i32, bool),
}

/// What lines of source cost, as a view counts it.
pub trait LineCosts: Send + Sync {
    /// What the lines of the function of a frame cost: by line, own and cumulative, as text; empty where that says
    /// nothing about what is shown now.
    fn of(&self, cx: &Ctx, frame: FrameId) -> Vec<(u32, String, String)>;
}

/// What a query does in a view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Querying {
    /// Only what it matches is there.
    Filters,
    /// What it matches is marked.
    Marks,
    /// Nothing.
    Nothing,
}

/// Which parts of the scope a view obeys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Obeys {
    /// A range of time.
    pub range: bool,
    /// A group, or one goroutine.
    pub goroutines: bool,
    /// What a query does.
    pub query: Querying,
}

impl Obeys {
    /// All of it.
    pub const ALL: Obeys = Obeys { range: true, goroutines: true, query: Querying::Filters };
    /// Nothing of it.
    pub const NOTHING: Obeys = Obeys { range: false, goroutines: false, query: Querying::Nothing };
}

/// What the signs of a view mean: each, and its meaning.
pub type Legend = Vec<(String, String)>;

/// A view in the body, or a pane.
pub trait View: Any {
    /// What stands in its border, if it has one.
    fn title(&self, cx: &Ctx) -> String;

    /// Whose keys it takes beside the global ones.
    fn scope(&self) -> Scope {
        Scope::Global
    }

    /// Which parts of the scope it obeys at a place.
    fn obeys(&self, _place: &Place) -> Obeys {
        Obeys::ALL
    }

    /// What its signs mean.
    fn legend(&self, _glyphs: &Glyphs) -> Legend {
        Legend::new()
    }

    /// Whether it, or a pane beside it, has something to show where only profiles are open.
    fn of_profiles(&self, _pane: Pane) -> bool {
        false
    }

    /// Whether what it says is long, and the panes are to give it all the room of a low screen.
    fn wants_room(&self, _place: &Place) -> bool {
        false
    }

    /// Does an action; `false` if it is not for this view, so that it goes on to the panes and to the model.
    fn handle(&mut self, action: Action, cx: &Ctx, out: &mut Vec<Command>) -> bool;

    /// The mouse was used at a position inside `area`, which is where the view was drawn last.
    fn mouse(&mut self, _at: Position, _what: Mouse, _area: Rect, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    /// Called after every message and before a frame, with the area it is going to be drawn in: follow the cursor,
    /// scroll, and ask for what is missing with [`Command::Run`] (ask once: remember what was asked for).
    fn prepare(&mut self, _area: Rect, _cx: &Ctx, _out: &mut Vec<Command>) {}

    /// The pane that stands in the detail pane's place while this view is shown, if it has one of its own for what the
    /// cursor is on.
    fn aside(&self, _place: &Place) -> Option<&dyn View> {
        None
    }

    /// The same, to change.
    fn aside_mut(&mut self, _place: &Place) -> Option<&mut dyn View> {
        None
    }

    /// What it is in the middle of, with what the keys mean then; stands at the foot as long as it lasts.
    fn mode(&self, _cx: &Ctx) -> Option<String> {
        None
    }

    /// Draws. Any size must do, 0×0 too.
    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx);
}
