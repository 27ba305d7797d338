//! What was not traced, between the recordings of a file.

use crate::base::{Duration, Time};

/// The times between recordings, in order: from, to, and how long that is with all before it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Gaps(Vec<(Time, Time, Duration)>);

impl Gaps {
    /// Those from and to these instants, in order, as far as they are any.
    pub fn new(all: impl Iterator<Item = (Time, Time)>) -> Gaps {
        let mut sum = Duration::ZERO;
        let summed = all.filter(|g| g.0 < g.1).map(|(from, to)| {
            sum += to - from;
            (from, to, sum)
        });
        Gaps(summed.collect())
    }

    /// The parts of them that lie between two instants.
    pub fn between(&self, from: Time, to: Time) -> Gaps {
        Gaps::new(self.iter().map(|g| (g.0.max(from), g.1.min(to))))
    }

    /// From when to when each is.
    pub fn iter(&self) -> impl Iterator<Item = (Time, Time)> + '_ {
        self.0.iter().map(|g| (g.0, g.1))
    }

    /// How much of them lies before an instant.
    fn before(&self, t: Time) -> Duration {
        match self.0.partition_point(|g| g.0 < t).checked_sub(1).map(|i| self.0[i]) {
            Some((_, to, sum)) => sum - (to - t.min(to)),
            None => Duration::ZERO,
        }
    }

    /// How much of the time from `from` to `to`, which is no earlier, lies in them.
    pub fn inside(&self, from: Time, to: Time) -> Duration {
        self.before(to) - self.before(from)
    }

    /// When an instant would be if nothing lay between recordings.
    pub fn squeeze(&self, t: Time) -> Time {
        t - self.before(t)
    }

    /// When that is in truth: the later of two instants, where a gap lies between them.
    pub fn stretch(&self, t: Time) -> Time {
        self.0.iter().fold(t, |t, g| if t >= g.0 { t + (g.1 - g.0) } else { t })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_moves_by_the_gaps_before_it_and_comes_back() {
        let gaps = Gaps::new([(Time(10), Time(15)), (Time(20), Time(30))].into_iter());
        for (t, squeezed) in [(0, 0), (9, 9), (10, 10), (12, 10), (15, 10), (17, 12), (20, 15), (30, 15), (33, 18)] {
            assert_eq!(gaps.squeeze(Time(t)), Time(squeezed), "{t}");
        }
        for t in [0, 9, 15, 17, 30, 33] {
            assert_eq!(gaps.stretch(gaps.squeeze(Time(t))), Time(t), "{t}");
        }
        assert_eq!(gaps.inside(Time(12), Time(25)), Duration(8));
    }
}
