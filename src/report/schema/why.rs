//! A critical path.

use super::{Ender, Place, Version, group_name, number};
use crate::analysis::waits::path::{self, Hop, Path, What};
use crate::model::{Index, Waker};
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// What the time of a window went into: the critical path of a goroutine, a task or a region.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Why {
    /// The version of this form.
    pub schema: Version,
    /// What was asked about: `goroutine 8`, `task request #3`, `region handle`.
    pub of: String,
    /// The number of the goroutine that the path leads back from.
    pub g: Option<u64>,
    /// The beginning of the window.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Its length.
    pub ns: i64,
    /// The sum of the pieces: the window's length.
    pub sum_ns: i64,
    /// The pieces, in order of time: they lie end to end.
    pub pieces: Vec<Piece>,
    /// The waits through which the path leads to another goroutine, in order of time, the outer before the inner. Their
    /// time is that of the pieces inside.
    pub waits: Vec<Wait>,
}

/// What a goroutine did in a piece.
#[derive(Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It ran.
    Running,
    /// It could run, and waited for a P.
    Runnable,
    /// It was in a syscall.
    Syscall,
    /// It was blocked.
    Waiting,
    /// It was not there: it had ended, or the trace does not say who made it.
    Absent,
    /// Nothing is known: the time lies between two recordings.
    Untraced,
}

/// A piece of the path.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Piece {
    /// Its beginning.
    pub from_ns: i64,
    /// Its end.
    pub to_ns: i64,
    /// Its length.
    pub ns: i64,
    /// The number of the goroutine that the time is attributed to.
    pub g: Option<u64>,
    /// How many waits lie between it and the goroutine that was asked about.
    pub depth: u16,
    /// What that goroutine did.
    pub state: State,
    /// If it was blocked, who ended that; else `null`.
    pub ended_by: Option<Ender>,
    /// If it was blocked or in a syscall, in what. A goroutine that is blocked without a reason had not begun to run: a timer
    /// started it.
    pub reason: Option<String>,
    /// The line of user code; if it ran, that of most of its CPU samples.
    pub at: Option<Place>,
    /// CPU samples in it.
    pub cpu_samples: u32,
    /// If it was runnable, who ran on the Ps meanwhile: at most three groups, the longest first.
    pub ps_held_by: Vec<Holder>,
    /// How much of the piece the world was stopped.
    pub stw_ns: i64,
    /// In how much of it the GC was marking.
    pub gc_ns: i64,
    /// How much of it the goroutine assisted the GC.
    pub assist_ns: i64,
    /// If it was runnable, what it waited for; these sum to `ns`.
    pub runnable_ns: Option<Runnable>,
    /// Whom a stop-the-world in it had to wait for.
    pub last_to_stop: Option<LastToStop>,
}

/// What a runnable goroutine waited for, in ns.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Runnable {
    /// While all Ps were busy.
    pub ps_busy: i64,
    /// While a P was idle: wake-up latency.
    pub p_idle: i64,
    /// During stop-the-world.
    pub stw: i64,
}

/// The goroutine that was last to stop.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct LastToStop {
    /// Its number.
    pub g: Option<u64>,
    /// How long the stop waited for it.
    pub waited_ns: i64,
}

/// Goroutines that ran while another waited for a P.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Holder {
    /// Their start function; `null` if it is not known.
    pub group: Option<String>,
    /// How long they ran, summed over Ps.
    pub ns: i64,
}

/// A wait that the path follows to the goroutine that ended it.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Wait {
    /// When it began, or the window did if that was later.
    pub from_ns: i64,
    /// When it ended.
    pub to_ns: i64,
    /// Its length.
    pub ns: i64,
    /// The number of the goroutine that was blocked.
    pub g: Option<u64>,
    /// How many waits lie above it.
    pub depth: u16,
    /// What the goroutine was blocked in.
    pub reason: String,
    /// The line of user code that was blocked.
    pub at: Option<Place>,
    /// Who ended it.
    pub ended_by: Ender,
}

impl Why {
    /// The form of a path; `of` names what was asked about.
    pub fn new(of: &str, path: &Path, index: &Index) -> Why {
        let w = path.window;
        Why {
            schema: Version,
            of: of.to_owned(),
            g: number(index, w.go),
            from_ns: w.from.0,
            to_ns: w.to.0,
            ns: (w.to - w.from).ns(),
            sum_ns: path.total().ns(),
            pieces: path.pieces.iter().map(|p| piece(p, path, index)).collect(),
            waits: path.hops.iter().map(|h| wait(h, path, index)).collect(),
        }
    }
}

fn piece(p: &path::Piece, path: &Path, index: &Index) -> Piece {
    let (state, waker) = match p.what {
        What::Running => (State::Running, None),
        What::Runnable | What::NoP | What::Wakeup | What::Stopped => (State::Runnable, None),
        What::Syscall => (State::Syscall, None),
        What::Waiting(w) => (State::Waiting, Some(w)),
        What::Absent => (State::Absent, None),
        What::Untraced => (State::Untraced, None),
    };
    let holder = |h: &path::Holder| Holder { group: group_name(index, h.group), ns: h.time.ns() };
    Piece {
        from_ns: p.from.0,
        to_ns: p.to.0,
        ns: p.len().ns(),
        g: number(index, p.go),
        depth: p.depth,
        state,
        ended_by: waker.map(|w| Ender::of(w, None, index)),
        reason: p.reason.map(|r| path.reasons.get(r).name),
        at: Place::of(&path.places, index, p.at),
        cpu_samples: p.samples,
        ps_held_by: p.holders.iter().map(holder).collect(),
        stw_ns: p.stw.ns(),
        gc_ns: p.gc.ns(),
        assist_ns: p.assist.ns(),
        runnable_ns: (p.what == What::Runnable).then(|| Runnable {
            ps_busy: (p.len() - p.ready.stw - p.ready.idle).ns(),
            p_idle: p.ready.idle.ns(),
            stw: p.ready.stw.ns(),
        }),
        last_to_stop: p.last_to_stop.map(|l| LastToStop { g: number(index, l.go), waited_ns: l.waited.ns() }),
    }
}

fn wait(h: &Hop, path: &Path, index: &Index) -> Wait {
    Wait {
        from_ns: h.from.0,
        to_ns: h.to.0,
        ns: h.len().ns(),
        g: number(index, h.go),
        depth: h.depth,
        reason: path.reasons.get(h.reason).name,
        at: Place::of(&path.places, index, h.at),
        ended_by: Ender::of(Waker::Go(h.waker), Place::of(&path.places, index, h.waker_at), index),
    }
}
