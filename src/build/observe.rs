//! What an analysis that has to see every event is given while a trace is read, so that nothing is decoded twice.

use super::commit::{Handles, Maps};
use crate::base::{GoIdx, ProcIdx, StackId, StringId, Time};
pub use crate::wire::args::Args;
pub use crate::wire::event::{Events, NONE, NONE16, Row};
pub use crate::wire::tables::Tables;

/// An analysis that looks at every event of a trace. Units are read side by side, so each gets a watch of its own; what
/// these found is handed in in the order of the file.
pub trait Observer: Send + Sync {
    /// Begins a unit that starts at `start` and has these strings and stacks. `only` says that the trace is this one unit.
    fn unit(&self, start: Time, tables: &Tables, only: bool) -> Box<dyn Watch>;
}

/// What looks at the events of one unit.
pub trait Watch: Send {
    /// The next events. What their positions mean is known once the unit is [handed in](Watch::commit).
    fn events(&mut self, events: &Events);

    /// There are no more.
    fn end(&mut self);

    /// Hands in what was found; all units before this one have been. `floor` is when the unit before it ended.
    fn commit(self: Box<Self>, names: &Names, floor: Time);
}

/// The trace's own handles for the positions in one unit's tables.
pub struct Names<'a> {
    pub(crate) handles: &'a Handles,
    pub(crate) maps: &'a Maps,
    pub(crate) recording: usize,
}

impl Names<'_> {
    /// A goroutine.
    pub fn go(&self, i: u32) -> GoIdx {
        self.handles.gos.get(i as usize).copied().unwrap_or_default()
    }

    /// A P.
    pub fn proc(&self, i: u16) -> ProcIdx {
        self.handles.procs.get(usize::from(i)).copied().unwrap_or_default()
    }

    /// The number of the recording in its file, from 0 on.
    pub fn recording(&self) -> usize {
        self.recording
    }

    /// A string.
    pub fn string(&self, i: u32) -> StringId {
        self.maps.string(i)
    }

    /// A stack.
    pub fn stack(&self, i: u32) -> StackId {
        self.maps.stack(i)
    }
}

/// Two analyses that look at the same events.
pub struct Both<'a>(pub &'a dyn Observer, pub &'a dyn Observer);

struct Watches(Box<dyn Watch>, Box<dyn Watch>);

impl Observer for Both<'_> {
    fn unit(&self, start: Time, tables: &Tables, only: bool) -> Box<dyn Watch> {
        Box::new(Watches(self.0.unit(start, tables, only), self.1.unit(start, tables, only)))
    }
}

impl Watch for Watches {
    fn events(&mut self, events: &Events) {
        self.0.events(events);
        self.1.events(events);
    }

    fn end(&mut self) {
        self.0.end();
        self.1.end();
    }

    fn commit(self: Box<Self>, names: &Names, floor: Time) {
        self.0.commit(names, floor);
        self.1.commit(names, floor);
    }
}
