//! What time spent runnable consists of, and how the lengths of such waits are spread.

use crate::base::{Duration, GoIdx, Time};
use crate::model::waits::Histogram;

/// What a goroutine that could run waited for. The parts do not overlap and sum to the whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// The world was stopped, or was being stopped.
    pub stw: Duration,
    /// A P had no goroutine: it took this long to wake a thread for it, or to find the goroutine.
    pub idle: Duration,
    /// Every P had a goroutine.
    pub busy: Duration,
}

impl Parts {
    /// The sum of the parts.
    pub fn total(&self) -> Duration {
        self.stw + self.idle + self.busy
    }

    /// Adds another's parts.
    pub fn add(&mut self, o: Parts) {
        self.stw += o.stw;
        self.idle += o.idle;
        self.busy += o.busy;
    }

    /// What was added since the sum was `o`.
    #[inline]
    pub(crate) fn since(&self, o: Parts) -> Parts {
        Parts { stw: self.stw - o.stw, idle: self.idle - o.idle, busy: self.busy - o.busy }
    }

    /// Takes `d` away, from what there is.
    pub(crate) fn trim(&mut self, d: Duration) {
        let mut left = d;
        for part in [&mut self.idle, &mut self.busy, &mut self.stw] {
            let take = left.min(*part).max(Duration::ZERO);
            *part -= take;
            left -= take;
        }
    }

    /// Adds `d` to one part.
    #[inline]
    pub(crate) fn grow(&mut self, what: What, d: Duration) {
        match what {
            What::Stw => self.stw += d,
            What::Idle => self.idle += d,
            What::Busy => self.busy += d,
        }
    }
}

/// What runnable goroutines wait for at an instant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    Stw,
    Idle,
    Busy,
}

/// What made a goroutine runnable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Cause {
    /// Its wait was ended.
    Woken,
    /// It was created.
    Created,
    /// Its syscall returned, and its P was gone.
    Syscall,
    /// It was preempted.
    Preempted,
    /// It called `runtime.Gosched`.
    Gosched,
    /// It stopped running for another reason, which the trace does not give, or in order to wait for the sweeper in
    /// `runtime.GC`.
    Stopped,
    /// It was runnable when the trace began.
    Before,
}

impl Cause {
    /// All causes, in the order of their numbers.
    pub const ALL: [Cause; 7] =
        [Cause::Woken, Cause::Created, Cause::Syscall, Cause::Preempted, Cause::Gosched, Cause::Stopped, Cause::Before];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Woken => "unblocked",
            Cause::Created => "created",
            Cause::Syscall => "syscall returned",
            Cause::Preempted => "preempted",
            Cause::Gosched => "Gosched",
            Cause::Stopped => "stopped",
            Cause::Before => "before the trace",
        }
    }

    /// Whether the goroutine came from elsewhere, rather than from a P that it had to give back.
    pub fn is_wakeup(self) -> bool {
        matches!(self, Cause::Woken | Cause::Created | Cause::Syscall)
    }

    /// Whether the goroutine had run until then, and could have gone on.
    pub fn is_stop(self) -> bool {
        matches!(self, Cause::Preempted | Cause::Gosched | Cause::Stopped)
    }
}

/// One stretch of time of a goroutine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Longest {
    /// The goroutine.
    pub go: GoIdx,
    /// When it began.
    pub from: Time,
    /// How long it was.
    pub len: Duration,
}

impl Longest {
    pub(crate) const NONE: Longest = Longest { go: GoIdx::NONE, from: Time::MIN, len: Duration(-1) };

    /// Keeps the longer one; of two as long, the earlier one.
    #[inline]
    pub(crate) fn keep(&mut self, o: Longest) {
        if o.len > self.len || o.len == self.len && (o.from, o.go) < (self.from, self.go) {
            *self = o;
        }
    }

    /// Nothing, if there was none.
    pub fn some(self) -> Option<Longest> {
        (self.len >= Duration::ZERO).then_some(self)
    }
}

/// Waits of the same kind: how many, of what they consist, how long they were.
#[derive(Clone, Debug)]
pub struct Waits {
    /// How many.
    pub count: u64,
    /// How many of them had not ended when the trace did.
    pub open: u64,
    /// What they consist of.
    pub parts: Parts,
    /// How long each was.
    pub lengths: Histogram,
    /// The longest.
    pub longest: Longest,
}

impl Default for Waits {
    fn default() -> Waits {
        Waits { count: 0, open: 0, parts: Parts::default(), lengths: Histogram::default(), longest: Longest::NONE }
    }
}

impl Waits {
    #[inline]
    pub(crate) fn add(&mut self, go: GoIdx, from: Time, parts: Parts) {
        let len = parts.total();
        self.count += 1;
        self.parts.add(parts);
        self.lengths.add(len);
        self.longest.keep(Longest { go, from, len });
    }

    /// The length that the `q`-th part (0 to 1) of them does not exceed, to an eighth.
    pub fn quantile(&self, q: f64) -> Duration {
        self.lengths.quantile(q).min(self.longest.len).max(Duration::ZERO)
    }

    /// Adds others.
    pub fn merge(&mut self, o: &Waits) {
        self.count += o.count;
        self.open += o.open;
        self.parts.add(o.parts);
        self.lengths.merge(&o.lengths);
        self.longest.keep(o.longest);
    }
}

/// How often a count of goroutines had which value: time by value.
#[derive(Clone, Debug, Default)]
pub struct Depth(pub(crate) Vec<u64>);

impl Depth {
    #[inline]
    pub(crate) fn add(&mut self, n: u32, d: Duration) {
        let i = n as usize;
        if i >= self.0.len() {
            // Never more than there are goroutines.
            self.0.resize(i + 1, 0);
        }
        self.0[i] += d.ns().max(0) as u64;
    }

    pub(crate) fn merge(&mut self, o: &Depth) {
        if o.0.len() > self.0.len() {
            self.0.resize(o.0.len(), 0);
        }
        for (a, b) in self.0.iter_mut().zip(&o.0) {
            *a += b;
        }
    }

    /// The sum over time, in goroutine-nanoseconds.
    pub fn area(&self) -> u128 {
        self.0.iter().enumerate().map(|(i, &ns)| i as u128 * u128::from(ns)).sum()
    }

    /// How long it was looked at.
    pub fn length(&self) -> Duration {
        Duration(self.0.iter().sum::<u64>().min(i64::MAX as u64) as i64)
    }

    /// The mean over time.
    pub fn mean(&self) -> f64 {
        self.area() as f64 / self.length().ns().max(1) as f64
    }

    /// The smallest value that it did not exceed for the `q`-th part of the time.
    pub fn quantile(&self, q: f64) -> u64 {
        let want = self.length().ns() as f64 * q;
        let mut seen = 0u64;
        for (i, &ns) in self.0.iter().enumerate() {
            seen += ns;
            if seen > 0 && seen as f64 >= want {
                return i as u64;
            }
        }
        self.max()
    }

    /// The largest value.
    pub fn max(&self) -> u64 {
        self.0.iter().rposition(|&ns| ns > 0).unwrap_or(0) as u64
    }
}
