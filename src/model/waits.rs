//! Sums over waits: how many, how long, which was the longest, and how their lengths are spread.

use super::tally::Tally;
use crate::base::EventNo;
use crate::base::{Duration, GoIdx, Time};

/// A logarithmic histogram with eight steps to each doubling. It takes room for the steps between the shortest and the
/// longest length that were counted.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Histogram {
    /// The step that comes first in `counts`.
    pub(crate) first: u32,
    pub(crate) counts: Vec<u32>,
}

impl Histogram {
    /// How many steps there are.
    pub(crate) const STEPS: usize = 62 * 8;

    /// Counts a length of time; none below zero.
    #[inline]
    pub fn add(&mut self, d: Duration) {
        self.count(step(d), 1);
    }

    /// Counts what another one has counted.
    pub fn merge(&mut self, other: &Histogram) {
        if let Some(last) = other.counts.len().checked_sub(1) {
            // Room at both ends at once.
            self.count(other.first + last as u32, 0);
            for (i, &n) in (other.first..).zip(&other.counts) {
                self.count(i, n);
            }
        }
    }

    #[inline]
    fn count(&mut self, i: u32, n: u32) {
        if let Some(c) = self.counts.get_mut(i.wrapping_sub(self.first) as usize) {
            *c = c.saturating_add(n);
            return;
        }
        self.grow(i);
        if let Some(c) = self.counts.get_mut(i.wrapping_sub(self.first) as usize) {
            *c = c.saturating_add(n);
        }
    }

    /// Makes room for step `i`.
    #[cold]
    fn grow(&mut self, i: u32) {
        if self.counts.is_empty() {
            self.first = i;
        }
        if let Some(more) = self.first.checked_sub(i) {
            self.counts.splice(0..0, std::iter::repeat_n(0, more as usize));
            self.first = i;
        }
        let len = (i - self.first) as usize + 1;
        if len > self.counts.len() {
            self.counts.resize(len, 0);
        }
    }

    /// The largest value of the step in which the `q`-th part (0 to 1) of all that were counted is reached.
    pub fn quantile(&self, q: f64) -> Duration {
        let all: u64 = self.counts.iter().map(|&n| u64::from(n)).sum();
        let want = (all as f64 * q).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (i, &n) in (u64::from(self.first)..).zip(&self.counts) {
            seen += u64::from(n);
            if seen >= want {
                let last = match i {
                    0..8 => i,
                    _ => {
                        let (octave, step) = (i / 8 + 2, i % 8);
                        ((8 + step + 1) << (octave - 3)) - 1
                    }
                };
                return Duration(last.min(i64::MAX as u64) as i64);
            }
        }
        Duration::ZERO
    }
}

/// The step of a histogram that a length of time is in.
#[inline]
fn step(d: Duration) -> u32 {
    let n = d.ns().max(0) as u64;
    if n < 8 {
        return n as u32;
    }
    let octave = 63 - n.leading_zeros();
    (octave - 2) * 8 + (n >> (octave - 3)) as u32 % 8
}

/// One wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// How long it lasted inside the trace.
    pub len: Duration,
    /// When it began; the trace's start, if before.
    pub from: Time,
    /// Number of the event that began it; `EventNo::MAX` if that was before the trace.
    pub began: EventNo,
    /// Number of the event that ended it; `EventNo::MAX` if that would come after the trace.
    pub ended: EventNo,
    /// Whose it was.
    pub go: GoIdx,
}

impl Stretch {
    /// Whether it is longer than another one; of two as long, the one that ends first is.
    #[inline]
    fn beats(&self, other: &Stretch) -> bool {
        self.len > other.len || self.len == other.len && (self.ended, self.go) < (other.ended, other.go)
    }
}

/// Waits that have everything but their times in common, with their times as they are shown: none begins before the
/// trace does, nor before what the file has ahead of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaitTally {
    /// How many.
    pub count: u64,
    /// How many of them were already going on when the trace began, or still when it ended.
    pub open: u64,
    /// How many of them went on when their recording ended, of which a later one of the same process tells.
    pub cut: u64,
    /// How long in all.
    pub total: Duration,
    /// The longest.
    pub longest: Stretch,
    /// How long each was. Empty while there is only one: most often there is, and it is the longest.
    pub(crate) lengths: Histogram,
}

impl Default for WaitTally {
    fn default() -> WaitTally {
        let none = EventNo::MAX;
        let longest = Stretch { len: Duration::ZERO, from: Time::MIN, began: none, ended: none, go: GoIdx::NONE };
        WaitTally { count: 0, open: 0, cut: 0, total: Duration::ZERO, longest, lengths: Histogram::default() }
    }
}

impl WaitTally {
    /// Counts one more.
    #[inline]
    pub fn add(&mut self, s: Stretch) {
        self.open += u64::from(s.began == EventNo::MAX || s.ended == EventNo::MAX);
        self.add_whole(s);
    }

    /// Counts one more, which began and ended in the trace.
    #[inline(always)]
    pub(crate) fn add_whole(&mut self, s: Stretch) {
        self.count += 1;
        self.total += s.len;
        if self.count <= 2 {
            return self.add_early(s);
        }
        self.lengths.add(s.len);
        if s.beats(&self.longest) {
            self.longest = s;
        }
    }

    /// The first, of which there is no histogram yet, or the second.
    #[inline(never)]
    fn add_early(&mut self, s: Stretch) {
        if self.count == 2 {
            self.lengths.add(self.longest.len);
            self.lengths.add(s.len);
        }
        if self.count == 1 || s.beats(&self.longest) {
            self.longest = s;
        }
    }

    /// Adds another tally.
    pub fn merge(&mut self, o: WaitTally) {
        if self.count == 0 {
            *self = o;
            return;
        }
        if o.count == 0 {
            return;
        }
        if self.count == 1 {
            self.lengths.add(self.longest.len);
        }
        o.add_to(&mut self.lengths);
        self.count += o.count;
        self.open += o.open;
        self.cut += o.cut;
        self.total += o.total;
        if o.longest.beats(&self.longest) {
            self.longest = o.longest;
        }
    }

    fn add_to(&self, lengths: &mut Histogram) {
        match self.count {
            0 => {}
            1 => lengths.add(self.longest.len),
            _ => lengths.merge(&self.lengths),
        }
    }

    /// Whether the longest of them began in the trace.
    pub fn began_inside(&self) -> bool {
        self.longest.began != EventNo::MAX
    }

    /// How long each was.
    pub fn lengths(&self) -> Histogram {
        let mut lengths = Histogram::default();
        self.add_to(&mut lengths);
        lengths
    }
}

/// What is kept of the waits of one link.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LinkTally {
    /// Their number and sum by the file's own clock, as the summary has them.
    pub tally: Tally,
    /// The same waits as they are shown.
    pub waits: WaitTally,
}

impl LinkTally {
    /// Adds another tally.
    pub fn merge(&mut self, o: LinkTally) {
        self.tally.merge(o.tally);
        self.waits.merge(o.waits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_to_an_eighth() {
        let mut h = Histogram::default();
        for n in 1..=1000i64 {
            h.add(Duration(n * 1000));
        }
        let p99 = h.quantile(0.99).ns();
        assert!((990_000..=990_000 * 9 / 8).contains(&p99), "{p99}");
        for n in [0, 1, 7, 8, 9, 15, 16, 1_000_000_007, i64::MAX] {
            let mut h = Histogram::default();
            h.add(Duration(n));
            let q = h.quantile(0.99).ns();
            assert!(q >= n && q <= n.saturating_add(n / 8), "{n} {q}");
            assert!((h.first as usize) < Histogram::STEPS);
        }
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
    }

    #[test]
    fn tallies_merge_to_what_they_would_be_in_one() {
        let wait = |n: u64| Stretch {
            len: Duration((n * 7919 % 1009) as i64),
            from: Time(n as i64),
            began: if n.is_multiple_of(5) { EventNo::MAX } else { n },
            ended: n + 1,
            go: GoIdx(n as u32 % 3),
        };
        let tally = |waits: &mut dyn Iterator<Item = u64>| {
            let mut t = WaitTally::default();
            waits.for_each(|n| t.add(wait(n)));
            t
        };
        for cut in [0, 1, 2, 50, 98, 99, 100] {
            let all = tally(&mut (0..100));
            let (mut a, b) = (tally(&mut (0..cut)), tally(&mut (cut..100)));
            a.merge(b.clone());
            assert_eq!(a, all, "{cut}");
            let mut b = b;
            b.merge(tally(&mut (0..cut)));
            assert_eq!(b, all, "{cut}, the other way round");
        }
    }
}
