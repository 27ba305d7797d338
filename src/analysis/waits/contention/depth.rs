//! How deep a queue was over time.

use crate::base::{Duration, Time};

/// Parts of the trace for each of which a depth is told.
pub const CELLS: usize = 48;

/// Adds up goroutine-nanoseconds by equal parts of a trace. Times must not go back.
pub(crate) struct Depth {
    start: Time,
    /// Length of a part, at least one nanosecond.
    width: i64,
    area: [i128; CELLS],
    at: usize,
    /// When part `at` ends; the last has no end.
    until: Time,
}

impl Depth {
    pub(crate) fn new(start: Time, whole: Duration) -> Depth {
        let width = (whole.0.max(1) - 1) / CELLS as i64 + 1;
        Depth { start, width, area: [0; CELLS], at: 0, until: Time(start.0.saturating_add(width)) }
    }

    /// `depth` goroutines waited from one instant to another.
    pub(crate) fn add(&mut self, from: Time, to: Time, depth: u64) {
        let mut from = from.max(self.start);
        while from < to {
            while from >= self.until {
                self.at += 1;
                let end = Time(self.start.0.saturating_add(self.width.saturating_mul(self.at as i64 + 1)));
                self.until = if self.at + 1 == CELLS { Time::MAX } else { end };
            }
            let end = to.min(self.until);
            self.area[self.at] += i128::from((end - from).0) * i128::from(depth);
            from = end;
        }
    }

    /// The mean depth of each part, in thousandths.
    pub(crate) fn milli(&self) -> Vec<u64> {
        let mean = |a: &i128| (a * 1000 / i128::from(self.width)).clamp(0, i128::from(u64::MAX)) as u64;
        self.area.iter().map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_nanosecond_goes_to_its_part(
            whole in 1i64..2000,
            steps in prop::collection::vec((0i64..300, 0u64..5), 0..40),
        ) {
            let (start, mut now) = (Time(100), Time(70));
            let mut d = Depth::new(start, Duration(whole));
            let width = (whole + CELLS as i64 - 1) / CELLS as i64;
            let mut want = [0i128; CELLS];
            for (len, depth) in steps {
                let to = now + Duration(len);
                d.add(now, to, depth);
                for t in now.0.max(100)..to.0 {
                    want[(((t - 100) / width) as usize).min(CELLS - 1)] += i128::from(depth);
                }
                now = to;
            }
            prop_assert_eq!(d.area, want);
        }
    }
}
