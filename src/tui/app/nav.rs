//! Where the user is: view, cursor, narrowing, and the way back.

use super::catalog::ViewId;
use super::route::RouteRef;
use super::sheet::Sheet;
use crate::analysis::cost::lenses::LensNo;
use crate::analysis::profile::cut::Cut;
use crate::analysis::spans::KindNo;
use crate::analysis::timeline::Counted;
use crate::base::EventNo;
use crate::base::{FrameId, GoIdx, GroupId, ProcIdx, StringId, Time};

/// Something that restricts what all views show.
#[derive(Clone, PartialEq, Debug)]
pub enum Narrow {
    /// From the first instant to before the second.
    Window(Time, Time),
    /// The goroutines of a group.
    Group(GroupId),
    /// One goroutine.
    Go(GoIdx),
    /// The events that a query matches.
    Query(String),
    /// In profiles, the samples with a function or a label, or without; there may be several.
    Cut(Cut),
}

impl Narrow {
    /// Whether it takes the place of another one.
    fn replaces(&self, o: &Narrow) -> bool {
        match self {
            Narrow::Cut(_) => self == o,
            _ => std::mem::discriminant(self) == std::mem::discriminant(o),
        }
    }

    /// Whether it says anything in a view.
    pub fn applies(&self, view: ViewId) -> bool {
        view == ViewId::Profile || !matches!(self, Narrow::Cut(_))
    }
}

/// What the cursor can be on where it is not on a goroutine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Row {
    /// The collections.
    Gc,
    /// The stopped worlds.
    Stw,
    /// How many goroutines there are.
    Alive,
    /// How many goroutines are in a state.
    State(Counted),
    /// How many goroutines wait for a P.
    Queue,
    /// The part of the Ps that the GC leaves to the program.
    Mutator,
    /// The heap.
    Heap,
    /// A quarter of the heap's picture, counted from the top.
    HeapPart(u8),
    /// CPU samples.
    Samples,
    /// CPU samples of a lens.
    Lens(LensNo),
    /// All Ps.
    Procs,
    /// One P.
    Proc(ProcIdx),
    /// A group of goroutines.
    Group(GroupId),
    /// The groups of the runtime goroutines.
    System,
    /// What a goroutine's code was at: a row below it. The cursor is on the goroutine as well.
    Inside(GoIdx, Inner),
    /// The critical path that is shown.
    Path,
    /// The spans of one kind and name. It is there in the view of spans alone, and leaves the goroutine to the others.
    Span(KindNo, StringId),
}

/// A row below a goroutine, counted from the outermost.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Inner {
    /// Regions that it was in.
    Region(u8),
    /// Frames of its stacks.
    Frame(u8),
}

/// A place one can be at and come back to.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    /// The view in the body.
    pub view: ViewId,
    /// What stands there in its place, if anything.
    pub sheet: Option<Sheet>,
    /// The cursor in time.
    pub at: Time,
    /// The goroutine under the cursor.
    pub go: GoIdx,
    /// What else is under the cursor, if it is not a goroutine; see [`Place::subject`].
    pub row: Option<Row>,
    /// The window that the timeline is zoomed to, inside of the selected one; `None` shows all of that.
    pub zoom: Option<(Time, Time)>,
    /// The goroutines that the timeline shows alone, and who of them let whom go.
    pub route: Option<RouteRef>,
    /// The event under the cursor, where it is one.
    pub event: Option<EventNo>,
    /// The frame whose source is shown; `NONE` leaves the choice to the detail pane.
    pub frame: FrameId,
    /// Which of the profiles is shown.
    pub profile: usize,
    /// What restricts the views, first applied first; at most one of a kind, but for cuts.
    pub narrowing: Vec<Narrow>,
}

impl Place {
    /// The start of a trace.
    pub fn new(view: ViewId, at: Time) -> Place {
        Place {
            view,
            sheet: None,
            at,
            go: GoIdx::NONE,
            row: None,
            zoom: None,
            route: None,
            event: None,
            frame: FrameId::NONE,
            profile: 0,
            narrowing: Vec::new(),
        }
    }

    /// What is under the cursor of the view: a goroutine, or else a row of another kind; and the event, if it is on one.
    pub fn subject(&self) -> (GoIdx, Option<Row>, Option<EventNo>) {
        match self.row {
            Some(Row::Span(..)) if self.view == ViewId::Tasks && self.sheet.is_none() => (GoIdx::NONE, self.row, None),
            Some(Row::Span(..)) => (self.go, None, self.event),
            row => (self.go, row.filter(|r| !self.go.is_some() && self.has(*r)), self.event),
        }
    }

    /// Whether the findings are in the body.
    pub fn lists_findings(&self) -> bool {
        self.view.lists_findings() && self.sheet.is_none()
    }

    /// Whether the view has a row: of what is counted over time only some have.
    fn has(&self, row: Row) -> bool {
        matches!(row, Row::Group(_)) || self.view.has_all_rows()
    }

    /// The window that is selected, if any.
    pub fn window(&self) -> Option<(Time, Time)> {
        self.narrowing.iter().find_map(|n| if let Narrow::Window(a, b) = n { Some((*a, *b)) } else { None })
    }

    /// The group that is selected, if any.
    pub fn group(&self) -> Option<GroupId> {
        self.narrowing.iter().find_map(|n| if let Narrow::Group(g) = n { Some(*g) } else { None })
    }

    /// The goroutine that is selected, if any.
    pub fn only(&self) -> Option<GoIdx> {
        self.narrowing.iter().find_map(|n| if let Narrow::Go(g) = n { Some(*g) } else { None })
    }

    /// The query, if any.
    pub fn query(&self) -> Option<&str> {
        self.narrowing.iter().find_map(|n| if let Narrow::Query(q) = n { Some(q.as_str()) } else { None })
    }

    /// Takes off the narrowing that was added last of those that say anything in this view; `false` if there is none.
    fn widen(&mut self) -> bool {
        let Some(last) = self.narrowing.iter().rposition(|n| n.applies(self.view)) else { return false };
        self.narrowing.remove(last);
        true
    }

    /// Adds a narrowing, in place of one of the same kind.
    pub fn narrow(&mut self, n: Narrow) {
        self.narrowing.retain(|o| !n.replaces(o));
        self.narrowing.push(n);
    }

    /// The same place at another view.
    pub fn with_view(&self, view: ViewId) -> Place {
        // A line is of what the cursor was on in the view that chose it.
        let frame = if view == self.view { self.frame } else { FrameId::NONE };
        Place { view, frame, sheet: None, ..self.clone() }
    }

    /// The same place with a sheet in the body.
    pub fn with_sheet(&self, sheet: Sheet) -> Place {
        // A profile is of another trace, or of none.
        let view = if self.view == ViewId::Profile { ViewId::Timeline } else { self.view };
        Place { sheet: Some(sheet), event: None, ..self.with_view(view) }
    }
}

/// Where a link leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The goroutine.
    pub go: GoIdx,
    /// The instant.
    pub at: Time,
    /// Whether it is far enough that `[` should come back from it.
    pub far: bool,
}

/// What `Esc` undoes.
#[derive(Clone, PartialEq, Debug)]
enum Step {
    Into(Place),
    Narrowed,
}

/// The present place, the history for `[` and `]`, and the way down that `Esc` climbs.
#[derive(Clone, PartialEq, Debug)]
pub struct Nav {
    here: Place,
    back: Vec<Place>,
    forward: Vec<Place>,
    steps: Vec<Step>,
}

/// How many places are remembered.
const HISTORY: usize = 200;

impl Nav {
    /// Starts at a place.
    pub fn new(here: Place) -> Nav {
        Nav { here, back: Vec::new(), forward: Vec::new(), steps: Vec::new() }
    }

    /// The present place.
    pub fn here(&self) -> &Place {
        &self.here
    }

    /// Moves the cursor: the present place changes and history does not.
    pub fn here_mut(&mut self) -> &mut Place {
        &mut self.here
    }

    fn leave(&mut self) {
        if self.back.last() != Some(&self.here) {
            self.back.push(self.here.clone());
        }
        if self.back.len() > HISTORY {
            self.back.remove(0);
        }
        self.forward.clear();
    }

    /// Jumps to a place; `[` comes back from it.
    pub fn jump(&mut self, to: Place) {
        if to != self.here {
            self.leave();
            self.here = to;
        }
    }

    /// Goes into something; `Esc` comes back from it, and so does `[`.
    pub fn enter(&mut self, to: Place) {
        if to != self.here {
            if self.steps.len() > HISTORY {
                self.steps.remove(0);
            }
            self.steps.push(Step::Into(self.here.clone()));
            self.jump(to);
        }
    }

    /// Narrows all views; `Esc` takes it off again.
    pub fn narrow(&mut self, n: Narrow) {
        let mut to = self.here.clone();
        to.narrow(n);
        if to != self.here {
            if to.narrowing.len() > self.here.narrowing.len() {
                self.steps.push(Step::Narrowed);
            }
            self.jump(to);
        }
    }

    /// How many steps `Esc` has to undo.
    pub fn depth(&self) -> usize {
        self.steps.len()
    }

    /// Comes back from the last [`enter`](Self::enter) or takes the last narrowing off. `false` if there was nothing to
    /// come back from.
    pub fn escape(&mut self) -> bool {
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Into(place) if place != self.here => {
                    self.jump(place);
                    return true;
                }
                Step::Narrowed => {
                    let mut to = self.here.clone();
                    if to.widen() {
                        self.jump(to);
                        return true;
                    }
                }
                Step::Into(_) => {}
            }
        }
        let mut to = self.here.clone();
        let widened = to.widen();
        self.jump(to);
        widened
    }

    /// Goes back in history.
    pub fn back(&mut self) -> bool {
        let Some(to) = self.back.pop() else { return false };
        self.forward.push(std::mem::replace(&mut self.here, to));
        true
    }

    /// Goes forward again.
    pub fn forward(&mut self) -> bool {
        let Some(to) = self.forward.pop() else { return false };
        self.back.push(std::mem::replace(&mut self.here, to));
        true
    }
}
