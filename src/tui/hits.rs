//! The events that the query matches, as far as the search has come.

use crate::base::{GoIdx, ProcIdx, StackId, Time};
use crate::store::{EventNo, Index, Lane};
use crate::wire::event::Kind;

/// One event that matches.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hit {
    /// Its number.
    pub no: EventNo,
    /// When it happened.
    pub time: Time,
    /// What happened.
    pub kind: Kind,
    /// The goroutine it happened to.
    pub go: GoIdx,
    /// The P it happened on.
    pub proc: ProcIdx,
    /// Its stack.
    pub stack: StackId,
}

/// All of them, in order of event number (and so of time).
#[derive(Clone, Default, Debug)]
pub struct Hits {
    /// The query's text.
    pub query: String,
    /// The hits found so far.
    pub list: Vec<Hit>,
    /// Whether the whole trace has been searched.
    pub complete: bool,
}

impl Hits {
    /// The hits at or after `from` and before `to`.
    pub fn between(&self, from: Time, to: Time) -> &[Hit] {
        let a = self.list.partition_point(|h| h.time < from);
        let b = self.list.partition_point(|h| h.time < to);
        &self.list[a..b.max(a)]
    }

    /// How many hits fall on `lane` in each of `width` equal cells of the window `from..to`.
    pub fn ticks(&self, index: &Index, lane: Lane, from: Time, to: Time, width: usize) -> Vec<u32> {
        let mut cells = vec![0; width];
        let span = i128::from((to - from).0.max(1));
        for h in self.between(from, to) {
            let on = match lane {
                Lane::All => true,
                Lane::Proc(p) => h.proc == p,
                Lane::Go(g) => h.go == g,
                Lane::Group(g) => index.goroutine(h.go).is_some_and(|x| x.group == g),
            };
            if on {
                let i = i128::from((h.time - from).0) * width as i128 / span;
                if let Some(c) = cells.get_mut(i as usize) {
                    *c += 1;
                }
            }
        }
        cells
    }
}
