//! Instants and lengths of time, both in nanoseconds.

use super::number;
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// An instant on the trace's clock, in nanoseconds. The clock's origin is the traced machine's business (usually its
/// boot); what is shown to a person is relative to the trace's first event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub i64);

/// A length of time in nanoseconds. Negative only in the middle of a computation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Duration(pub i64);

impl Time {
    /// Earlier than any instant of any trace.
    pub const MIN: Time = Time(i64::MIN);
    /// Later than any instant of any trace.
    pub const MAX: Time = Time(i64::MAX);
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);
    /// Nanoseconds.
    pub fn ns(self) -> i64 {
        self.0
    }
    /// Seconds, for ratios and display.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// The standard library's; nothing where it is negative.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0.max(0) as u64)
    }
}

impl Sub for Time {
    type Output = Duration;
    #[inline]
    fn sub(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    #[inline]
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(d.0))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    #[inline]
    fn sub(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(d.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    #[inline]
    fn add(self, d: Duration) -> Duration {
        Duration(self.0.saturating_add(d.0))
    }
}

impl Sub for Duration {
    type Output = Duration;
    #[inline]
    fn sub(self, d: Duration) -> Duration {
        Duration(self.0.saturating_sub(d.0))
    }
}

impl AddAssign for Duration {
    #[inline]
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl SubAssign for Duration {
    #[inline]
    fn sub_assign(&mut self, d: Duration) {
        *self = *self - d;
    }
}

impl std::iter::Sum for Duration {
    fn sum<I: Iterator<Item = Duration>>(iter: I) -> Duration {
        iter.fold(Duration::ZERO, Add::add)
    }
}

/// Three significant digits and one unit: `812ns`, `1.24ms`, `2.00s`; then `3m05s` and `10h48m`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&number::duration(self.0))
    }
}

/// An instant, counted from the trace's start, with as many digits as tell apart what lies `resolution` apart (what one
/// cell of the screen spans): `0.812031s`. See [`number::Instants`] for several that stand below each other.
pub fn offset(at: Duration, resolution: Duration) -> String {
    number::Instants::new(at, resolution).show(at)
}
