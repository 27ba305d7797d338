//! Counts and sums: how often and how long, and the values of a metric.

use crate::base::Duration;

/// How often and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How long in all.
    pub total: Duration,
}

impl Tally {
    /// Counts one more.
    #[inline]
    pub fn add(&mut self, d: Duration) {
        self.count += 1;
        self.total += d;
    }

    /// Adds another tally.
    pub fn merge(&mut self, o: Tally) {
        self.count += o.count;
        self.total += o.total;
    }
}

/// A metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct MetricTally {
    /// How many.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// The largest.
    pub max: u64,
    /// The last.
    pub last: u64,
}

impl MetricTally {
    pub(crate) fn add(&mut self, v: u64) {
        self.merge(MetricTally { count: 1, min: v, max: v, last: v });
    }

    /// Adds the values that come after.
    pub fn merge(&mut self, o: MetricTally) {
        if o.count > 0 {
            self.min = if self.count == 0 { o.min } else { self.min.min(o.min) };
            self.max = self.max.max(o.max);
            self.last = o.last;
            self.count += o.count;
        }
    }
}
