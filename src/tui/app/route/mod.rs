//! A route: goroutines that waited for each other, to be drawn together on the timeline with arrows between them.

use super::zoom;
use crate::analysis::timeline::{Strip, Window};
use crate::analysis::waits::path::{Link, Path, Piece, What};
use crate::base::{Duration, GoIdx, Time};
use crate::model::Waker;
use crate::model::reasons::WaitKind;
use crate::model::{Cell, Lane};
use rustc_hash::{FxHashMap, FxHashSet};
use std::cmp::Reverse;
use std::sync::Arc;

/// Most goroutines that get a lane. A path through more keeps those that most of its time is laid to.
const MAX_LANES: usize = 1000;

/// One goroutine unblocks another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// When.
    pub at: Time,
    /// Who ends the wait.
    pub from: GoIdx,
    /// Who waited.
    pub to: GoIdx,
    /// How long that one had waited.
    pub waited: Duration,
}

/// Cells of the path's lane that are one goroutine's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// First cell.
    pub from: usize,
    /// Cell after the last.
    pub to: usize,
    /// Whose time it is.
    pub go: GoIdx,
}

/// A chain of waits or a critical path, as the timeline shows it.
#[derive(Debug)]
pub struct Route {
    /// What it is, safe to show.
    pub title: String,
    /// When what was asked about begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// Who takes part, the one that was asked about first.
    pub lanes: Vec<GoIdx>,
    /// Who let whom go, in order of time.
    pub arrows: Vec<Arrow>,
    /// The pieces of a critical path, in order of time; none for a chain.
    pieces: Vec<Piece>,
}

/// What a window shows of a route. It is kept as long as both stay, for a path may have very many pieces.
#[derive(Debug)]
pub struct Sight {
    route: RouteRef,
    window: Window,
    /// See [`Route::lane`].
    pub lane: (Strip, Vec<Stretch>),
    /// See [`Route::lit`].
    pub lit: FxHashMap<GoIdx, Vec<bool>>,
    /// See [`Route::arrows_in`].
    pub arrows: Vec<(usize, Arrow)>,
}

impl Sight {
    /// Brings `kept` up to date.
    pub fn keep(kept: &mut Option<Sight>, route: Option<&RouteRef>, window: Window) {
        if kept.as_ref().is_some_and(|s| Some(&s.route) == route && s.window == window) {
            return;
        }
        *kept = route.map(|route| Sight {
            route: route.clone(),
            window,
            lane: route.lane(window),
            lit: route.lit(window),
            arrows: route.arrows_in(window),
        });
    }

    /// What was kept, if it is what this window shows of this route.
    pub fn of<'a>(kept: &'a Option<Sight>, route: &RouteRef, window: Window) -> Option<&'a Sight> {
        kept.as_ref().filter(|s| s.route == *route && s.window == window)
    }
}

/// A shared route. Two are equal if they are the same one.
#[derive(Clone)]
pub struct RouteRef(pub Arc<Route>);

impl PartialEq for RouteRef {
    fn eq(&self, other: &RouteRef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for RouteRef {}

impl std::fmt::Debug for RouteRef {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_tuple("RouteRef").field(&self.title).finish()
    }
}

impl std::ops::Deref for RouteRef {
    type Target = Route;

    fn deref(&self) -> &Route {
        &self.0
    }
}

impl RouteRef {
    /// The route of a chain of waits, which is not empty.
    pub fn of_chain(links: &[Link], title: String) -> RouteRef {
        let mut lanes = Vec::new();
        let mut arrows = Vec::new();
        let (mut from, mut to) = (Time::MAX, Time::MIN);
        for l in links.iter().take(MAX_LANES) {
            let w = &l.wait;
            add(&mut lanes, w.go);
            (from, to) = (from.min(w.from), to.max(w.to));
            if let Waker::Go(g) = l.waker {
                add(&mut lanes, g);
                arrows.push(Arrow { at: w.to, from: g, to: w.go, waited: w.to - w.from });
            }
        }
        arrows.sort_by_key(|a| a.at);
        RouteRef(Arc::new(Route { title, from, to, lanes, arrows, pieces: Vec::new() }))
    }

    /// The route of a critical path.
    pub fn of_path(path: &Path, title: String) -> RouteRef {
        let mut laid: FxHashMap<GoIdx, Duration> = FxHashMap::default();
        for p in &path.pieces {
            *laid.entry(p.go).or_default() += p.len();
        }
        for h in &path.hops {
            laid.entry(h.waker).or_default();
            laid.entry(h.go).or_default();
        }
        laid.remove(&path.window.go);
        let mut kept: Vec<(GoIdx, Duration)> = laid.into_iter().collect();
        kept.sort_by_key(|&(g, d)| (Reverse(d), g));
        kept.truncate(MAX_LANES - 1);
        // In the order in which the path comes to them, so that most arrows lead from one lane to the next.
        let mut left: FxHashSet<GoIdx> = kept.iter().map(|k| k.0).collect();
        let mut lanes = vec![path.window.go];
        lanes.extend(path.pieces.iter().map(|p| p.go).filter(|g| left.remove(g)));
        lanes.extend(kept.iter().map(|k| k.0).filter(|g| left.remove(g)));
        let seen: FxHashSet<GoIdx> = lanes.iter().copied().collect();
        let hops = path.hops.iter().filter(|h| seen.contains(&h.waker) && seen.contains(&h.go));
        let mut arrows: Vec<Arrow> =
            hops.map(|h| Arrow { at: h.to, from: h.waker, to: h.go, waited: h.len() }).collect();
        arrows.sort_by_key(|a| a.at);
        let (from, to) = (path.window.from, path.window.to);
        RouteRef(Arc::new(Route { title, from, to, lanes, arrows, pieces: path.pieces.clone() }))
    }
}

fn add(lanes: &mut Vec<GoIdx>, g: GoIdx) {
    if !lanes.contains(&g) {
        lanes.push(g);
    }
}

impl Route {
    /// Whether it has a path, and not only waits.
    pub fn has_path(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The window of time that shows it whole, with a little around it.
    pub fn zoom(&self) -> (Time, Time) {
        zoom::filled_by(self.from, self.to)
    }

    /// The pieces that a window touches.
    fn within(&self, window: Window) -> &[Piece] {
        let first = self.pieces.partition_point(|p| p.to <= window.from);
        let last = self.pieces.partition_point(|p| p.from < window.to);
        self.pieces.get(first..last).unwrap_or(&[])
    }

    /// The goroutine that an instant is laid to.
    pub fn at(&self, t: Time) -> Option<GoIdx> {
        let p = &self.pieces[self.pieces.partition_point(|p| p.to <= t)..];
        p.first().filter(|p| p.from <= t).map(|p| p.go)
    }

    /// The path as one lane, and whose time it is, in order of time, cells from 0 on. A cell is given to whoever has the most of it.
    pub fn lane(&self, window: Window) -> (Strip, Vec<Stretch>) {
        let mut cells = vec![Cell::default(); window.width];
        let mut kinds = vec![None; window.width];
        let mut most: Vec<(Duration, GoIdx)> = vec![(Duration::ZERO, GoIdx::NONE); window.width];
        for p in self.within(window) {
            for (i, d) in shares(p, window) {
                let c = &mut cells[i];
                match p.what {
                    What::Running => c.running += d,
                    What::Runnable | What::NoP | What::Wakeup | What::Stopped => c.runnable += d,
                    What::Syscall => c.syscall += d,
                    What::Waiting(by) => {
                        // What no goroutine ended.
                        kinds[i] = Some(match by {
                            Waker::Network => WaitKind::Io,
                            Waker::Timer => WaitKind::Timer,
                            _ => WaitKind::Other,
                        });
                        c.waiting += d;
                        c.longest_wait = c.longest_wait.max(p.len());
                    }
                    What::Absent | What::Untraced => {}
                }
                if d > most[i].0 {
                    most[i] = (d, p.go);
                }
            }
        }
        let mut stretches: Vec<Stretch> = Vec::new();
        for (i, &(_, go)) in most.iter().enumerate().filter(|(_, m)| m.1.is_some()) {
            match stretches.last_mut() {
                Some(s) if s.to == i && s.go == go => s.to = i + 1,
                _ => stretches.push(Stretch { from: i, to: i + 1, go }),
            }
        }
        // The lane is nobody's in the index: only its cells are looked at.
        let strip = Strip { lane: Lane::All, window, cells, marks: Vec::new(), kinds, exact: true };
        (strip, stretches)
    }

    /// For each goroutine that has a lane, the cells in which the path is in it.
    pub fn lit(&self, window: Window) -> FxHashMap<GoIdx, Vec<bool>> {
        let of: FxHashSet<GoIdx> = self.lanes.iter().copied().collect();
        let mut out: FxHashMap<GoIdx, Vec<bool>> = FxHashMap::default();
        for p in self.within(window).iter().filter(|p| of.contains(&p.go)) {
            let cells = out.entry(p.go).or_insert_with(|| vec![false; window.width]);
            shares(p, window).for_each(|(i, _)| cells[i] = true);
        }
        out
    }

    /// The arrows worth drawing in a window: of waits that can be seen there, by cell, and in a cell the longest first.
    pub fn arrows_in(&self, window: Window) -> Vec<(usize, Arrow)> {
        let first = self.arrows.partition_point(|a| a.at < window.from);
        let seen = self.arrows[first..].iter().take_while(|a| a.at <= window.to);
        let long = seen.filter(|a| a.waited.0 >= window.cell_span().0.saturating_mul(2));
        // What ends with the window is drawn in its last cell.
        let mut out: Vec<(usize, Arrow)> =
            long.filter_map(|a| Some((window.cell(a.at.min(window.to - Duration(1)))?, *a))).collect();
        out.sort_by_key(|(cell, a)| (*cell, Reverse(a.waited)));
        out
    }
}

/// The cells of a window that a piece touches, each with the time it takes of it.
fn shares(p: &Piece, window: Window) -> impl Iterator<Item = (usize, Duration)> {
    let (from, to) = (p.from.max(window.from), p.to.min(window.to));
    let cells = match (window.cell(from), window.cell(to - Duration(1))) {
        (Some(a), Some(b)) if from < to => a..b + 1,
        _ => 0..0,
    };
    cells.map(move |i| (i, window.edge(i + 1).min(to) - window.edge(i).max(from)))
}

#[cfg(test)]
mod tests;
