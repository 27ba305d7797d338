//! Locks and channels that goroutines queue for, in one trace or summed up over several, as text.

use super::links::{cut, unfinished};
use super::why::percent;
use crate::analysis::waits::contention::table::{Name, Origin, Table, name};
use crate::analysis::waits::contention::{Bottleneck, Contended, Contention, Meanwhile, Side, What};
use crate::analysis::waits::links::STILL_BLOCKED;
use crate::base::{Duration, Time, text, time};
use crate::model::Index;
use crate::model::dict::{NOT_KNOWN, shown_func};
use crate::model::places::PlaceId;
use crate::model::reasons::How;
use crate::model::segment::GoState;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Lines shown of each class.
const LINES: usize = 4;

/// Writes the first `limit` of them.
///
/// # Errors
///
/// `out` cannot be written.
pub fn write(table: &Table, limit: usize, out: &mut dyn Write) -> io::Result<()> {
    if table.traces > 1 {
        writeln!(out, "{} traces\n", table.traces)?;
    }
    if table.classes.is_empty() {
        writeln!(
            out,
            "locks and channels: no goroutine is known to have queued at one (what a select waited for in vain is in `waits`)"
        )?;
        return unsaid(table, out);
    }
    writeln!(
        out,
        "{:>8} {:>8} {:>8} {:>11} {:>6} {:>10}  locks and channels, by the time that goroutines were blocked",
        "total",
        "waits",
        "max",
        "max waiters",
        "mean",
        whole(table.narrowed)
    )?;
    let mut idle = false;
    for x in table.classes.iter().take(limit) {
        if x.0.idle() && !std::mem::replace(&mut idle, true) {
            writeln!(out, "\n{IDLE}")?;
        }
        one(table, x, out)?;
    }
    if table.classes.len() > limit {
        writeln!(out, "{:>8}  {} more (--limit)", "", table.classes.len() - limit)?;
    }
    unsaid(table, out)
}

/// What is said of classes that hold nothing up.
pub const IDLE: &str = "without work: those who could send to them, or wake them, are not at it";

/// What the time in which anybody was blocked is a part of.
pub fn whole(narrowed: bool) -> &'static str {
    if narrowed { "% of range" } else { "% of trace" }
}

/// Says which waits are in none of the classes, and why.
fn unsaid(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let u = &table.unsaid;
    let mut lines = Vec::new();
    if u.waits.count > 0 {
        lines.push(format!(
            "not recorded: what {} waits were for, {} total{}; some may be for a lock or a channel",
            text::count(u.waits.count),
            u.waits.total,
            unfinished(u.unfinished)
        ));
    }
    if u.selects.count > 0 {
        lines.push(format!(
            "not counted: {} waits in a select, {} total, that another select ended: which channel, and which side waited, \
             the trace does not say (gotrail waits)",
            text::count(u.selects.count),
            u.selects.total
        ));
    }
    if !lines.is_empty() {
        writeln!(out)?;
    }
    lines.iter().try_for_each(|l| writeln!(out, "{l}"))
}

fn one(table: &Table, (x, origin): &(Contended, Origin), out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{:>8} {:>8} {:>8} {:>11} {:>6} {:>10}  {}",
        x.total.to_string(),
        text::count(x.waits),
        x.max.to_string(),
        text::count(x.depth_max),
        milli(x.depth_mean_milli),
        percent(x.busy, table.length),
        kind(x)
    )?;
    let pad = " ".repeat(10);
    let convoy_in = (table.traces > 1).then_some(origin.convoy_in.as_str());
    let lines = say(x, &|p| table.names.get(&p).cloned().unwrap_or_default(), origin.convoy_start, convoy_in);
    lines.iter().try_for_each(|line| writeln!(out, "{pad}{line}"))
}

/// What the waits of a class are for, safe to show.
pub fn kind(x: &Contended) -> String {
    let mut what: Vec<&str> = x.waits_at.iter().map(|w| w.1.as_str()).collect();
    what.sort_unstable();
    what.dedup();
    text::escape(&what.join(", ")).into_owned()
}

/// Where most of the waits of a class are, safe to show, and how many more places there are.
pub fn blocked_at(c: &Contention, index: &Index, x: &Contended) -> String {
    let Some(first) = x.waits_at.first().map(|w| w.0) else { return String::new() };
    let n = name(c, index, first);
    let others: BTreeSet<PlaceId> = x.waits_at.iter().map(|w| w.0).filter(|p| *p != first).collect();
    let more = if others.is_empty() { String::new() } else { format!(" + {} more", others.len()) };
    if n.line.is_empty() { format!("{NOT_KNOWN}{more}") } else { format!("{}{more}  {}", n.line, n.func) }
}

/// What there is to say of a class below its numbers, safe to show.
pub fn notes(c: &Contention, index: &Index, x: &Contended) -> Vec<String> {
    say(x, &|p| name(c, index, p), index.start, None)
}

fn say(x: &Contended, name: &dyn Fn(PlaceId) -> Name, start: Time, convoy_in: Option<&str>) -> Vec<String> {
    let place = |p| {
        let n = name(p);
        if n.line.is_empty() { NOT_KNOWN.to_owned() } else { format!("{}  {}", n.line, n.func) }
    };
    let waits = x.waits_at.iter().take(LINES);
    let mut out: Vec<String> =
        waits.map(|(p, _, t)| format!("blocked at {} · {} in {}", place(*p), text::count(t.count), t.total)).collect();
    if x.several {
        let (things, whose) = match x.what {
            What::Channel => ("channels", "each wait is laid to who ended it"),
            _ => ("locks", "the delay is that of each, added up"),
        };
        out.push(format!("several {things}, by the order in which waiters are woken: {whose}"));
    }
    // What never ended comes first where it is most of all.
    let left = left(x);
    let most = x.unreleased > x.blame.first().map_or(Duration::ZERO, |b| b.delay);
    out.extend(left.clone().filter(|_| most));
    for b in x.blame.iter().take(LINES) {
        let who = shown_func(&b.who);
        out.push(format!(
            "delay {} = {} by {who}, {} at {} · {} unblocked",
            b.delay,
            percent(b.delay, x.total),
            ended(x.what, b.how),
            place(b.at),
            text::count(b.releases)
        ));
    }
    if let Some(rest) = x.blame.get(LINES..).filter(|r| !r.is_empty()) {
        let delay: Duration = rest.iter().map(|b| b.delay).sum();
        out.push(format!("delay {delay} = {} by {} others", percent(delay, x.total), rest.len()));
    }
    out.extend(left.filter(|_| !most));
    out.extend(while_held(x, name));
    if let Some(&most) = x.depth.iter().max().filter(|_| x.depth_max > 1) {
        out.push(format!("waiters over time [{}] up to {} on average", bars(&x.depth, most), milli(most)));
    }
    match x.what {
        What::Lock => {
            let v = x.convoy;
            if v.handoffs > 1 {
                out.push(format!(
                    "longest convoy: {} released one after the other from {} for {}, up to {} at once{}",
                    text::count(v.handoffs),
                    time::offset(v.from - start, Duration(1000)),
                    v.to - v.from,
                    text::count(v.peak),
                    convoy_in.map_or_else(String::new, |t| format!(", in {}", text::escape(t)))
                ));
            }
            if x.starved > 0 {
                out.push(format!(
                    "starvation: {} of {} hand-offs in starvation mode",
                    text::count(x.starved),
                    text::count(x.handoffs)
                ));
            }
        }
        What::Channel => {
            let sides = format!("senders blocked {}, receivers {}", x.sending.all.total, x.receiving.all.total);
            out.push(match verdict(x) {
                Some(v) => format!("{sides}: {v}"),
                None => sides,
            });
        }
        _ => {}
    }
    out
}

/// What was waited for that nobody has ended.
fn left(x: &Contended) -> Option<String> {
    let n = format!("{}{}", cut(x.cut()), unfinished(x.unfinished));
    if x.unreleased == Duration::ZERO {
        return (x.unfinished > 0).then(|| format!("{STILL_BLOCKED}{n}"));
    }
    let since = if x.several || x.blame.is_empty() { "" } else { "since the last release, " };
    // What was blocked when an earlier recording of its process ended is not to the end.
    let left = if x.unfinished > 0 { STILL_BLOCKED } else { "that no release in the trace ended" };
    Some(format!("delay {} = {} {since}{left}{n}", x.unreleased, percent(x.unreleased, x.total)))
}

/// How a wait was ended.
fn ended(what: What, how: Option<How>) -> &'static str {
    match (how, what) {
        (Some(How::Send), _) => "sent",
        (Some(How::Receive), _) => "received",
        (Some(How::Close), What::Channel) => "closed",
        (Some(How::Cancel), _) => "cancelled",
        (Some(How::Release | How::ReadRelease), _) | (_, What::Lock | What::Once | What::Semaphore) => "released",
        (_, What::Group) => "done",
        _ => "unblocked",
    }
}

/// What the trace shows to hold a channel's goroutines up, in words. One or two waits bound nothing.
fn verdict(x: &Contended) -> Option<String> {
    let few = x.waits < 3;
    Some(match x.bottleneck()? {
        Bottleneck::NoReceiver if x.cut() > 0 => "most sends found no receiver in what was recorded".into(),
        Bottleneck::NoSender if x.cut() > 0 => "no sender came in what was recorded".into(),
        Bottleneck::NoReceiver => {
            let (n, all) = (text::count(x.sending.never.count), text::count(x.sending.all.count));
            format!("no receiver ever came for {n} of {all}")
        }
        Bottleneck::NoSender => "no sender ever came".into(),
        _ if few => return None,
        Bottleneck::Closed => "receivers wait until it is closed".into(),
        Bottleneck::Pool => format!("a pool, held by up to {} at once", text::count(x.held_max)),
        Bottleneck::Receivers => "receiving is the bottleneck".into(),
        Bottleneck::Senders => "sending is the bottleneck".into(),
        Bottleneck::Idle => "receivers are idle: senders wait for the network or a timer".into(),
        Bottleneck::Upstream => "receivers are idle: senders are blocked themselves".into(),
        Bottleneck::Neither => "neither side is the bottleneck".into(),
    })
}

/// What holders did, in one line.
fn while_held(x: &Contended, name: &dyn Fn(PlaceId) -> Name) -> Option<String> {
    let all: Duration = x.while_held.iter().map(|m| m.weight).sum();
    let parts: Vec<String> = x
        .while_held
        .iter()
        .take(LINES)
        .filter(|m| m.weight.ns().saturating_mul(1000) >= all.ns())
        .map(|m| {
            let line = name(m.at).line;
            let at = if line.is_empty() { line } else { format!(" at {line}") };
            format!("{} {}{at}", percent(m.weight, all), text::escape(doing(m)))
        })
        .collect();
    let pool = match x.what {
        // Nobody holds these.
        What::Cond | What::Group if !x.held_by_waiters => return say_parts("who unblocked them, meanwhile", &parts),
        _ => matches!(x.bottleneck(), None | Some(Bottleneck::Pool)),
    };
    // Those who ended waits: of waits that never ended nobody is known.
    let ended = |s: &Side| s.all.total - s.never.total;
    let (senders, receivers) = (ended(&x.sending), ended(&x.receiving));
    let both = senders.min(receivers).ns().saturating_mul(10) >= senders.max(receivers).ns();
    let when = match (pool, senders > receivers) {
        (true, _) => "while held",
        _ if both => "who ended that, meanwhile",
        (false, true) => "receivers meanwhile",
        (false, false) => "senders meanwhile",
    };
    say_parts(when, &parts)
}

fn say_parts(when: &str, parts: &[String]) -> Option<String> {
    (!parts.is_empty()).then(|| format!("{when}: {}", parts.join(", ")))
}

/// What a holder did: not escaped.
fn doing(m: &Meanwhile) -> &str {
    match m.state {
        GoState::Running => "running",
        GoState::Runnable => "runnable",
        GoState::Waiting | GoState::Syscall if !m.reason.is_empty() => &m.reason,
        GoState::Waiting => "waiting",
        GoState::Syscall => "syscall",
        GoState::NotExist | GoState::Undetermined => "unknown",
    }
}

/// A bar for each value, as high as it is beside the largest; none for nothing.
fn bars(values: &[u64], most: u64) -> String {
    let bar = |&v: &u64| match u128::from(v) * 8 / u128::from(most.max(1)) {
        _ if v == 0 => ' ',
        i => text::LEVELS[(i as usize).min(7)],
    };
    values.iter().map(bar).collect()
}

fn milli(n: u64) -> String {
    // Of many the hundredths say nothing.
    match n / 1000 {
        whole @ 100.. => text::count(whole),
        whole => format!("{whole}.{:02}", n % 1000 / 10),
    }
}
