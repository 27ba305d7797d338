//! Panels: the chain of waits behind one, what its time went into, and what goroutines queue for.

use super::{Overlay, Panel, PanelLine, Panelled};
use crate::analysis::waits::contention::{Contention, WHOLE, What, contention_in};
use crate::analysis::waits::coroutine;
use crate::analysis::waits::links::Party;
use crate::analysis::waits::path;
use crate::analysis::waits::path::{Path, Window};
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, StackId, Time, text as base};
use crate::model::Index;
use crate::model::Waker;
use crate::model::places::Places;
use crate::model::reasons::{Reasons, WaitKind};
use crate::report::{contention as report, why};
use crate::tui::app::jobs::{Job, JobCtx, Slot};
use crate::tui::app::nav::Target;
use crate::tui::app::route::RouteRef;
use crate::tui::app::zoom;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};
use std::sync::Arc;

/// Lines of the ranked list, and of the path in time order.
const SHARES: usize = 20;
const STEPS: usize = 200;
/// What others did meanwhile, at most.
const MEANWHILE: usize = 3;

/// The slot of jobs whose answers lie over the views.
pub fn slot() -> Slot {
    Slot::of::<Overlay>("panel")
}

/// A job whose answer lies over the views. Whoever has opened something else meanwhile is busy with that.
fn panel(work: impl FnOnce(&JobCtx) -> Result<Panelled, String> + Send + 'static) -> Job {
    Job::new("panel", work, |overlay: &mut Overlay, shown, _, _| {
        if !overlay.is_some() {
            *overlay = Overlay::Panel(Panel::new(Arc::new(shown)));
        }
    })
}

/// A job that shows the chain of the wait that event `began` begins.
pub fn chain(began: EventNo) -> Job {
    panel(move |cx| path::chain(cx, began).map(|c| chain_panel(&cx.trace.index(), &c)))
}

fn chain_panel(index: &Index, chain: &path::Chain) -> Panelled {
    let links = &chain.links;
    let places = Places::new(&index.dict);
    let reasons = Reasons::default();
    let mut lines = Vec::new();
    for (i, l) in links.iter().enumerate() {
        let w = &l.wait;
        let indent = "  ".repeat(i.min(20));
        let (wait, ended) = ((w.reason, w.stack), (l.waker, path::waker_stack(l)));
        let reason = coroutine::refine(index, &reasons, w.go, wait, ended);
        let reason = reasons.get(reason);
        let spaced = |place| match places.line(index, place) {
            s if s.is_empty() => s,
            s => format!("  {s}"),
        };
        let at = coroutine::line(index, &places, w.go, wait, l.waker);
        lines.push(PanelLine {
            spans: vec![
                (format!("{indent}{}", why::goroutine(index, w.go)), Role::Title),
                (format!(" waited {} for ", w.len()), Role::Text),
                (base::escape(&reason.name).into_owned(), Theme::wait_role(reason.class.kind())),
                (spaced(at), Role::Accent),
            ],
            target: Some(Target { go: w.go, at: w.from, far: true }),
            ..PanelLine::default()
        });
        let ended = text::instant(w.to - index.start);
        lines.push(match l.waker {
            Waker::Go(g) => PanelLine {
                spans: vec![
                    (format!("{indent}  until "), Role::Dim),
                    (why::goroutine(index, g), Role::Text),
                    (format!(" unblocked it at {ended}"), Role::Dim),
                    (spaced(places.user(path::waker_stack(l))), Role::Accent),
                ],
                target: Some(Target { go: g, at: w.to, far: true }),
                ..PanelLine::default()
            },
            other => {
                let who = Party::of(other, index).words();
                PanelLine::plain(format!("{indent}  until {ended}: {who}"), Role::Dim)
            }
        });
    }
    if let (Some(path::Link { waker: Waker::Go(g), .. }), Some(spent)) = (links.last(), &chain.spent) {
        let mut did = vec![
            (spent.running, "on CPU".to_owned()),
            (spent.runnable, "waiting for a P".to_owned()),
            (spent.syscall, in_syscall(index, &places, &reasons, spent.stack)),
        ];
        did.retain(|d| d.0 > Duration::ZERO);
        did.sort_by_key(|d| std::cmp::Reverse(d.0));
        let did: Vec<String> = did.into_iter().map(|(d, what)| format!("{d} {what}")).collect();
        let did = if did.is_empty() { String::new() } else { format!(": {}", did.join(", ")) };
        let text = format!("{} was not blocked{did}", why::goroutine(index, *g));
        lines.push(PanelLine::plain(format!("{}{text}", "  ".repeat(links.len().min(20))), Role::Dim));
    }
    let first = links.first().map_or(GoIdx::NONE, |l| l.wait.go);
    let who = text::goroutine(index, first);
    let route = RouteRef::of_chain(links, format!("chain of a wait of {who}"));
    Panelled { title: format!("the chain of this wait of {who}; Enter: on the timeline"), lines, route: Some(route) }
}

/// Which syscall, and where it was called.
fn in_syscall(index: &Index, places: &Places, reasons: &Reasons, stack: StackId) -> String {
    let name = base::escape(&reasons.get(reasons.syscall(&index.dict, stack)).name).into_owned();
    match places.line(index, places.user(stack)) {
        at if at.is_empty() => format!("in {name}"),
        at => format!("in {name} at {at}"),
    }
}

/// Locks and channels shown.
const LOCKS: usize = 20;

/// The kind of what goroutines queue for.
fn kind(what: What) -> WaitKind {
    if what == What::Channel { WaitKind::Channel } else { WaitKind::Lock }
}

/// A job that shows the locks and channels that goroutines queue for, in a range if one is selected; each leads to its longest
/// wait.
pub fn locks(range: Option<(Time, Time)>) -> Job {
    let window = range.unwrap_or(WHOLE);
    panel(move |cx| contention_in(cx, None, window).map(|c| locks_panel(&cx.trace.index(), &c)))
}

fn locks_panel(index: &Index, c: &Contention) -> Panelled {
    let mut lines = Vec::new();
    let within = if c.narrowed { " in the range" } else { "" };
    let heading = format!(
        "{:>8} {:>8} {:>8} {:>11} {:>10}  locks and channels",
        "total",
        "waits",
        "max",
        "max waiters",
        report::whole(c.narrowed)
    );
    lines.push(match c.classes.is_empty() {
        true => PanelLine::plain(format!("no goroutine was blocked on a lock or a channel{within}"), Role::Dim),
        false => PanelLine::plain(heading, Role::Heading),
    });
    for x in c.classes.iter().take(LOCKS) {
        let (go, at) = x.longest_wait;
        let numbers = format!(
            "{:>8} {:>8} {:>8} {:>11} {:>10}  ",
            x.total.to_string(),
            base::count(x.waits),
            x.max.to_string(),
            base::count(x.depth_max),
            why::percent(x.busy, c.length())
        );
        lines.push(PanelLine {
            spans: vec![(numbers, Role::Title), (report::kind(x), Theme::wait_role(kind(x.what)))],
            target: go.is_some().then_some(Target { go, at, far: true }),
            zoom: Some(zoom::filled_by(at, at + x.max)),
        });
        let notes = report::notes(c, index, x).into_iter();
        lines.extend(notes.map(|n| PanelLine::plain(format!("{:>10}{n}", ""), Role::Dim)));
    }
    if c.classes.len() > LOCKS {
        lines.push(PanelLine::plain(format!("{:>10}{} more", "", c.classes.len() - LOCKS), Role::Dim));
    }
    Panelled {
        title: format!("locks and channels that goroutines queue for{within}; Enter: the longest wait"),
        lines,
        route: None,
    }
}

/// A job that shows the critical path of a window; `of` says what that is, not escaped.
pub fn path(window: Window, of: String) -> Job {
    panel(move |cx| path::path(cx, window).map(|p| path_panel(&cx.trace.index(), &p, &of)))
}

fn path_panel(index: &Index, path: &Path, of: &str) -> Panelled {
    let whole = path.window.to - path.window.from;
    let heading = |s: &str| PanelLine::plain(s, Role::Heading);
    let mut lines = vec![heading(&format!("{:>9} {:>8} {:>6}  what the time went into", "time", "% of it", "times"))];
    let shares = path.shares(index);
    for s in shares.iter().take(SHARES) {
        lines.push(PanelLine {
            spans: vec![
                (format!("{:>9} {:>8}", s.total.to_string(), why::percent(s.total, whole)), Role::Title),
                (format!(" {:>6}  ", base::count(s.count)), Role::Dim),
                (why::sentence(path, index, s), Role::Text),
            ],
            ..PanelLine::default()
        });
        for m in s.meanwhile.iter().take(MEANWHILE) {
            let text = format!("{:>26}{:>9}  {}", "", m.time.to_string(), why::meanwhile(path, index, m));
            lines.push(PanelLine::plain(text, Role::Dim));
        }
    }
    if shares.len() > SHARES {
        let rest: Duration = shares[SHARES..].iter().map(|s| s.total).sum();
        let text = format!(
            "{:>9} {:>8} {:>6}  {} more",
            rest.to_string(),
            why::percent(rest, whole),
            "",
            shares.len() - SHARES
        );
        lines.push(PanelLine::plain(text, Role::Dim));
    }
    let sum = format!("{:>9} {:>8} {:>6}  total", path.total().to_string(), why::percent(path.total(), whole), "");
    lines.push(PanelLine::plain(sum, Role::Dim));
    lines.push(PanelLine::default());
    lines.push(heading(&format!("{:>9} {:>9}  in time order", "at", "for")));
    lines.extend(steps(index, path));
    let of = base::escape(of);
    let route = RouteRef::of_path(path, format!("critical path of {of}"));
    Panelled { title: format!("critical path · {of} · {whole}; Enter: on the timeline"), lines, route: Some(route) }
}

/// The longest steps of a path in time order; each leads to where it begins.
fn steps(index: &Index, path: &Path) -> Vec<PanelLine> {
    let (rows, left_out, least) = why::rows::rows(path, index, STEPS);
    let line = |r: why::rows::Row| {
        let at = (r.from - path.window.from).to_string();
        let indent = "  ".repeat(usize::from(r.depth.min(20)));
        PanelLine {
            spans: vec![
                (format!("{at:>9} "), Role::Dim),
                (format!("{:>9}  ", r.len.to_string()), Role::Text),
                (format!("{indent}{} ", r.who), Role::Title),
                (r.what, Role::Text),
            ],
            target: Some(Target { go: r.go, at: r.from, far: true }),
            ..PanelLine::default()
        }
    };
    let mut lines: Vec<PanelLine> = rows.into_iter().map(line).collect();
    if left_out > 0 {
        lines.push(PanelLine::plain(format!("{:>19}  and {left_out} of {least} or less", ""), Role::Dim));
    }
    lines
}
