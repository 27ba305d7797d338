//! Instants and lengths of time, both in nanoseconds.

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
}

impl Sub for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, d: Duration) -> Time {
        Time(self.0.saturating_add(d.0))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, d: Duration) -> Time {
        Time(self.0.saturating_sub(d.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, d: Duration) -> Duration {
        Duration(self.0.saturating_add(d.0))
    }
}

impl Sub for Duration {
    type Output = Duration;
    fn sub(self, d: Duration) -> Duration {
        Duration(self.0.saturating_sub(d.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl SubAssign for Duration {
    fn sub_assign(&mut self, d: Duration) {
        *self = *self - d;
    }
}

impl std::iter::Sum for Duration {
    fn sum<I: Iterator<Item = Duration>>(iter: I) -> Duration {
        iter.fold(Duration::ZERO, Add::add)
    }
}

/// Shows a length of time with three or four significant digits and its unit: `812ns`, `1.24ms`, `2.00s`, `3m05s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&display(self.0))
    }
}

fn display(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let n = ns.unsigned_abs();
    let scaled = |unit: u64, name: &str| {
        let v = n as f64 / unit as f64;
        let digits = if v >= 99.95 {
            0
        } else if v >= 9.995 {
            1
        } else {
            2
        };
        format!("{sign}{v:.digits$}{name}")
    };
    match n {
        0..1_000 => format!("{sign}{n}ns"),
        1_000..999_500 => scaled(1_000, "µs"),
        999_500..999_500_000 => scaled(1_000_000, "ms"),
        999_500_000..59_950_000_000 => scaled(1_000_000_000, "s"),
        _ => {
            let s = n / 1_000_000_000;
            format!("{sign}{}m{:02}s", s / 60, s % 60)
        }
    }
}

/// Shows an instant as an offset with as many digits as `resolution` (what one screen cell spans) needs, always in one
/// unit for the whole axis: `812.031ms`.
pub fn offset(at: Duration, resolution: Duration) -> String {
    let (unit, name) = match at.0.unsigned_abs() {
        0..1_000 => (1.0, "ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..10_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let per = resolution.0.max(1) as f64 / unit;
    let digits = if per >= 1.0 { 0 } else { (-per.log10()).ceil().clamp(0.0, 9.0) as usize };
    format!("{:.digits$}{name}", at.0 as f64 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let cases = [
            (0, "0ns"),
            (812, "812ns"),
            (1_243, "1.24µs"),
            (999_499, "999µs"),
            (999_500, "1.00ms"),
            (12_345_678, "12.3ms"),
            (2_000_000_000, "2.00s"),
            (185_000_000_000, "3m05s"),
            (-1_500, "-1.50µs"),
        ];
        for (ns, want) in cases {
            assert_eq!(Duration(ns).to_string(), want);
        }
    }

    #[test]
    fn offsets_have_the_digits_that_the_zoom_needs() {
        assert_eq!(offset(Duration(812_031_000), Duration(1_000)), "812.031ms");
        assert_eq!(offset(Duration(812_031_000), Duration(1_000_000)), "812ms");
        assert_eq!(offset(Duration(12_000_000_000), Duration(100_000_000)), "12.0s");
    }
}
