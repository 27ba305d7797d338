//! What goroutines queue for.

use super::{Place, Version, known};
use crate::analysis::waits::contention::table::{Origin, Table};
use crate::analysis::waits::contention::{self, Bottleneck, Contended, What};
use crate::model::places::PlaceId;
use crate::model::reasons::How;
use crate::model::segment::GoState;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

/// The locks, channels and other things that goroutines queue for, in a trace or in several with `--sum`. A trace tells them
/// apart by their lines: those that block on one thing and those that end that.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Locks {
    /// The version of this form.
    pub schema: Version,
    /// How many traces were summed up.
    pub traces: usize,
    /// How long was traced, of all of them together or of the parts between `--from` and `--to`: all times are those inside, and
    /// time between the recordings of a file is in none.
    pub duration_ns: i64,
    /// What goroutines queued for, the most waited for first.
    pub contended: Vec<Lock>,
    /// Waits of which the trace does not record what they were for; some may be for one of these.
    pub not_recorded: Unrecorded,
    /// Waits in selects that are in none of `contended`.
    pub selects: Selects,
}

/// Waits of which not more is known than how long they were.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Unrecorded {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total_ns: i64,
    /// How many of them had not ended when the trace did, or the last recording of their process.
    pub unfinished: u64,
}

/// Waits in a select that a goroutine ended in a select of its own: for which channel, and on which side of it, is not known.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Selects {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub total_ns: i64,
}

/// Something that goroutines queue for.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Lock {
    /// What it is: `lock`, `channel`, `cond`, `waitgroup`, `once`, `semaphore`.
    pub what: &'static str,
    /// The lines that block, the longest waits first.
    pub waits: Vec<Line>,
    /// The lines that end waits.
    pub released: Vec<Release>,
    /// How many waits.
    pub count: u64,
    /// How many of them had begun before the trace, or had not ended when it did.
    pub open: u64,
    /// How many of them had not ended when the trace did.
    pub unfinished: u64,
    /// Their sum, inside the trace.
    pub total_ns: i64,
    /// The longest.
    pub max_ns: i64,
    /// The number of the event that began the longest; `null` if it began before the trace.
    pub longest_event: Option<u64>,
    /// The file of the trace that has the longest.
    pub longest_in: String,
    /// Most goroutines that were blocked at once.
    pub waiters_max: u64,
    /// How many were blocked on average over the trace.
    pub waiters_mean: f64,
    /// The same for each of equal parts of the trace; empty for a sum over several traces.
    pub waiters_over_time: Vec<f64>,
    /// In how much of the trace at least one was blocked.
    pub busy_ns: i64,
    /// Waits that a goroutine ended at one of the lines in `released`.
    pub handoffs: u64,
    /// How many of them in starvation mode (locks).
    pub starved: u64,
    /// The longest queue.
    pub convoy: Convoy,
    /// Whether several locks or channels share these lines, by the order in which waiters are woken. Then the delay is that of each
    /// lock; of channels, each wait is attributed to who ended it. That there is one only, no trace tells.
    pub several: bool,
    /// Who caused the delay: the time between two releases, times the number of those who were blocked, is attributed to whoever
    /// made the later one, at a channel for senders and receivers apart. With `delay_unreleased_ns` these sum to `total_ns`.
    pub delay_by: Vec<Delay>,
    /// The delay since the last release; where there are several, that of the waits that never ended.
    pub delay_unreleased_ns: i64,
    /// What holders did while others were blocked.
    pub while_held: Vec<Meanwhile>,
    /// How many held it at once, at most, as far as their releases show.
    pub held_max: u64,
    /// The two sides of a channel; `null` for all else.
    pub channel: Option<Channel>,
}

/// Waits at one line.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Line {
    /// The line; `null` if it is not known.
    pub at: Option<Place>,
    /// What goroutines were blocked in: `Mutex`, `chan send`, …
    pub reason: String,
    /// How many waits.
    pub count: u64,
    /// Their sum.
    pub total_ns: i64,
}

/// A line that ends waits.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Release {
    /// The line; `null` if it is not known.
    pub at: Option<Place>,
    /// How many waits it ended.
    pub count: u64,
}

/// A lock convoy: a queue that did not become empty.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Convoy {
    /// How many goroutines were released from it, one after the other.
    pub handoffs: u64,
    /// How many were in it at once, at most.
    pub peak: u64,
    /// When the first came.
    pub from_ns: i64,
    /// When the last was released.
    pub to_ns: i64,
    /// The file of the trace that it is in.
    #[serde(rename = "in")]
    pub within: String,
}

/// Delay that goroutines of one kind caused, releasing at one line.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Delay {
    /// Their start function; `null` if it is not known.
    pub group: Option<String>,
    /// What they did: `send`, `receive`, `close`, `release`, `cancel`; `null` if their stack does not tell.
    pub how: Option<&'static str>,
    /// The line; `null` if it is not known.
    pub at: Option<Place>,
    /// For how long others were blocked meanwhile, added up over those.
    pub delay_ns: i64,
    /// For how long they held it while at least one was blocked.
    pub held_ns: i64,
    /// How many waits they ended.
    pub count: u64,
}

/// What holders did while others were blocked.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Meanwhile {
    /// Their state: `running`, `runnable`, `waiting`, `syscall`, `unknown`.
    pub state: &'static str,
    /// If they were blocked or in a syscall, in what.
    pub reason: Option<String>,
    /// And where.
    pub at: Option<Place>,
    /// For how long others were blocked meanwhile, added up over those, once for each holder.
    pub weight_ns: i64,
}

/// The two sides of a channel.
#[derive(Serialize, Debug)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Channel {
    /// How long senders were blocked.
    pub senders_ns: i64,
    /// How much of that in waits that did not end.
    pub senders_never_ns: i64,
    /// How long receivers were blocked.
    pub receivers_ns: i64,
    /// How much of that in waits that did not end.
    pub receivers_never_ns: i64,
    /// What keeps them waiting, where the trace shows it: `receivers` or `senders` are too few or too slow, `neither`; `pool`:
    /// what goes through the channel is held by those who wait for it; `idle`: there is nothing to do; `upstream`: senders are
    /// blocked themselves; `closed`: receivers wait until the channel is closed, nothing is sent; `no receiver`, `no sender`:
    /// none ever came.
    pub bottleneck: Option<&'static str>,
}

impl Locks {
    /// The form of a table of what goroutines queue for.
    pub fn new(table: &Table) -> Locks {
        let contended = table.classes.iter().map(|(x, origin)| lock(table, x, origin)).collect();
        let u = &table.unsaid;
        let not_recorded =
            Unrecorded { count: u.waits.count, total_ns: u.waits.total.ns(), unfinished: u.unfinished };
        let selects = Selects { count: u.selects.count, total_ns: u.selects.total.ns() };
        let (traces, duration_ns) = (table.traces, table.length.ns());
        Locks { schema: Version, traces, duration_ns, contended, not_recorded, selects }
    }
}

fn lock(table: &Table, x: &Contended, origin: &Origin) -> Lock {
    let place = |p: PlaceId| {
        let (func, file, line) = table.names.get(&p)?.code.clone()?;
        Some(Place { func, file, line })
    };
    let waits = x.waits_at.iter().map(|(p, reason, t)| Line {
        at: place(*p),
        reason: reason.clone(),
        count: t.count,
        total_ns: t.total.ns(),
    });
    let delay = |b: &contention::Blame| Delay {
        group: known(&b.who),
        how: b.how.map(how),
        at: place(b.at),
        delay_ns: b.delay.ns(),
        held_ns: b.held.ns(),
        count: b.releases,
    };
    let meanwhile = |m: &contention::Meanwhile| Meanwhile {
        state: state(m.state),
        reason: known(&m.reason),
        at: place(m.at),
        weight_ns: m.weight.ns(),
    };
    let v = x.convoy;
    Lock {
        what: x.what.name(),
        waits: waits.collect(),
        released: x.ended_at.iter().map(|(p, n)| Release { at: place(*p), count: *n }).collect(),
        count: x.waits,
        open: x.open,
        unfinished: x.unfinished,
        total_ns: x.total.ns(),
        max_ns: x.max.ns(),
        longest_event: x.longest,
        longest_in: origin.longest_in.clone(),
        waiters_max: x.depth_max,
        waiters_mean: x.depth_mean_milli as f64 / 1000.0,
        waiters_over_time: x.depth.iter().map(|&d| d as f64 / 1000.0).collect(),
        busy_ns: x.busy.ns(),
        handoffs: x.handoffs,
        starved: x.starved,
        convoy: Convoy {
            handoffs: v.handoffs,
            peak: v.peak,
            from_ns: v.from.0,
            to_ns: v.to.0,
            within: origin.convoy_in.clone(),
        },
        several: x.several,
        delay_by: x.blame.iter().map(delay).collect(),
        delay_unreleased_ns: x.unreleased.ns(),
        while_held: x.while_held.iter().map(meanwhile).collect(),
        held_max: x.held_max,
        channel: (x.what == What::Channel).then(|| channel(x)),
    }
}

fn channel(x: &Contended) -> Channel {
    Channel {
        senders_ns: x.sending.all.total.ns(),
        senders_never_ns: x.sending.never.total.ns(),
        receivers_ns: x.receiving.all.total.ns(),
        receivers_never_ns: x.receiving.never.total.ns(),
        bottleneck: x.bottleneck().map(|b| match b {
            Bottleneck::Receivers => "receivers",
            Bottleneck::Senders => "senders",
            Bottleneck::Neither => "neither",
            Bottleneck::Pool => "pool",
            Bottleneck::Idle => "idle",
            Bottleneck::Upstream => "upstream",
            Bottleneck::NoReceiver => "no receiver",
            Bottleneck::NoSender => "no sender",
            Bottleneck::Closed => "closed",
        }),
    }
}

fn how(h: How) -> &'static str {
    match h {
        How::Cancel => "cancel",
        How::Close => "close",
        How::Send => "send",
        How::Receive => "receive",
        How::Release | How::ReadRelease => "release",
    }
}

fn state(s: GoState) -> &'static str {
    match s {
        GoState::Running => "running",
        GoState::Runnable => "runnable",
        GoState::Waiting => "waiting",
        GoState::Syscall => "syscall",
        GoState::NotExist | GoState::Undetermined => "unknown",
    }
}
