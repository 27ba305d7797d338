//! Spans summed up by kind and handler: percentiles, a histogram, and counts over time.

use super::{Found, KindNo, Span};
use crate::analysis::labelled::{Label, Valued};
use crate::base::number::quantile;
use crate::base::{Duration, StringId, Time};
use crate::model::gaps::Gaps;
use rustc_hash::FxHashMap;
use std::cmp::Reverse;

/// Buckets of a histogram: the bucket of a length is the place of its highest bit, so that bucket `n` holds what took at
/// least 2ⁿ ns and less than twice that.
pub const BUCKETS: usize = 64;

/// The bucket of a length.
pub fn bucket(len: Duration) -> usize {
    (len.ns().max(1).ilog2() as usize).min(BUCKETS - 1)
}

/// The shortest length of a bucket.
pub fn least(bucket: usize) -> Duration {
    Duration(1i64 << bucket.min(62))
}

/// The spans of one kind and handler. Those that lack an end count with the time that they were there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sum {
    /// What they are.
    pub kind: KindNo,
    /// The handler, the function, the task's or region's name; `NONE` if it is not known, and of what is grouped by a label.
    pub name: StringId,
    /// The label's value, where they are grouped by a label and not by handler.
    pub label: Option<Valued>,
    /// How many.
    pub count: u64,
    /// How many of them lack an end.
    pub open: u64,
    /// How many are told from their neighbour by a place that came again, and by nothing else.
    pub repeats: u64,
    /// How much time they took in the range that was asked for, without what was not traced: of those that reach beyond it, the part inside. So the sums
    /// of two ranges side by side are that of both; the lengths below are those of whole spans.
    pub total: Duration,
    /// The sum of their whole lengths.
    pub whole: Duration,
    /// The length that half of them do not pass.
    pub p50: Duration,
    /// The length that 90 % do not pass.
    pub p90: Duration,
    /// The length that 99 % do not pass.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
    /// Half of the lengths are known at least this exactly: the longest that one can have been less the shortest.
    pub exact_to: Duration,
    /// How many, by [`bucket`].
    pub histogram: [u64; BUCKETS],
}

/// Which spans are meant.
#[derive(Clone, Copy)]
pub struct Box<'a> {
    /// Those for which this holds.
    pub of: &'a dyn Fn(&Span) -> bool,
    /// Those that took at least this long.
    pub least: Duration,
    /// And no longer than this.
    pub most: Duration,
    /// Those that lie at or behind this in part at least.
    pub from: Time,
    /// And before this.
    pub to: Time,
}

impl Box<'_> {
    /// Whether a span lies in it.
    pub fn has(&self, s: &Span) -> bool {
        self.in_time(s) && self.least <= s.len() && s.len() <= self.most
    }

    /// Whether it does, however long it was.
    pub fn in_time(&self, s: &Span) -> bool {
        s.to >= self.from && s.from < self.to && (self.of)(s)
    }
}

/// All time.
pub const ALL: (Time, Time) = (Time::MIN, Time::MAX);

/// How much of a span lies in a range, and was traced.
fn inside(s: &Span, (from, to): (Time, Time), gaps: &Gaps) -> Duration {
    let (from, to) = (s.from.max(from), s.to.min(to));
    if to > from { to - from - gaps.inside(from, to) } else { Duration::ZERO }
}

/// Sums up by kind and handler the spans for which `wanted` holds, which are those of a range; those with the largest sum
/// first.
pub fn sums(found: &Found, range: (Time, Time), wanted: impl Fn(&Span) -> bool) -> Vec<Sum> {
    let mut by: FxHashMap<(KindNo, StringId), Vec<&Span>> = FxHashMap::default();
    for s in found.spans.iter().filter(|s| wanted(s)) {
        by.entry((s.kind, s.name)).or_default().push(s);
    }
    let of = (range, &found.gaps);
    let mut all: Vec<Sum> = by.into_iter().map(|((kind, name), spans)| sum((kind, name, None), of, &spans)).collect();
    all.sort_by_key(|s| (Reverse(s.total), s.kind, s.name));
    all
}

/// The same by kind and value of a label: that which the goroutine had for most of the span. Spans without one are a group
/// of their own.
pub fn sums_by_label(found: &Found, range: (Time, Time), wanted: impl Fn(&Span) -> bool, label: &Label) -> Vec<Sum> {
    let mut by: FxHashMap<(KindNo, Option<u32>), Vec<&Span>> = FxHashMap::default();
    for s in found.spans.iter().filter(|s| wanted(s)) {
        by.entry((s.kind, label.of(s.go, (s.from, s.to)))).or_default().push(s);
    }
    let of = (range, &found.gaps);
    let named = |kind, value| (kind, StringId::NONE, Some(label.valued(value)));
    let mut all: Vec<Sum> = by.into_iter().map(|((kind, value), spans)| sum(named(kind, value), of, &spans)).collect();
    all.sort_by(|a, b| (b.total, a.kind, &a.label).cmp(&(a.total, b.kind, &b.label)));
    all
}

fn sum(
    (kind, name, label): (KindNo, StringId, Option<Valued>),
    (range, gaps): ((Time, Time), &Gaps),
    spans: &[&Span],
) -> Sum {
    let mut lens: Vec<Duration> = spans.iter().map(|s| s.len()).collect();
    lens.sort_unstable();
    let slack = |s: &&&Span| {
        let (least, most) = s.len_bounds();
        most - least
    };
    let mut slacks: Vec<Duration> = spans.iter().filter(|s| s.complete()).map(|s| slack(&s)).collect();
    slacks.sort_unstable();
    let mut histogram = [0; BUCKETS];
    lens.iter().for_each(|l| histogram[bucket(*l)] += 1);
    let many = |f: &dyn Fn(&Span) -> bool| spans.iter().filter(|s| f(s)).count() as u64;
    Sum {
        kind,
        name,
        label,
        count: spans.len() as u64,
        open: many(&|s| !s.complete()),
        repeats: many(&|s| s.repeats),
        total: spans.iter().map(|s| inside(s, range, gaps)).sum(),
        whole: lens.iter().copied().sum(),
        p50: quantile(&lens, 0.5),
        p90: quantile(&lens, 0.9),
        p99: quantile(&lens, 0.99),
        max: lens.last().copied().unwrap_or_default(),
        exact_to: quantile(&slacks, 0.5),
        histogram,
    }
}

/// The longest spans for which `wanted` holds, at most `limit`, longest first.
pub fn slowest(spans: &[Span], wanted: impl Fn(&Span) -> bool, limit: usize) -> Vec<Span> {
    let mut all: Vec<Span> = spans.iter().filter(|s| wanted(s)).copied().collect();
    all.sort_by_key(|s| (Reverse(s.len()), s.from, s.go, s.kind));
    all.truncate(limit);
    all
}

/// Counts of spans by when they began and how long they took.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heat {
    /// The lowest bucket that has one.
    pub lowest: usize,
    /// A row a bucket from there on, a count a column of time.
    pub rows: Vec<Vec<u32>>,
}

impl Heat {
    /// Counts spans in `width` equal columns of `from..to`.
    pub fn new<'a>(spans: impl Iterator<Item = &'a Span>, (from, to): (Time, Time), width: usize) -> Heat {
        let all: Vec<(usize, usize)> = spans
            .filter(|s| s.from < to && s.from >= from)
            .map(|s| (bucket(s.len()), Heat::column(s.from, (from, to), width)))
            .collect();
        let (Some(lowest), Some(highest)) = (all.iter().map(|c| c.0).min(), all.iter().map(|c| c.0).max()) else {
            return Heat::default();
        };
        let mut rows = vec![vec![0; width]; highest - lowest + 1];
        for (b, x) in all {
            if let Some(n) = rows[b - lowest].get_mut(x) {
                *n += 1;
            }
        }
        Heat { lowest, rows }
    }

    /// The column of an instant.
    pub fn column(at: Time, (from, to): (Time, Time), width: usize) -> usize {
        let whole = (to - from).ns().max(1) as i128;
        (i128::from((at - from).ns()) * width as i128 / whole).clamp(0, width.max(1) as i128 - 1) as usize
    }

    /// The most in one cell.
    pub fn most(&self) -> u32 {
        self.rows.iter().flatten().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, TASK};
    use super::*;
    use crate::base::GoIdx;

    fn span(from: i64, len: i64) -> Span {
        let (from, to) = (Time(from), Time(from + len));
        Span {
            kind: TASK,
            name: StringId(0),
            go: GoIdx(0),
            ended_by: GoIdx(0),
            task: 0,
            from,
            to,
            begin: Bounds::exact(from),
            end: Bounds { earliest: to, latest: to + Duration(len % 10) },
            began: true,
            ended: true,
            first: None,
            last: None,
            arrived: None,
            answered: None,
            repeats: false,
        }
    }

    #[test]
    fn percentiles_are_lengths_that_occur() {
        let spans = (1..=100).map(|i| span(i, i)).collect();
        let found = Found { kinds: vec!["task".into()], spans, ..Found::default() };
        let all = sums(&found, ALL, |_| true);
        let s = &all[0];
        assert_eq!((s.p50, s.p90, s.p99, s.max), (Duration(50), Duration(90), Duration(99), Duration(100)));
        assert_eq!((s.count, s.total, s.histogram[6]), (100, Duration(5050), 37));
        assert_eq!(s.exact_to, Duration(4));
        assert_eq!(slowest(&found.spans, |s| s.len() < Duration(10), 2).iter().map(|s| s.len().ns()).sum::<i64>(), 17);
    }

    #[test]
    fn a_cell_counts_what_began_in_it() {
        let spans = [span(0, 3), span(5, 1000), span(9, 2), span(10, 2)];
        let heat = Heat::new(spans.iter(), (Time(0), Time(10)), 2);
        assert_eq!((heat.lowest, heat.rows.len(), heat.most()), (1, 9, 1));
        assert_eq!((heat.rows[0].clone(), heat.rows[8].clone()), (vec![1, 1], vec![0, 1]));
        assert_eq!(Heat::new([].iter(), (Time(0), Time(0)), 0), Heat::default());
    }

    /// What a range has of the spans is cut at its ends, so that ranges side by side have all of it.
    #[test]
    fn two_ranges_side_by_side_have_what_both_have() {
        use super::super::{find, rules::Rules};
        use std::collections::BTreeMap;
        let trace = crate::read::fixture::trace();
        let found = find(&*trace, Rules::shipped()).unwrap();
        let (start, end) = (trace.index().start, trace.index().end + Duration(1));
        let span = (end - start).ns();
        let of = |range: (Time, Time)| -> BTreeMap<(KindNo, StringId), i64> {
            let inside = |s: &Span| s.to >= range.0 && s.from < range.1;
            let all = sums(&found, range, inside);
            assert!(all.iter().all(|s| s.total <= s.whole && s.max <= s.whole));
            all.iter().map(|s| ((s.kind, s.name), s.total.ns())).filter(|s| s.1 > 0).collect()
        };
        assert_eq!(of((start, end)), of(ALL));
        for k in 1..20 {
            let cuts = [0, span / 50 * k, span / 30 * (k + 9), span].map(|x| start + Duration(x.min(span)));
            let mut sum: BTreeMap<(KindNo, StringId), i64> = BTreeMap::new();
            for pair in cuts.windows(2) {
                of((pair[0], pair[1])).into_iter().for_each(|(key, ns)| *sum.entry(key).or_default() += ns);
            }
            assert_eq!(sum, of(ALL));
        }
    }
}
