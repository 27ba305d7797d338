//! What the lines of the file in the source pane cost: on the CPU by the profile's and the trace's samples, and blocked.

use super::Source;
use crate::analysis::clock::Overlap;
use crate::analysis::cost::join;
use crate::analysis::cost::join::{Lines, Verdict};
use crate::analysis::waits::links::Options;
use crate::base::{Duration, Time, text};
use crate::query::quoted;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::jobs::{Job, JobCtx};
use crate::tui::app::search;
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::widgets::lookup::Lookup;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::FxHashMap;

/// Columns of the terminal that both costs take.
const WIDTH: u16 = 2 * (CELL + 1);
const CELL: u16 = 7;
/// The narrowest pane that has them: in a narrower one the text needs the room more.
const NARROWEST: u16 = 56;
/// Most events that are summed up without being asked for by a window: all of them have to be decoded once more.
const MOST: u64 = 32 << 20;

/// What costs were summed up for.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    window: Option<(Time, Time)>,
    only: Option<String>,
    profiles: usize,
}

/// What a line cost.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cost {
    /// On the CPU.
    cpu: Duration,
    blocked: Duration,
}

/// What all lines cost.
#[derive(Debug)]
pub struct Costs {
    /// By file, as the trace calls it, and by line.
    files: FxHashMap<String, FxHashMap<u32, Cost>>,
    /// Where there are profiles beside the trace: how well they fit.
    matched: String,
}

/// The costs, as far as they have been asked for.
#[derive(Default)]
pub struct Column {
    found: Lookup<Key, Costs>,
}

impl Column {
    /// Whether there is a column in a pane of this width.
    pub fn width(cx: &Ctx, pane: u16) -> u16 {
        let has = cx.place.view != ViewId::Profile && pane >= NARROWEST && key(cx).is_some();
        if has { WIDTH } else { 0 }
    }

    /// The work that is to be done for what is shown now, once.
    pub fn ask(&mut self, cx: &Ctx, pane: u16) -> Option<Job> {
        let key = key(cx).filter(|_| Column::width(cx, pane) > 0)?;
        if !self.found.want(&key) {
            return None;
        }
        let profiles = cx.profiles.to_vec();
        let work = move |cx: &JobCtx| {
            let filter = search::compile(cx, key.only.as_deref())?;
            let (from, to) = key.window.unwrap_or((Time::MIN, Time::MAX));
            let profiles: Vec<_> = profiles.iter().map(|p| (p.name.as_str(), &p.profile)).collect();
            let lines = join::lines(cx, &profiles, Options { from, to, filter: filter.as_ref() })?;
            Ok((key, Costs::new(&lines)))
        };
        Some(Job::new("costs", work, |pane: &mut Source, (key, costs), _, _| {
            pane.costs.found.take(key, costs);
        }))
    }

    fn current(&self, cx: &Ctx) -> Option<&Costs> {
        self.found.of(&key(cx)?).map(|c| &**c)
    }

    /// What is shown of a file's costs in a pane of a width.
    fn shown(&self, cx: &Ctx, file: &str, pane: u16) -> Option<&Costs> {
        self.current(cx).filter(|c| Column::width(cx, pane) > 0 && c.files.contains_key(file))
    }

    /// What the columns are, for the pane's title; empty if there are none.
    pub fn title(&self, cx: &Ctx, file: &str, pane: u16) -> &'static str {
        if self.shown(cx, file, pane).is_some() { " · on CPU, blocked" } else { "" }
    }

    /// How well the profiles fit that the costs come from, in lines of the pane's width; none if there is no profile.
    pub fn note(&self, cx: &Ctx, file: &str, pane: u16) -> Vec<String> {
        let room = usize::from(pane.saturating_sub(2));
        self.shown(cx, file, pane).map_or(Vec::new(), |c| text::wrap(&c.matched, room))
    }

    /// What the lines of a file cost, as far as it is known.
    pub fn of(&self, cx: &Ctx, file: &str) -> Option<&FxHashMap<u32, Cost>> {
        self.current(cx)?.files.get(file)
    }
}

impl Cost {
    /// Writes it at `x` and returns where to go on.
    pub fn render(&self, (area, x, y): (Rect, u16, u16), buf: &mut Buffer, cx: &Ctx) -> u16 {
        for (i, (d, role)) in [(self.cpu, Role::Sample), (self.blocked, Role::Waiting)].into_iter().enumerate() {
            if d > Duration::ZERO {
                let text = format!("{:>width$}", d.to_string(), width = usize::from(CELL));
                write(buf, area, x + i as u16 * (CELL + 1), y, &text, cx.theme.style(role));
            }
        }
        x + WIDTH
    }
}

/// What there is to be summed up; nothing while the trace is read, and where that would take long.
fn key(cx: &Ctx) -> Option<Key> {
    if cx.no_trace() || !cx.index.complete {
        return None;
    }
    let window = cx.place.window();
    let inside = |s: &&crate::model::SegmentInfo| window.is_none_or(|(from, to)| s.from < to && s.to >= from);
    let events: u64 = cx.index.segments.iter().filter(inside).map(|s| u64::from(s.len)).sum();
    let only = match (cx.place.only().and_then(|g| cx.index.goroutine(g)), cx.place.group()) {
        (Some(g), _) => Some(format!("g:{}", g.id.0)),
        (None, Some(g)) => Some(format!("group:{}", quoted(cx.index.group_name(g)))),
        (None, None) => None,
    };
    (events <= MOST).then_some(Key { window, only, profiles: cx.profiles.len() })
}

impl Costs {
    fn new(lines: &Lines) -> Costs {
        // Each profile is matched with what those before it have left.
        let joined: Vec<_> = lines.matched.iter().filter(|m| m.verdict == Verdict::Joined).collect();
        let (n, of) = (joined.iter().map(|m| m.matched()).sum(), joined.first().map_or(0, |m| m.trace));
        let mut files: FxHashMap<String, FxHashMap<u32, Cost>> = FxHashMap::default();
        for l in &lines.lines {
            let cpu = Duration(if of > 0 { l.profile.own } else { l.trace.own });
            let cost = files.entry(l.file.clone()).or_default().entry(l.line).or_default();
            cost.cpu += cpu;
            cost.blocked += l.blocked;
        }
        let mut matched = Vec::new();
        if of > 0 {
            matched.push(format!("{} of {} samples matched", text::count(n), text::count(of)));
        }
        // Where the profile leaves a part of the trace to others, or has no part in it.
        for m in &lines.matched {
            match (m.verdict, m.overlap) {
                (Verdict::Elsewhen, Some(o)) => matched.push(format!("profile {}", o.words(lines.of))),
                (Verdict::Joined, Some(o @ Overlap::Within { from, to })) if (from, to) != lines.of => {
                    matched.push(o.words(lines.of));
                }
                _ => {}
            }
        }
        let matched = matched.join(", ");
        Costs { files, matched }
    }
}
