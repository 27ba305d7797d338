//! What the detail pane says, line by line.

use super::{Found, main_stack};
use crate::analysis::cost::lenses;
use crate::analysis::states::interval::{By, Edge, Interval, by_reason};
use crate::analysis::timeline::{Counted, value_at};
use crate::analysis::waits::coroutine;
use crate::base::text::{bytes, count, escape, goal};
use crate::base::{Duration, FrameId, GoIdx, GroupId, ProcIdx, StackId, Time};
use crate::model::Waker;
use crate::model::index::{Goroutine, Times};
use crate::model::ownership::is_runtime;
use crate::model::reasons::Reasons;
use crate::model::{Cell, Index, Lane, Range};
use crate::tui::app::hits::user_frame;
use crate::tui::app::nav::Row;
use crate::tui::app::nav::Target;
use crate::tui::app::view::Ctx;
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::spans::{Spans, fact};
use crate::wire::event::{GoState, Kind};

/// What Enter does on a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Shows the frame's source.
    Frame(FrameId),
    /// Goes to a goroutine and an instant.
    Go(Target),
}

/// A line of the pane.
#[derive(Clone, Default, Debug)]
pub struct Line {
    /// Its text, in pieces.
    pub spans: Spans,
    /// What Enter does.
    pub act: Option<Act>,
    /// Whether it is the user's frame nearest to the leaf.
    pub user: bool,
}

impl Line {
    fn new(label: &str, text: String) -> Line {
        Line { spans: fact(label, text), ..Line::default() }
    }

    /// The text alone, without the label at its left.
    pub fn plain(&self) -> String {
        let text: String = self.spans.iter().skip(1).map(|s| s.0.as_str()).collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The pane's title.
pub fn title(found: Option<&Found>, cx: &Ctx) -> String {
    let index = cx.index;
    let place = cx.place;
    let (go, row, event) = place.subject();
    let from_start = |t: Time| words::instant(t - index.start);
    if go.is_some() || event.is_some() || matches!(row, Some(Row::Proc(_) | Row::Path)) {
        let Some(found) = found else { return words::goroutine(index, go) };
        if let (Some(e), true) = (&found.event, event.is_some()) {
            let what = if e.kind == Kind::CpuSample { "CPU sample" } else { e.kind.name() };
            return format!("{} {what} · at {}", words::goroutine(index, e.go), from_start(e.time));
        }
        let Some(i) = &found.interval else {
            return match row {
                _ if index.untraced(place.at) => {
                    let who = match row {
                        Some(Row::Proc(p)) if go.some().is_none() => words::proc(index, p),
                        _ => words::goroutine(index, go),
                    };
                    format!("{who} unknown at {}: not traced, between two recordings", from_start(place.at))
                }
                Some(Row::Proc(p)) if go.some().is_none() => format!("{} idle", words::proc(index, p)),
                _ => format!("{} does not exist at {}", words::goroutine(index, go), from_start(place.at)),
            };
        };
        let on = match row {
            Some(Row::Proc(p)) if go.some().is_none() => format!("{}: ", words::proc(index, p)),
            _ => String::new(),
        };
        let why = match i.state {
            GoState::Waiting => format!(": {}", escape(&reason(i, cx))),
            GoState::Runnable if i.reason.is_some() => format!(": {}", escape(&reason(i, cx))),
            // Its names begin with the state's.
            GoState::Syscall => reason(i, cx)
                .strip_prefix("syscall")
                .map_or_else(|| format!(": {}", escape(&reason(i, cx))), |call| escape(call).into_owned()),
            _ => String::new(),
        };
        let open = if i.begin.event().is_none() { "before " } else { "" };
        return format!(
            "{on}{} {}{why} · {}{} · from {open}{}",
            words::goroutine(index, i.go),
            i.state.name().to_lowercase(),
            if i.end.event().is_none() || !open.is_empty() { "at least " } else { "" },
            i.duration(),
            from_start(i.from),
        );
    }
    let within = if place.window().is_some() { " · in the range" } else { "" };
    match row {
        Some(Row::Group(g)) => {
            let members = index.groups.get(g.0 as usize).map_or(&[][..], |g| &g.members);
            let open = members.iter().filter(|m| index.goroutine(**m).is_some_and(|g| g.unfinished())).count();
            let plural = if members.len() == 1 { "" } else { "s" };
            let n = count(members.len() as u64);
            let open = crate::report::links::unfinished(open as u64);
            format!("{} · {n} goroutine{plural}{open}{within}", words::group(index.group_name(g)))
        }
        Some(Row::Gc) => format!("GC cycles{within}"),
        Some(Row::Stw) => format!("stop-the-world{within}"),
        Some(Row::Mutator) => format!("mutator utilisation: the Ps that the GC leaves to the program{within}"),
        Some(Row::Samples) => format!("CPU samples{within}"),
        Some(Row::Lens(l)) => format!("CPU samples in {}{within}", lenses::name(l)),
        Some(Row::Heap | Row::HeapPart(_)) => format!("heap{within}"),
        Some(Row::Alive) => format!("goroutines{within}"),
        Some(Row::State(s)) => format!("goroutines {}{within}", s.name()),
        Some(Row::Queue) => format!("runnable: goroutines that wait for a P{within}"),
        Some(Row::Procs) => format!("{} Ps{within}", index.procs.len()),
        Some(Row::System) => format!("runtime goroutines{within}"),
        _ => String::new(),
    }
}

/// Why a goroutine waits, as all views call it: not the runtime's "sync" but "Mutex", and which case ended a select. Why
/// one is runnable is the runtime's word, if it has one.
fn reason(i: &Interval, cx: &Ctx) -> String {
    let (dict, reasons, wait) = (&cx.index.dict, Reasons::default(), (i.reason, i.stack));
    let id = match i.state {
        GoState::Syscall => reasons.syscall(dict, i.stack),
        GoState::Waiting => {
            let by = match i.waker.map(|w| w.by) {
                Some(By::Goroutine(g)) => g,
                _ => GoIdx::NONE,
            };
            let ended =
                i.waker.map_or((Waker::Nobody, StackId::NONE), |w| (reasons.waker(dict, wait, by, w.stack), w.stack));
            coroutine::refine(cx.index, &reasons, i.go, wait, ended)
        }
        _ => return dict.str(i.reason).to_owned(),
    };
    let reason = reasons.get(id);
    if i.begin == Edge::Trace { reason.from_before().name } else { reason.name }
}

/// The pane's lines; of long stacks only what fits `height`.
pub fn lines(found: Option<&Found>, cx: &Ctx, height: u16) -> Vec<Line> {
    let mut out = Vec::new();
    let (go, row, event) = cx.place.subject();
    if go.is_some() || event.is_some() || matches!(row, Some(Row::Proc(_) | Row::Path)) {
        let Some(found) = found else { return out };
        if let (Some(e), true) = (&found.event, event.is_some()) {
            let label = if e.kind == Kind::CpuSample { "sampled in" } else { "in" };
            let said = words::describe(cx.index, e);
            if e.kind != Kind::CpuSample && !said.is_empty() {
                out.push(Line::new("detail", said));
            }
            push_stack(&mut out, label, e.stack, cx, usize::from(height).saturating_sub(2).max(3), true);
            if let Some(i) = &found.interval {
                let text = format!("{} for {} from {}", i.state.name().to_lowercase(), i.duration(), at(cx, i.from));
                out.push(Line::new("while", text));
            }
        }
        if let Some(i) = &found.interval {
            interval(&mut out, i, found, cx, height);
            beside(&mut out, i, cx);
        }
        return out;
    }
    // Sums of the selected range, which are to come where there are none.
    let window = cx.place.window();
    let within = found.filter(|f| f.key.row == row && f.key.window == window).and_then(|f| f.within);
    if window.is_some() && within.is_none() && matches!(row, Some(Row::Group(_) | Row::Procs | Row::System)) {
        return out;
    }
    let from_to = cx.window();
    match row {
        Some(Row::Group(g)) => match within {
            Some(cell) => sums(&mut out, &cell),
            None => group(&mut out, g, cx),
        },
        Some(Row::Gc | Row::Mutator) => ranges(&mut out, &cx.index.gc, cx),
        Some(Row::Samples) => {
            let n: u64 = cx.index.cells(Lane::All, from_to.0, from_to.1, 1).iter().map(|c| u64::from(c.samples)).sum();
            out.push(Line::new("CPU samples", count(n)));
        }
        Some(Row::Lens(l)) => {
            let about = crate::model::lens::all().get(usize::from(l)).map_or("", |l| l.about.as_str());
            out.push(Line::new("what it is", about.to_owned()));
        }
        Some(Row::Stw) => ranges(&mut out, &cx.index.stw, cx),
        Some(Row::Heap | Row::HeapPart(_)) => {
            let value =
                |p: &[(Time, u64)], said: fn(u64) -> String| value_at(p, cx.place.at).map_or("not known".into(), said);
            out.push(Line::new("live", value(&cx.index.heap, bytes)));
            out.push(Line::new("goal", value(&cx.index.heap_goal, goal)));
            let inside = |t: Time| window.is_none_or(|(from, to)| t >= from && t < to);
            let most = cx.index.heap.iter().filter(|p| inside(p.0)).map(|p| p.1).max();
            out.push(Line::new("max", most.map_or("not known".into(), bytes)));
        }
        Some(Row::State(s)) => groups_of(&mut out, s, cx, usize::from(height)),
        Some(Row::Alive | Row::Queue) => counted(&mut out, row == Some(Row::Queue), cx),
        Some(Row::Procs | Row::System) => {
            let (from, to) = cx.window();
            let running = match within {
                Some(cell) => cell.running,
                None => cx.index.procs.iter().map(|p| p.running).sum(),
            };
            let ps = cx.index.procs.len().max(1);
            let most = Duration((to - from).ns().saturating_mul(ps as i64));
            let share = crate::report::why::percent(running, most);
            let ps = if ps == 1 { "1 P".into() } else { format!("{} Ps", count(ps as u64)) };
            out.push(Line::new("held", format!("{running}, {share} of what {ps} could run")));
        }
        _ => {}
    }
    out
}

/// Which groups spent most time in a state, in the whole trace.
fn groups_of(out: &mut Vec<Line>, s: Counted, cx: &Ctx, height: usize) {
    let index = cx.index;
    let mut groups: Vec<(Duration, GroupId)> =
        (0..index.groups.len() as u32).map(GroupId).map(|g| (s.of_group(index, g), g)).collect();
    groups.retain(|g| g.0 > Duration::ZERO);
    groups.sort_by_key(|g| (std::cmp::Reverse(g.0), g.1));
    let total: Duration = groups.iter().map(|g| g.0).sum();
    out.push(Line::new("whole trace", format!("{total} of all goroutines")));
    for (k, (time, g)) in groups.iter().take(height.saturating_sub(1).max(3)).enumerate() {
        let text = format!("{:>8}  {}", time.to_string(), words::group(index.group_name(*g)));
        out.push(Line::new(if k == 0 { "by" } else { "" }, text));
    }
}

/// What a group did in the selected range.
fn sums(out: &mut Vec<Line>, c: &Cell) {
    let (running, runnable, waiting, syscall) = (c.running, c.runnable, c.waiting, c.syscall);
    times(out, &Times { running, runnable, waiting, syscall, ..Times::default() });
    out.push(Line::new("max wait", c.longest_wait.to_string()));
    if c.samples > 0 {
        out.push(Line::new("CPU samples", count(c.samples.into())));
    }
    out.push(Line::new("events", count(c.events.into())));
}

fn at(cx: &Ctx, t: Time) -> String {
    words::instant(t - cx.index.start)
}

fn interval(out: &mut Vec<Line>, i: &Interval, found: &Found, cx: &Ctx, height: u16) {
    let index = cx.index;
    let label = match i.state {
        GoState::Waiting => "blocked in",
        GoState::Syscall => "entered in",
        GoState::Running => "running until",
        GoState::Runnable if i.begin.event().is_some_and(|e| e.kind == Kind::GoCreate) => "starts in",
        _ => "stopped in",
    };
    // The stack of the event under the cursor stands above already.
    let shown = found.event.as_ref().filter(|_| cx.place.event.is_some()).map(|e| e.stack);
    if i.stack.is_some() && shown != Some(i.stack) {
        let more = usize::from(i.waker.is_some()) * 2 + usize::from(!i.woke.is_empty());
        let room = usize::from(height).saturating_sub(out.len() + more).max(2);
        push_stack(out, label, i.stack, cx, room, main_stack(found) == i.stack);
    }
    ended(out, i, cx);
    if i.proc.some().is_some() && i.state == GoState::Running {
        let on = format!("{} {}", words::proc(index, i.proc), words::thread(index, i.thread));
        out.push(Line::new("on", on));
    }
    for (k, w) in i.woke.iter().enumerate() {
        let text = format!("{} {}", words::goroutine(index, w.go), words::group(index.goroutine_name(w.go)));
        let mut line = Line::new(if k == 0 { "unblocked" } else { "" }, text);
        line.spans.push((format!("  at {}", at(cx, w.at)), Role::Dim));
        line.act = Some(Act::Go(Target { go: w.go, at: w.at - Duration(1), far: true }));
        out.push(line);
    }
    // Samples by the user's frame: which line of one's own the time went into.
    let mut by_frame: Vec<(FrameId, u32)> = Vec::new();
    for &(stack, n) in &i.samples {
        let f = user_frame(index, stack);
        match by_frame.iter_mut().find(|b| b.0 == f) {
            Some(b) => b.1 += n,
            None => by_frame.push((f, n)),
        }
    }
    by_frame.sort_by_key(|b| std::cmp::Reverse(b.1));
    for (k, &(f, n)) in by_frame.iter().enumerate() {
        let mut line = Line::new(if k == 0 { "samples" } else { "" }, String::new());
        line.spans[1] = (format!("{n:>5} "), Role::Sample);
        line.spans.push((frame(index, f), Role::Text));
        line.act = f.some().map(Act::Frame);
        out.push(line);
    }
}

/// What stands beside the trace says of the goroutine: its labels, dumps, reports of races.
fn beside(out: &mut Vec<Line>, i: &Interval, cx: &Ctx) {
    let labels = cx.index.beside.labels_of(i.go).iter().filter(|l| l.from < i.to && l.to >= i.from);
    for (k, l) in labels.enumerate() {
        let text = format!("{}={}", escape(&l.key), escape(&l.value));
        let mut line = Line::new(if k == 0 { "labels" } else { "" }, text);
        if !l.exact {
            line.spans.push(("  by its samples in the profile".into(), Role::Dim));
        }
        out.push(line);
    }
    out.extend(cx.index.beside.told_of(i.go).iter().map(|t| Line::new(t.who, t.what.clone())));
}

/// Who made the goroutine runnable, and where that stood.
fn ended(out: &mut Vec<Line>, i: &Interval, cx: &Ctx) {
    let index = cx.index;
    let Some(w) = i.waker else {
        match (i.state, &i.end) {
            (GoState::Waiting, Edge::Trace) => out.push(Line::new("still blocked", "at trace end".into())),
            (GoState::Waiting, Edge::Untraced) => {
                out.push(Line::new("still blocked", "when this recording ended: what follows is not traced".into()));
            }
            (GoState::Waiting, Edge::Unread) => out.push(Line::new("unblocked", "beyond what was looked at".into())),
            _ => {}
        }
        return;
    };
    let label = match (w.created, i.state) {
        (true, _) => "created by",
        (false, GoState::Waiting) => "unblocked by",
        (false, _) => "runnable by",
    };
    let when = if matches!(i.state, GoState::Waiting | GoState::Syscall) {
        format!(", {} later", w.at - i.from)
    } else {
        format!(", at {}", at(cx, w.at))
    };
    match w.by {
        By::Syscall { kept } => out.push(Line::new("returned", format!("{}{when}", returned(index, kept, w.proc)))),
        By::Timer => out.push(Line::new(label, format!("{}{when}", Waker::Timer.words()))),
        By::Runtime => {
            let who = by_reason(index.dict.str(i.reason));
            out.push(Line::new(label, format!("{who}{when}")));
        }
        By::Goroutine(g) => {
            let mut line = Line::new(label, words::goroutine(index, g));
            line.spans[1].1 = Role::Accent;
            line.spans.push((format!(" {}", words::group(index.goroutine_name(g))), Role::Text));
            line.spans.push((when, Role::Dim));
            line.act = Some(Act::Go(Target { go: g, at: w.at, far: true }));
            out.push(line);
            let f = user_frame(index, w.stack);
            if f.is_some() {
                let mut line = Line::new("  in", frame(index, f));
                line.act = Some(Act::Frame(f));
                out.push(line);
            }
        }
    }
}

/// How a goroutine came back from a syscall on a P, which it had kept or not.
pub fn returned(index: &Index, kept: bool, p: ProcIdx) -> String {
    let p = p.some().map(|p| words::proc(index, p));
    let how = match (kept, p) {
        (true, Some(p)) => format!(" and kept {p}"),
        (true, None) => String::new(),
        (false, Some(p)) => format!(", had lost its P, and got {p}"),
        (false, None) => " and had lost its P".into(),
    };
    format!("by itself from the syscall{how}")
}

fn frame(index: &Index, f: FrameId) -> String {
    let Some(f) = f.some().filter(|f| f.index() < index.dict.counts().2) else { return "(no stack)".into() };
    let f = index.dict.frame_of(f);
    format!("{}  :{}", words::func(index.dict.func_name(f.func)), f.line)
}

/// Adds a stack, leaf first: at most `room` lines of it, around the user's frame.
fn push_stack(out: &mut Vec<Line>, label: &str, stack: StackId, cx: &Ctx, room: usize, main: bool) {
    let index = cx.index;
    let frames: Vec<FrameId> = index.dict.stack_ids(stack).collect();
    let user = user_frame(index, stack);
    let skip = match frames.iter().position(|&f| f == user) {
        Some(k) if frames.len() > room => k.saturating_sub(usize::from(room > 2)),
        _ => 0,
    };
    for (k, &f) in frames.iter().enumerate().skip(skip).take(room) {
        let data = index.dict.frame_of(f);
        let name = index.dict.func_name(data.func);
        let is_user = f == user && main;
        let role = if is_runtime(name) { Role::Dim } else { Role::Text };
        let mut line = Line::new(if k == skip { label } else { "" }, words::func(name));
        line.spans[1].1 = role;
        line.spans.push((format!("  {}", words::place(index, data)), Role::Dim));
        (line.act, line.user) = (Some(Act::Frame(f)), is_user);
        out.push(line);
    }
}

fn times(out: &mut Vec<Line>, t: &Times) {
    let total = t.total().0.max(1) as f64;
    let parts = [
        ("running", t.running, Role::Running),
        ("runnable", t.runnable, Role::Runnable),
        ("waiting", t.waiting, Role::Waiting),
        ("syscall", t.syscall + t.syscall_blocked, Role::Syscall),
    ];
    for (name, d, role) in parts {
        let mut line = Line::new(name, format!("{d:>8}"));
        line.spans[0].1 = role;
        line.spans.push((format!("  {:>5.1}%", d.0 as f64 * 100.0 / total), Role::Dim));
        out.push(line);
    }
}

fn group(out: &mut Vec<Line>, g: GroupId, cx: &Ctx) {
    let Some(group) = cx.index.groups.get(g.0 as usize) else { return };
    times(out, &group.times);
    let reasons = cx.waited.group(cx.index, g);
    // What is less than a thousandth of it explains nothing.
    let least = Duration(group.times.waiting.0 / 1000);
    for (k, (reason, d)) in reasons.iter().filter(|r| r.1 >= least).take(6).enumerate() {
        let mut line = Line::new(if k == 0 { "blocked on" } else { "" }, format!("{d:>8}"));
        line.spans.push((format!("  {}", escape(reason)), Role::Text));
        out.push(line);
    }
    out.push(Line::new("max wait", group.longest_wait.to_string()));
    if group.samples > 0 {
        out.push(Line::new("CPU samples", count(group.samples)));
    }
    out.push(Line::new("events", count(group.events)));
}

/// The ranges around the cursor: the one it is in, or else the next.
fn ranges(out: &mut Vec<Line>, all: &[Range], cx: &Ctx) {
    let (from, to) = cx.window();
    let inside = |r: &&Range| r.from < to && r.to > from;
    let ranges: Vec<Range> = match cx.place.window() {
        // Of those that reach beyond the selected range, what is in it.
        Some(_) => {
            all.iter().filter(inside).map(|r| Range { from: r.from.max(from), to: r.to.min(to), ..*r }).collect()
        }
        None => all.to_vec(),
    };
    let total: Duration = ranges.iter().map(|r| r.to - r.from).sum();
    let longest = ranges.iter().map(|r| r.to - r.from).max().unwrap_or_default();
    out.push(Line::new("total", format!("{} taking {total}, max {longest}", count(ranges.len() as u64))));
    let first = ranges.partition_point(|r| r.to < cx.place.at);
    for r in ranges.iter().skip(first).take(12) {
        let inside = cx.place.at >= r.from && cx.place.at < r.to;
        let mut line = Line::new(if inside { "now" } else { "then" }, format!("{:>7}", r.to - r.from));
        line.spans.push((format!(" at {}  {}", at(cx, r.from), escape(cx.index.dict.str(r.name))), Role::Dim));
        if let Some(g) = r.go.some() {
            line.spans.push((format!("  {}", words::goroutine(cx.index, g)), Role::Text));
            line.act = Some(Act::Go(Target { go: g, at: r.from, far: true }));
        }
        out.push(line);
    }
}

/// How many goroutines there are, or wait for a P, at the cursor and at most.
fn counted(out: &mut Vec<Line>, queue: bool, cx: &Ctx) {
    if queue {
        let (from, to) = cx.window();
        let mean = |from: Time, to: Time| {
            let waited: Duration = cx.index.cells(Lane::All, from, to, 1).iter().map(|c| c.runnable).sum();
            format!("{:.2} on average", waited.as_secs_f64() / (to - from).as_secs_f64().max(1e-9))
        };
        out.push(Line::new("in sight", mean(from, to)));
        out.push(Line::new("whole trace", mean(cx.index.start, cx.index.end)));
        out.push(Line::new("", "7 says what ran meanwhile".into()));
        return;
    }
    let there = |g: &&Goroutine| {
        let end = g.ended.or(g.gone());
        g.created().is_none_or(|t| t <= cx.place.at) && end.is_none_or(|t| t > cx.place.at)
    };
    out.push(Line::new("now", count(cx.index.goroutines.iter().filter(there).count() as u64)));
    out.push(Line::new("started", count(cx.index.goroutines.iter().filter(|g| g.created().is_some()).count() as u64)));
    out.push(Line::new("ended", count(cx.index.goroutines.iter().filter(|g| g.ended.is_some()).count() as u64)));
}
