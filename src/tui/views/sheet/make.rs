//! What the lists say: the chain of waits behind one, what its time went into, and what goroutines queue for.

use super::panel::{PanelLine, Panelled};
use crate::analysis::waits::contention::{Contended, Contention, Keeper, WHOLE, What, contention_in};
use crate::analysis::waits::coroutine;
use crate::analysis::waits::links::{Party, STILL_BLOCKED, group};
use crate::analysis::waits::path;
use crate::analysis::waits::path::{Path, Share, Window};
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, StackId, Time, text as base};
use crate::model::Index;
use crate::model::Waker;
use crate::model::places::Places;
use crate::model::reasons::{Reason, Reasons, WaitKind};
use crate::report::{contention as report, why};
use crate::tui::app::jobs::JobCtx;
use crate::tui::app::nav::Target;
use crate::tui::app::route::RouteRef;
use crate::tui::app::zoom;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};
use std::cmp::Reverse;

/// Lines of the ranked list, and of the path in time order.
const SHARES: usize = 20;
const STEPS: usize = 200;
/// Steps below a share that is open.
const UNDER: usize = 50;
/// What others did meanwhile, at most.
const MEANWHILE: usize = 3;

/// What went wrong, to be read.
pub fn failed(why: String) -> Panelled {
    let line = PanelLine::plain(base::escape(&why).into_owned(), Role::Error);
    Panelled { title: "this could not be found out".into(), heading: None, lines: vec![line], route: None }
}

/// The chain of the wait that event `began` begins.
///
/// # Errors
///
/// A part of the trace that cannot be read, in words.
pub fn chain(cx: &JobCtx, began: EventNo) -> Result<Panelled, String> {
    Ok(chain_panel(&cx.trace.index(), &path::chain(cx, began)?))
}

/// A wait of a chain in words that are safe to show.
struct Hop {
    link: path::Link,
    reason: Reason,
    /// Where it waited, and where that was ended.
    at: String,
    ended_at: String,
}

impl Hop {
    /// Whether one is of the same kind as another: goroutines of a group that wait for each other at the same lines.
    fn same(&self, o: &Hop, index: &Index) -> bool {
        let of = |h: &Hop| (group(index, h.link.wait.go), matches!(h.link.waker, Waker::Go(_)));
        of(self) == of(o) && (&self.at, &self.ended_at, &self.reason) == (&o.at, &o.ended_at, &o.reason)
    }

    fn what(&self) -> Vec<(String, Role)> {
        vec![
            (base::escape(&self.reason.name).into_owned(), Theme::wait_role(self.reason.class.kind())),
            (self.at.clone(), Role::Accent),
        ]
    }
}

/// Waits of a chain that are alike stand in one line from so many on.
const RUN: usize = 3;

/// Columns of the lengths of waits.
const TIME: u16 = 10;
/// Columns of how long goroutines waited for a lock or a channel.
const TOTAL: u16 = 8;

fn chain_panel(index: &Index, chain: &path::Chain) -> Panelled {
    let places = Places::new(&index.dict);
    let reasons = Reasons::default();
    let spaced = |place| match places.line(index, place) {
        s if s.is_empty() => s,
        s => format!("  {s}"),
    };
    let hop = |link: &path::Link| {
        let (w, waker) = (link.wait, link.waker);
        let (wait, stack) = ((w.reason, w.stack), path::waker_stack(link));
        let reason = reasons.get(coroutine::refine(index, &reasons, w.go, wait, (waker, stack)));
        let at = spaced(coroutine::line(index, &places, w.go, wait, waker));
        Hop { link: *link, reason, at, ended_at: spaced(places.user(stack)) }
    };
    let hops: Vec<Hop> = chain.links.iter().map(hop).collect();
    let mut lines: Vec<PanelLine> = root(index, chain, &hops, (&places, &reasons)).into_iter().collect();
    let (mut i, mut depth) = (0, 0);
    while i < hops.len() {
        let run = hops[i..].iter().take_while(|h| h.same(&hops[i], index)).count();
        let run = if run < RUN { 1 } else { run };
        step(index, &hops[i..i + run], depth, &mut lines);
        (i, depth) = (i + run, depth + 1);
    }
    let first = chain.links.first().map_or(GoIdx::NONE, |l| l.wait.go);
    let who = text::goroutine(index, first);
    let route = RouteRef::of_chain(&chain.links, format!("chain of a wait of {who}"));
    let title = format!("the chain of this wait of {who}; Enter: on the timeline");
    Panelled { title, heading: None, lines, route: Some(route) }
}

/// A wait of a chain and who ended it; of several that are alike, how many there are and how long the longest was.
fn step(index: &Index, run: &[Hop], depth: usize, lines: &mut Vec<PanelLine>) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    let w = &first.link.wait;
    let indent = "  ".repeat(depth.min(20));
    let longest = run.iter().map(|h| h.link.wait.len()).max().unwrap_or_default();
    let (who, waited) = match run.len() {
        1 => (why::goroutine(index, w.go), " waited for "),
        n => (format!("{n} × {}", why::group_name(index, group(index, w.go))), ", each waiting for the next, for "),
    };
    let mut spans = vec![
        (format!("{:>8}  ", longest.to_string()), Role::Title),
        (format!("{indent}{who}"), Role::Title),
        (waited.to_owned(), Role::Text),
    ];
    spans.extend(first.what());
    let target = Some(Target { go: w.go, at: w.from, far: true });
    lines.push(PanelLine { spans, target, ..PanelLine::default() }.fix(TIME));
    let to = last.link.wait.to;
    let ended = text::instant(to - index.start);
    lines.push(match last.link.waker {
        Waker::Go(g) => PanelLine {
            spans: vec![
                (format!("{:>10}{indent}  until ", ""), Role::Dim),
                (why::goroutine(index, g), Role::Text),
                (format!(" unblocked it at {ended}"), Role::Dim),
                (last.ended_at.clone(), Role::Accent),
            ],
            target: Some(Target { go: g, at: to, far: true }),
            ..PanelLine::default()
        }
        .fix(TIME),
        other => {
            let who = Party::of(other, index).words();
            PanelLine::plain(format!("{:>10}{indent}  until {ended}: {who}", ""), Role::Dim).fix(TIME)
        }
    });
}

/// What kept all of a chain waiting: what the last of it did that was not blocked, or its last wait, which nobody of it ended.
fn root(index: &Index, chain: &path::Chain, hops: &[Hop], (places, reasons): (&Places, &Reasons)) -> Option<PanelLine> {
    let last = hops.last()?;
    let w = &last.link.wait;
    let mut line = PanelLine::default().fix(TIME);
    const ROOT: &str = "root cause: ";
    let mut say = |d: Duration, what: &str, who: String| {
        line.spans.push((format!("{:>8}  ", d.to_string()), Role::Title));
        line.spans.push((what.to_owned(), Role::Warning));
        line.spans.push((who, Role::Title));
    };
    match (last.link.waker, &chain.spent) {
        (Waker::Go(g), Some(spent)) => {
            let mut did = vec![
                (spent.running, "on CPU".to_owned()),
                (spent.runnable, "waiting for a P".to_owned()),
                (spent.syscall, in_syscall(index, places, reasons, spent.stack)),
            ];
            did.retain(|d| d.0 > Duration::ZERO);
            did.sort_by_key(|d| Reverse(d.0));
            let sum = did.iter().map(|d| d.0).sum();
            let did: Vec<String> = did.into_iter().map(|(d, what)| format!("{d} {what}")).collect();
            let did = if did.is_empty() { String::new() } else { format!(": {}", did.join(", ")) };
            say(sum, ROOT, why::goroutine(index, g));
            line.spans.push((format!(" was not blocked{did}"), Role::Text));
            line.spans.push((last.ended_at.clone(), Role::Accent));
            line.target = Some(Target { go: g, at: w.to, far: true });
        }
        // It was not kept waiting from before the chain began; what it did since, its path tells.
        (Waker::Go(g), None) => {
            say(w.len(), "the chain ends: ", why::goroutine(index, g));
            line.spans.push((" unblocked the next".into(), Role::Text));
            line.spans.push((last.ended_at.clone(), Role::Accent));
            line.target = Some(Target { go: g, at: w.to, far: true });
        }
        // Who could have ended it, the trace does not show.
        (Waker::Nobody, _) => {
            say(w.len(), "the chain ends: ", why::goroutine(index, w.go));
            line.spans.push((format!(" is {STILL_BLOCKED}: "), Role::Text));
            line.spans.extend(last.what());
            line.spans.push((", and who could end that is not in the trace".into(), Role::Dim));
            line.target = Some(Target { go: w.go, at: w.from, far: true });
        }
        (other, _) => {
            say(w.len(), ROOT, why::goroutine(index, w.go));
            line.spans.push((" waited for ".into(), Role::Text));
            line.spans.extend(last.what());
            line.spans.push((format!(", until {}", Party::of(other, index).words()), Role::Dim));
            line.target = Some(Target { go: w.go, at: w.from, far: true });
        }
    }
    Some(line)
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
const LOCKS: usize = 200;
/// Columns of the name of a lock or a channel in the list of them, before where goroutines wait for it.
const KIND: usize = 13;

/// What the waits of a lock or channel are for, in the room of a column: of several that begin with one word (`RWMutex read,
/// RWMutex write`) that word.
fn short_kind(all: &str) -> &str {
    let mut words = all.split(", ").map(|k| k.split(' ').next().unwrap_or_default());
    let first = words.next().unwrap_or_default();
    if all.len() > KIND && all.contains(", ") && words.all(|w| w == first) { first } else { all }
}

/// The kind of what goroutines queue for.
fn kind(what: What) -> WaitKind {
    if what == What::Channel { WaitKind::Channel } else { WaitKind::Lock }
}

/// The locks and channels that goroutines queue for, in a range if one is selected; each leads to its longest wait.
///
/// # Errors
///
/// A part of the trace that cannot be read, in words.
pub fn locks(cx: &JobCtx, range: Option<(Time, Time)>) -> Result<Panelled, String> {
    let keeper = Keeper::default();
    cx.observe(&keeper)?;
    let c = contention_in(cx, keeper.take().as_ref(), range.unwrap_or(WHOLE))?;
    Ok(locks_panel(&cx.trace.index(), &c))
}

fn locks_panel(index: &Index, c: &Contention) -> Panelled {
    let within = if c.narrowed { " in the range" } else { "" };
    let numbers =
        |total: &str, waits: &str, max: &str, share: &str| format!("{total:>7} {waits:>7} {max:>7} {share:>10}  ");
    let heading = numbers("total", "waits", "max", report::whole(c.narrowed));
    let heading = PanelLine::plain(format!("{heading}{:KIND$}  blocked at", "for"), Role::Heading).fix(TOTAL);
    let mut lines: Vec<PanelLine> = c.classes.iter().take(LOCKS).map(|x| lock(index, c, x, numbers)).collect();
    if c.classes.is_empty() {
        let text = format!("no goroutine was blocked on a lock or a channel{within}");
        lines.push(PanelLine::plain(text, Role::Dim));
    }
    if c.classes.len() > LOCKS {
        lines.push(PanelLine::plain(format!("{:>10}{} more", "", c.classes.len() - LOCKS), Role::Dim));
    }
    Panelled {
        title: format!("locks and channels that goroutines queue for{within}, idle last; Enter: the longest wait"),
        heading: (!c.classes.is_empty()).then_some(heading),
        lines,
        route: None,
    }
}

/// A lock or a channel: its numbers, and what tells it from others: what it is and where most of its waits are.
fn lock(index: &Index, c: &Contention, x: &Contended, numbers: impl Fn(&str, &str, &str, &str) -> String) -> PanelLine {
    let (go, at) = x.longest_wait;
    let share = why::percent(x.busy, c.length());
    let numbers = numbers(&x.total.to_string(), &base::count(x.waits), &x.max.to_string(), &share);
    let kind_of = format!("{:KIND$}  ", base::fit(short_kind(&report::kind(x)), KIND));
    let mut notes = report::notes(c, index, x);
    if let Some(first) = notes.first_mut() {
        *first = format!("max waiters {} · {first}", base::count(x.depth_max));
    }
    // What holds a channel's goroutines up is the answer, and must not be what a low screen leaves out.
    if x.what == What::Channel
        && let Some(verdict) = notes.pop()
    {
        notes.insert(0, verdict);
    }
    if x.idle() {
        notes.insert(0, report::IDLE.into());
    }
    let note = |n: String| PanelLine::plain(format!("{:>4}{n}", ""), Role::Dim).fix(4);
    PanelLine {
        spans: vec![
            (numbers, if x.idle() { Role::Dim } else { Role::Title }),
            (kind_of, Theme::wait_role(kind(x.what))),
            (report::blocked_at(c, index, x), Role::Accent),
        ],
        target: go.is_some().then_some(Target { go, at, far: true }),
        zoom: Some(zoom::filled_by(at, at + x.max)),
        fixed: TOTAL,
        notes: notes.into_iter().map(note).collect(),
        under: Vec::new(),
    }
}

/// Columns of the numbers of a share; of those of what others did meanwhile; and of those of a step.
const SHARE: u16 = 27;
const OTHERS: u16 = 37;
const STEP: u16 = 21;

/// The critical path of a window; `of` says what that is, not escaped.
///
/// # Errors
///
/// A part of the trace that cannot be read, in words.
pub fn path(cx: &JobCtx, window: Window, of: &str) -> Result<Panelled, String> {
    Ok(path_panel(&cx.trace.index(), &path::path(cx, window)?, of))
}

fn path_panel(index: &Index, path: &Path, of: &str) -> Panelled {
    let whole = path.window.to - path.window.from;
    let heading = |s: &str| PanelLine::plain(s, Role::Heading).fix(SHARE);
    let mut lines = vec![heading(&format!("{:>9} {:>8} {:>6}  what the time went into", "time", "% of it", "times"))];
    let shares = path.shares(index);
    for s in shares.iter().take(SHARES) {
        lines.push(PanelLine {
            spans: vec![
                (format!("{:>9} {:>8}", s.total.to_string(), why::percent(s.total, whole)), Role::Title),
                (format!(" {:>6}  ", base::count(s.count)), Role::Dim),
                (why::sentence(path, index, s), Role::Text),
            ],
            target: s.steps.iter().max_by_key(|x| (x.len, Reverse(x.from))).map(|x| at_step(path, x.from)),
            fixed: SHARE,
            under: if s.steps.len() > 1 { share_steps(index, path, s) } else { Vec::new() },
            ..PanelLine::default()
        });
        for m in s.meanwhile.iter().take(MEANWHILE) {
            let text = format!("{:>26}{:>9}  {}", "", m.time.to_string(), why::meanwhile(path, index, m));
            lines.push(PanelLine::plain(text, Role::Dim).fix(OTHERS));
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
        lines.push(PanelLine::plain(text, Role::Dim).fix(SHARE));
    }
    let sum = format!("{:>9} {:>8} {:>6}  total", path.total().to_string(), why::percent(path.total(), whole), "");
    lines.push(PanelLine::plain(sum, Role::Dim).fix(SHARE));
    lines.push(PanelLine::default());
    lines.push(heading(&format!("{:>9} {:>9}  in time order", "at", "for")).fix(STEP));
    lines.extend(steps(index, path));
    let of = base::escape(of);
    let route = RouteRef::of_path(path, format!("critical path of {of}"));
    let title = format!("critical path · {of} · {whole}; Enter opens a sum, shows a step on the timeline");
    Panelled { title, heading: None, lines, route: Some(route) }
}

/// Where a step leads that the goroutine of the path itself took.
fn at_step(path: &Path, from: Time) -> Target {
    Target { go: path.window.go, at: from, far: true }
}

/// The longest steps that a share sums up, which Enter opens below it; each leads to where it begins.
fn share_steps(index: &Index, path: &Path, share: &Share) -> Vec<PanelLine> {
    let (rows, left_out, least) = why::rows::of_share(path, index, share, UNDER);
    let line = |r: why::rows::Row| {
        let text = match r.what.as_str() {
            "" => format!("at {}", r.from - path.window.from),
            what => format!("at {}, {what}", r.from - path.window.from),
        };
        PanelLine {
            spans: vec![(format!("{:>26}{:>9}  ", "", r.len.to_string()), Role::Text), (text, Role::Text)],
            target: Some(at_step(path, r.from)),
            fixed: OTHERS,
            ..PanelLine::default()
        }
    };
    let mut lines: Vec<PanelLine> = rows.into_iter().map(line).collect();
    if left_out > 0 {
        lines.push(PanelLine::plain(format!("{:>37}and {left_out} of {least} or less", ""), Role::Dim));
    }
    lines
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
            fixed: STEP,
            ..PanelLine::default()
        }
    };
    let mut lines: Vec<PanelLine> = rows.into_iter().map(line).collect();
    if left_out > 0 {
        lines.push(PanelLine::plain(format!("{:>19}  and {left_out} of {least} or less", ""), Role::Dim));
    }
    lines
}
