//! Locks, channels and their like that goroutines queue for, and who caused the delay.
//!
//! A trace gives neither an identity. What it does give is the line at which each wait began and the line at which
//! another ended it: lines that are joined by a wait belong to one lock, or one channel, or to several that the code
//! treats alike. Such a class is what is reported on.

mod apart;
pub(in crate::analysis::waits) mod classes;
mod delay;
mod depth;
mod each;
mod follow;
mod held;
mod holds;
mod line;
mod log;
mod passes;
mod queue;
mod stretches;
pub mod table;
mod unsaid;

pub use depth::CELLS;
pub use follow::Side;
pub use log::{Keeper, Kept};
pub use unsaid::Unsaid;

use crate::analysis::states::source::{Source, Unanswered};
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, GroupId, Time};
use crate::model::Index;
use crate::model::places::{PlaceId, Places};
use crate::model::reasons::{How, Reasons};
use crate::model::segment::GoState;
use crate::model::tally::Tally;
use classes::Classes;
use follow::Follow;
use holds::Holds;
use queue::Queue;

/// A goroutine is passed over by one that came so much later at least: times of different processors may differ by less.
const LATER: Duration = Duration(10_000);

/// Goroutines that queued without a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Convoy {
    /// How many of them were released, one after the other.
    pub handoffs: u64,
    /// How many there were at once, at most.
    pub peak: u64,
    /// When the first came.
    pub from: Time,
    /// When the last was released.
    pub to: Time,
}

/// What a class is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A mutex.
    Lock,
    /// A channel.
    Channel,
    /// A condition variable.
    Cond,
    /// A `sync.WaitGroup` or what is built on one.
    Group,
    /// A `sync.Once`.
    Once,
    /// A weighted semaphore of `golang.org/x/sync`.
    Semaphore,
}

impl What {
    /// Whether one goroutine at a time holds it, as far as those who wait can tell: of a lock's readers it is the last.
    pub fn held_by_one(self) -> bool {
        matches!(self, What::Lock | What::Once)
    }

    /// What it is called in a list.
    pub fn name(self) -> &'static str {
        match self {
            What::Lock => "lock",
            What::Channel => "channel",
            What::Cond => "cond",
            What::Group => "waitgroup",
            What::Once => "once",
            What::Semaphore => "semaphore",
        }
    }
}

/// Delay caused by goroutines of one kind that released at one line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Blame {
    /// The start function of those who did; empty if it is not known.
    pub who: String,
    /// The line at which they released.
    pub at: PlaceId,
    /// How they did that; nothing if their stack does not tell.
    pub how: Option<How>,
    /// For how long others were blocked meanwhile, added up over those.
    pub delay: Duration,
    /// The time in which that was: at least one was blocked, and they held it.
    pub held: Duration,
    /// Waits that they ended.
    pub releases: u64,
}

/// What holders did while others were blocked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meanwhile {
    /// Their state.
    pub state: GoState,
    /// For a wait or a syscall, what for.
    pub reason: String,
    /// For these, the line of user code.
    pub at: PlaceId,
    /// Whether it was a wait that ended from outside of the program: by the network or a timer.
    pub outside: bool,
    /// For how long others were blocked meanwhile, added up over those; counted once for each of several holders.
    pub weight: Duration,
}

/// Those who are still blocked when the trace ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left {
    /// Who has waited longest, and since when: the trace's start, if before.
    pub first: (GoIdx, Time),
    /// For how long that is.
    pub longest: Duration,
    /// For how long nobody has released anything while somebody waited: all of the longest wait, where there are several.
    pub quiet: Duration,
}

/// A lock or a channel, or several that the same lines use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contended {
    /// What it is.
    pub what: What,
    /// The lines that wait, by what they wait for (`Mutex`, `chan send` …), the longest waits first.
    pub waits_at: Vec<(PlaceId, String, Tally)>,
    /// The lines that end waits, and how many.
    pub ended_at: Vec<(PlaceId, u64)>,
    /// Waits.
    pub waits: u64,
    /// Those of them that were going on when the trace began or ended.
    pub open: u64,
    /// Those of them that had not ended when the trace did.
    pub unfinished: u64,
    /// Their sum, inside the trace.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    /// The event that began the longest.
    pub longest: Option<EventNo>,
    /// Whose the longest was, and when it began: the trace's start, if before.
    pub longest_wait: (GoIdx, Time),
    /// Most goroutines that waited at once.
    pub depth_max: u64,
    /// How many waited on average over the trace, or the part of it that was looked at, in thousandths.
    pub depth_mean_milli: u64,
    /// The same for each of [`CELLS`] equal parts of that; nothing for a sum over several.
    pub depth: Vec<u64>,
    /// The time in which at least one waited.
    pub busy: Duration,
    /// The longest queue, by how many were released from it without a gap.
    pub convoy: Convoy,
    /// Waits that a goroutine ended at one of the class's lines.
    pub handoffs: u64,
    /// Hand-offs in starvation mode: the one who released the lock had to give it away and to yield.
    pub starved: u64,
    /// Waits of senders (channels only).
    pub sending: Side,
    /// Waits of receivers (channels only).
    pub receiving: Side,
    /// Whether several locks or channels are behind its lines, by the order in which waiters are woken. Then the delay is that
    /// of each lock; of channels, each wait is laid to who ended it.
    pub several: bool,
    /// Who caused the delay, the most first. Together with `unreleased` these sum to `total`.
    pub blame: Vec<Blame>,
    /// What was waited for since the last release, to the end of the trace; where there are several locks or channels, and of
    /// groups, all that was waited for by those whose waits have not ended.
    pub unreleased: Duration,
    /// Those who are still blocked when the trace ends; nothing for a sum over several traces.
    pub left: Option<Left>,
    /// How many held it at once, at most, as far as their releases show.
    pub held_max: u64,
    /// Whether those who end waits are those who wait: what they pass on is held in between, as of a pool.
    pub held_by_waiters: bool,
    /// Whether most of the delay is laid to goroutines that start where the one that waited longest does.
    pub alike: bool,
    /// What holders did while others were blocked, the most first.
    pub while_held: Vec<Meanwhile>,
}

/// What keeps the goroutines at a channel waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bottleneck {
    /// Senders wait for receivers that exist: these are too few, or too slow.
    Receivers,
    /// Receivers wait while senders are at work.
    Senders,
    /// Both wait about as long.
    Neither,
    /// What goes through the channel is held by those who wait for it: there is too little of it, or it is held too long.
    Pool,
    /// Receivers wait while senders wait for the network or for a timer: there is nothing to do.
    Idle,
    /// Receivers wait while senders wait for others: what holds them up is further up.
    Upstream,
    /// Senders wait, most of the time for receivers that never come.
    NoReceiver,
    /// Receivers wait, and no sender ever came.
    NoSender,
    /// Receivers wait until the channel is closed, which says something to all of them: nothing is sent.
    Closed,
}

impl Contended {
    fn new(what: What) -> Contended {
        Contended {
            what,
            waits_at: Vec::new(),
            ended_at: Vec::new(),
            waits: 0,
            open: 0,
            unfinished: 0,
            total: Duration::ZERO,
            max: Duration::ZERO,
            longest: None,
            longest_wait: (GoIdx::NONE, Time::MIN),
            depth_max: 0,
            depth_mean_milli: 0,
            depth: Vec::new(),
            busy: Duration::ZERO,
            convoy: Convoy::default(),
            handoffs: 0,
            starved: 0,
            sending: Side::default(),
            receiving: Side::default(),
            several: false,
            blame: Vec::new(),
            unreleased: Duration::ZERO,
            left: None,
            held_max: 0,
            held_by_waiters: false,
            alike: false,
            while_held: Vec::new(),
        }
    }

    /// What keeps the goroutines at a channel waiting, as far as the trace shows it; nothing for what is no channel.
    ///
    /// A side is the bottleneck only if the other one waits at least twice as long for it, and it is there. Of senders that
    /// wait themselves, that is not said.
    pub fn bottleneck(&self) -> Option<Bottleneck> {
        if self.what != What::Channel {
            return None;
        }
        let (s, r) = (self.sending.all.total.ns(), self.receiving.all.total.ns());
        Some(if s > r.saturating_mul(2) {
            match self.sending.never.total.ns() {
                never if never.saturating_mul(2) > s => Bottleneck::NoReceiver,
                _ if self.held_by_waiters => Bottleneck::Pool,
                _ => Bottleneck::Receivers,
            }
        } else if r > s.saturating_mul(2) {
            let (all, outside) = (self.meanwhile(|_| true), self.meanwhile(|m| m.outside));
            let waiting = self.meanwhile(|m| m.state == GoState::Waiting);
            if self.handoffs == 0 {
                Bottleneck::NoSender
            } else if self.held_by_waiters {
                Bottleneck::Pool
            } else if self.blame.iter().all(|b| b.how.is_some_and(How::closes)) {
                Bottleneck::Closed
            } else if outside.saturating_mul(2) >= all {
                Bottleneck::Idle
            } else if waiting.saturating_mul(2) >= all {
                Bottleneck::Upstream
            } else {
                Bottleneck::Senders
            }
        } else {
            Bottleneck::Neither
        })
    }

    /// How many of the waits for a channel were not over when an earlier recording of their process ended.
    pub fn cut(&self) -> u64 {
        let open = self.sending.never.count + self.receiving.never.count;
        if self.what == What::Channel { open.saturating_sub(self.unfinished) } else { 0 }
    }

    /// For how long, added up, holders did what `of` says.
    fn meanwhile(&self, of: impl Fn(&Meanwhile) -> bool) -> i64 {
        self.while_held.iter().filter(|m| of(m)).map(|m| m.weight.ns()).sum()
    }

    /// Whether goroutines wait because there is nothing for them to do: nobody who could send to them, or signal, is at it.
    pub fn idle(&self) -> bool {
        let outside = || self.meanwhile(|m| m.outside).saturating_mul(2) >= self.meanwhile(|_| true);
        match self.what {
            What::Channel => {
                matches!(self.bottleneck(), Some(Bottleneck::Idle | Bottleneck::Upstream | Bottleneck::NoSender))
            }
            What::Cond => self.handoffs > 0 && !self.held_by_waiters && !self.alike && outside(),
            _ => false,
        }
    }

    /// Where it comes in a list: what is idle last, else the most waited for first.
    pub(crate) fn rank(&self) -> (bool, std::cmp::Reverse<Duration>, What, Option<PlaceId>) {
        (self.idle(), std::cmp::Reverse(self.total), self.what, self.waits_at.first().map(|w| w.0))
    }
}

/// All classes of a trace, the most waited for first, and those last that are idle.
pub struct Contention {
    /// The classes.
    pub classes: Vec<Contended>,
    /// What their places are.
    pub places: Places,
    /// Waits that are in none of them.
    pub unsaid: Unsaid,
    /// The part of the trace that was looked at.
    pub window: (Time, Time),
    /// How much of that lies between recordings.
    pub untraced: Duration,
    /// Whether that is what somebody asked for, and not the trace from end to end.
    pub narrowed: bool,
}

impl Contention {
    /// How long was traced of what was looked at.
    pub fn length(&self) -> Duration {
        self.window.1 - self.window.0 - self.untraced
    }
}

/// From the first instant to before the second.
pub type Window = (Time, Time);

/// All of a trace.
pub const WHOLE: Window = (Time::MIN, Time::MAX);

/// Follows the queues at all locks and channels of a trace that has been read whole: by what a [`Keeper`] kept of it, or
/// else by decoding it twice, and once more for what holders did meanwhile.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn contention<S: Source>(source: &S, kept: Option<&Kept>) -> Result<Contention, Unanswered> {
    contention_in(source, kept, WHOLE)
}

/// The same for the time in a window: waits across a border count with the part inside, and each moment of that belongs to
/// whom it belongs in the whole trace.
///
/// # Errors
///
/// A segment that cannot be decoded.
pub fn contention_in<S: Source>(source: &S, kept: Option<&Kept>, window: Window) -> Result<Contention, Unanswered> {
    let mut out = Err(Unanswered::NoTrace);
    source.with_index(&mut |index| {
        // Of a damaged trace it may not be known how some waits ended.
        let kept = kept.filter(|_| !index.totals.waits_missing);
        out = of_index(source, index, kept, window);
    });
    out
}

fn of_index<S: Source>(
    source: &S,
    index: &Index,
    kept: Option<&Kept>,
    window: Window,
) -> Result<Contention, Unanswered> {
    let places = Places::new(&index.dict);
    let reasons = Reasons::default();
    let from = window.0.max(index.start).min(index.end);
    let inside = (from, window.1.min(index.end).max(from));
    let mut f = Follow::new(Classes::new(index, &places, &reasons), window, inside);
    match kept {
        Some(kept) => f.replay(kept),
        None => f.decode(source)?,
    }
    let untraced = index.untraced_in(inside.0, inside.1);
    let (mut curves, mut holds, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for (class, (mut q, c)) in (0u32..).zip(f.close()) {
        curves.push(std::mem::take(&mut q.curve));
        let (c, held) = close(q, c, index, inside.1 - inside.0 - untraced);
        holds.extend(held.all().iter().map(|&h| (h, class)));
        classes.push(c);
    }
    let held = held::meanwhile(source, (index, &places, &reasons), &curves, holds, kept)?;
    for (c, held) in classes.iter_mut().zip(held) {
        let row = |((state, reason, at, outside), weight): (held::Doing, i128)| Meanwhile {
            state,
            reason: reason.map_or(String::new(), |r| reasons.get(r).name),
            at,
            outside,
            weight: nanos(weight),
        };
        c.while_held = held.into_iter().map(row).collect();
        c.while_held.sort_by(|a, b| (b.weight, a.state, a.at, &a.reason).cmp(&(a.weight, b.state, b.at, &b.reason)));
    }
    classes.retain(|c| c.waits > 0);
    classes.sort_by_key(Contended::rank);
    let narrowed = window != WHOLE;
    let unsaid = match narrowed {
        true => unsaid::inside(source, index, &reasons, window)?,
        false => unsaid::unsaid(index, &reasons),
    };
    Ok(Contention { classes, places, unsaid, window: inside, untraced, narrowed })
}

fn nanos(area: i128) -> Duration {
    Duration(area.clamp(0, i128::from(i64::MAX)) as i64)
}

fn close(mut q: Queue, mut c: Contended, index: &Index, length: Duration) -> (Contended, Holds) {
    let whole = i128::from(length.ns().max(1));
    c.depth_mean_milli = (q.area * 1000 / whole).clamp(0, i128::from(u64::MAX)) as u64;
    c.depth = q.over_time.milli();
    (c.depth_max, c.busy, c.convoy, c.handoffs) = (q.depth_max, q.busy, q.longest_convoy, q.handoffs);
    let (quiet, (delays, holds, several)) = (q.quiet(), q.blame());
    (c.held_by_waiters, c.held_max, c.several) = (q.held_by_waiters(index), holds.most_at_once(), several);
    c.unreleased = nanos(q.area - delays.values().map(|d| d.area).sum::<i128>());
    if let Some(left) = &mut c.left {
        left.quiet = if several { left.longest } else { quiet.min(left.longest) };
    }
    let own = index.goroutine(c.longest_wait.0).map_or(GroupId::NONE, |g| g.group);
    let (alike, all) = delays
        .iter()
        .fold((0, 0), |(alike, all), (by, d)| (if by.0 == own { alike + d.area } else { alike }, all + d.area));
    c.alike = alike * 2 > all;
    let blame = |(&(group, at, how), d): (&delay::By, &delay::Delay)| Blame {
        who: index.group_name(group).to_owned(),
        at,
        how,
        delay: nanos(d.area),
        held: d.held,
        releases: d.releases,
    };
    c.blame = delays.iter().map(blame).collect();
    c.blame.sort_by(|a, b| (b.delay, b.releases, a.at, &a.who).cmp(&(a.delay, a.releases, b.at, &b.who)));
    (c, holds)
}

#[cfg(test)]
mod tests;
