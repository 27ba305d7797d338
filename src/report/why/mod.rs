//! A critical path: a ranked list of plain sentences, then the path in order of time.

pub mod rows;

use super::links::unfinished;
use super::table::{Column, Page, Table};
use crate::analysis::waits::links::STILL_BLOCKED;
use crate::analysis::waits::path::{Cause, Holder, Meanwhile, Path, Piece, Share, What};
use crate::analysis::waits::stw::LastToStop;
use crate::base::{Duration, GoIdx, GroupId, text, time};
use crate::model::Index;
use crate::model::Waker;
use crate::model::dict::shown_func;
use crate::model::places::PlaceId;
use crate::model::reasons::{Class, ReasonId};
use std::io::{self, Write};

/// Lines of the ranked list.
const SHARES: usize = 12;
/// Lines of the path in order of time.
const STEPS: usize = 40;
/// What others did meanwhile, at most.
const MEANWHILE: usize = 3;

/// Writes the path of what `title` names.
pub fn write(title: &str, path: &Path, index: &Index, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let w = path.window;
    let whole = w.to - w.from;
    let at = time::offset(w.from - index.start, Duration(1000));
    writeln!(out, "{} · {whole} from {at} · {}\n", text::escape(title), goroutine(index, w.go))?;
    let titles = ["time", "%", "times"].map(Column::right);
    let mut t = Table::new(titles.into_iter().chain([Column::left("what the time went into")]));
    let shares = path.shares(index);
    let numbers = |total: Duration, count| [total.to_string(), percent(total, whole), count];
    for s in shares.iter().take(SHARES) {
        let row = t.row(numbers(s.total, text::count(s.count)).into_iter().chain([sentence(path, index, s)]));
        let did = |m: &Meanwhile| format!("{:>8}  {}", m.time.to_string(), meanwhile(path, index, m));
        row.notes = s.meanwhile.iter().take(MEANWHILE).map(did).collect();
    }
    if let Some(rest) = shares.get(SHARES..).filter(|r| !r.is_empty()) {
        let total = rest.iter().map(|s| s.total).sum();
        t.row(numbers(total, String::new()).into_iter().chain([format!("{} more", rest.len())]));
    }
    t.write(page, out)?;
    steps(path, index, page, out)?;
    writeln!(out, "\nparts sum to {} ns of {} ns", path.total().ns(), whole.ns())
}

/// The path in order of time, without what is too short to matter.
fn steps(path: &Path, index: &Index, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let (rows, left_out, least) = rows::rows(path, index, STEPS);
    let mut t = Table::new(["at", "for"].map(Column::right).into_iter().chain([Column::left("in order of time")]));
    for r in &rows {
        let at = (r.from - path.window.from).to_string();
        let indent = "  ".repeat(usize::from(r.depth.min(20)));
        t.row([at, r.len.to_string(), format!("{indent}{} {}", r.who, r.what)]);
    }
    if left_out > 0 {
        t.words(format!("and {left_out} of {least} or less"));
    }
    writeln!(out)?;
    t.write(page, out)
}

/// A piece of the path in words that are safe to show, with who held the Ps meanwhile.
pub fn piece(path: &Path, index: &Index, p: &Piece) -> String {
    let mut s = doing(path, index, p.what, p.reason, p.at);
    if p.samples > 0 {
        s.push_str(&format!(" ({} CPU samples)", p.samples));
    }
    assisted(p.assist, p.len(), &mut s);
    if p.what == What::Runnable {
        s.push_str(&ready(index, p));
    } else {
        stopped(index, p.stw, p.last_to_stop, &mut s);
    }
    s
}

/// What others did meanwhile, in words that are safe to show.
pub fn meanwhile(path: &Path, index: &Index, m: &Meanwhile) -> String {
    let did = doing(path, index, m.what, m.reason, m.at);
    let mut s = format!("{} {did}", group_name(index, m.group));
    assisted(m.assist, m.time, &mut s);
    if m.what == What::Stopped {
        last_to_stop(index, m.last_to_stop, &mut s);
    }
    s
}

/// How much of running time was spent assisting the collector.
fn assisted(assist: Duration, whole: Duration, s: &mut String) {
    if assist > Duration::ZERO {
        s.push_str(&format!("; assisted the GC for {assist} = {} of it", percent(assist, whole)));
    }
}

/// What a runnable goroutine waited for, in parts that sum to the piece.
fn ready(index: &Index, p: &Piece) -> String {
    let mut parts: Vec<String> = Vec::new();
    let busy = p.len() - p.ready.stw - p.ready.idle;
    let whole = |d: Duration| if d == p.len() { String::new() } else { format!("{d} ") };
    if busy > Duration::ZERO {
        let mut s = format!("{}all Ps busy", whole(busy));
        held(index, &p.holders, &mut s);
        parts.push(s);
    }
    if p.ready.idle > Duration::ZERO {
        parts.push(format!("{}wake-up latency, a P was idle", whole(p.ready.idle)));
    }
    if p.ready.stw > Duration::ZERO {
        let mut s = format!("{}stop-the-world", whole(p.ready.stw));
        last_to_stop(index, p.last_to_stop, &mut s);
        parts.push(s);
    }
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) }
}

fn held(index: &Index, holders: &[Holder], s: &mut String) {
    if let Some(h) = holders.first() {
        s.push_str(&format!(", held by {}", group_name(index, h.group)));
        if let Some(more) = holders.get(1) {
            s.push_str(&format!(", {}", group_name(index, more.group)));
        }
    }
}

fn stopped(index: &Index, stw: Duration, last: Option<LastToStop>, s: &mut String) {
    if stw > Duration::ZERO {
        s.push_str(&format!("; stop-the-world for {stw}"));
        last_to_stop(index, last, s);
    }
}

/// Whom the stop had to wait for.
fn last_to_stop(index: &Index, last: Option<LastToStop>, s: &mut String) {
    if let Some(l) = last {
        s.push_str(&format!(" (waited {} for {})", l.waited, goroutine(index, l.go)));
    }
}

/// What a wait is for: one waits for a mutex, but in an operation on a channel. Not escaped.
pub fn waits(path: &Path, reason: ReasonId) -> String {
    let r = path.reasons.get(reason);
    let how = match r.class {
        Class::Send | Class::Receive | Class::Select | Class::Network => "in",
        _ => "for",
    };
    format!("waits {how} {}", r.name)
}

fn line(path: &Path, index: &Index, at: PlaceId) -> String {
    let l = path.places.line(index, at);
    if l.is_empty() { l } else { format!(" at {l}") }
}

/// What a goroutine did in a piece of the path, in words that are safe to show.
pub fn doing(path: &Path, index: &Index, what: What, reason: Option<ReasonId>, at: PlaceId) -> String {
    let started = reason.is_none();
    let reason = || reason.map_or(String::new(), |r| text::escape(&path.reasons.get(r).name).into_owned());
    let at = line(path, index, at);
    match what {
        What::Running if at.is_empty() => "runs".into(),
        What::Running => format!("runs, mostly{at}"),
        What::Runnable => "is runnable".into(),
        What::NoP => "is runnable, all Ps busy".into(),
        What::Wakeup => "is runnable, a P was idle (wake-up latency)".into(),
        What::Stopped => "is runnable, stop-the-world".into(),
        What::Syscall => format!("is in {}{at}", reason()),
        What::Waiting(Waker::Network) => format!("waits for the network: {}{at}", reason()),
        What::Waiting(Waker::Timer) if started => "waits for the timer that starts it".into(),
        What::Waiting(Waker::Timer) => format!("waits for a timer: {}{at}", reason()),
        What::Waiting(Waker::Runtime) => format!("waits for the runtime: {}{at}", reason()),
        // Which of several recordings it was whose end it waited beyond is not kept.
        What::Waiting(Waker::Nobody) if index.recordings.len() > 1 => {
            format!("is still blocked when the recording ends: {}{at}", reason())
        }
        What::Waiting(Waker::Nobody) => format!("is {STILL_BLOCKED}: {}{at}", reason()),
        What::Waiting(Waker::Go(_)) => format!("waits: {}{at}", reason()),
        What::Absent => "was not there, as far as the trace tells".into(),
        What::Untraced => "is not known: between two recordings".into(),
    }
}

/// A share of the path in words that are safe to show.
pub fn sentence(path: &Path, index: &Index, s: &Share) -> String {
    match s.cause {
        Cause::Own(what, reason, at) => {
            let mut t = doing(path, index, what, reason, at);
            if s.samples > 0 {
                t.push_str(&format!(" ({} CPU samples)", text::count(s.samples)));
            }
            if what == What::Waiting(Waker::Nobody) && index.recordings.len() < 2 {
                t.push_str(&unfinished(s.count));
            }
            assisted(s.assist, s.total, &mut t);
            held(index, &s.holders, &mut t);
            match what {
                What::Stopped => last_to_stop(index, s.last_to_stop, &mut t),
                _ => stopped(index, s.stw, s.last_to_stop, &mut t),
            }
            t
        }
        Cause::Other { reason, at } => {
            let mut lines = s.waker_at.iter().map(|w| path.places.line(index, w.0)).filter(|l| !l.is_empty());
            let by = match (lines.next(), lines.count()) {
                (None, _) => String::new(),
                (Some(line), 0) => format!(", {} at {line}", ended(path, reason)),
                (Some(line), n) => format!(", {} at {line} and {n} more", ended(path, reason)),
            };
            let waits = text::escape(&waits(path, reason)).into_owned();
            format!("{waits}{}: for {}{by}", line(path, index, at), wakers(index, &s.wakers))
        }
    }
}

/// Who ended waits of one kind; of several, for how long each was waited.
fn wakers(index: &Index, all: &[(GroupId, Duration)]) -> String {
    match all {
        [(one, _)] => group_name(index, *one),
        [one, two] => format!("{} {}, {} {}", group_name(index, one.0), one.1, group_name(index, two.0), two.1),
        [one, two, more @ ..] => {
            format!(
                "{} {}, {} {} and {} more",
                group_name(index, one.0),
                one.1,
                group_name(index, two.0),
                two.1,
                more.len()
            )
        }
        [] => String::new(),
    }
}

/// How a wait for another goroutine is ended.
fn ended(path: &Path, reason: ReasonId) -> &'static str {
    match path.reasons.get(reason).class {
        Class::Lock | Class::Semaphore => "released",
        _ => "unblocked",
    }
}

/// A part of a whole in percent, as the lists show it.
pub fn percent(part: Duration, whole: Duration) -> String {
    format!("{:.1} %", part.ns() as f64 * 100.0 / whole.ns().max(1) as f64)
}

/// A group's name, short and safe to show.
pub fn group_name(index: &Index, g: GroupId) -> String {
    shown_func(index.group_name(g))
}

fn number(index: &Index, g: GoIdx) -> String {
    super::events::goroutine(index, g)
}

/// A goroutine's number and start function, safe to show: `G12 main.handle`.
pub fn goroutine(index: &Index, g: GoIdx) -> String {
    let number = number(index, g);
    if number.is_empty() { number } else { format!("{number} {}", shown_func(index.goroutine_name(g))) }
}
