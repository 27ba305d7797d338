//! How lengths of time are written by people: one grammar for `--from` and `--to`, for the query's `t:` and `dur>`, for
//! positions (`trace.out@812.031ms:g8`) and wherever else one is read.
//!
//! ```text
//! duration = "0" | part { part }
//! part     = digits [ "." digits ] unit
//! unit     = "ns" | "us" | "µs" | "ms" | "s" | "m" | "min" | "h"
//! ```
//!
//! This is what Go's `time.ParseDuration` reads, without signs and with `min`; so is all that
//! [`Duration`]'s `Display` and [`exact`] write.

use super::time::Duration;
use super::{Span, spell};
use std::fmt;
use std::str::FromStr;

/// Units and their nanoseconds. The first of several names is the one that hints give.
const UNITS: [(&str, i128); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    // Greek mu; the one above is the micro sign.
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Digits behind the point that are read; the others are less than a nanosecond, whatever the unit.
const FRACTION: usize = 18;

/// What is wrong with a length of time, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DurationError {
    /// The place in the text that was read.
    pub span: Span,
    /// What is wrong there.
    pub fault: DurationFault,
    /// What to write instead of the whole text, if that can be guessed.
    pub suggestion: Option<String>,
}

/// What can be wrong with a length of time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DurationFault {
    /// There is no text.
    #[error("a length of time is missing, such as `1.5ms`")]
    Missing,
    /// No number stands where one should.
    #[error("`{0}` is not a length of time, such as `1.5ms`")]
    NoNumber(String),
    /// A number has no digits before or behind its point, or two points.
    #[error("`{0}` is not a number")]
    Number(String),
    /// It begins with a minus sign.
    #[error("a length of time has no sign")]
    Sign,
    /// A number has no unit.
    #[error("`{0}` has no unit (ns, us, ms, s, m, h)")]
    NoUnit(String),
    /// What follows a number is not a unit.
    #[error("`{0}` is not a unit of time (ns, us, ms, s, m, h)")]
    Unit(String),
    /// It does not fit 64 bits of nanoseconds, which are 292 years.
    #[error("`{0}` is longer than any trace")]
    TooLong(String),
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::text::escape(&self.fault.to_string()))?;
        self.suggestion.as_deref().map_or(Ok(()), |s| f.write_str(&spell::hint(s)))
    }
}

impl std::error::Error for DurationError {}

impl FromStr for Duration {
    type Err = DurationError;

    /// Reads a length of time as it is written on the command line and in queries; never negative.
    fn from_str(text: &str) -> Result<Duration, DurationError> {
        if text == "0" {
            return Ok(Duration::ZERO);
        }
        let whole = Span { start: 0, end: text.len() };
        let wrong = |span, fault| Err(DurationError { span, fault, suggestion: None });
        if text.is_empty() {
            return wrong(whole, DurationFault::Missing);
        }
        if text.starts_with(['-', '+']) {
            return wrong(Span { start: 0, end: 1 }, DurationFault::Sign);
        }
        let mut total: i128 = 0;
        let mut at = 0;
        while at < text.len() {
            let part = Part::first(&text[at..]);
            let number = Span { start: at, end: at + part.number.len() };
            let unit = Span { start: number.end, end: number.end + part.unit.len() };
            if part.number.is_empty() {
                return wrong(unit, DurationFault::NoNumber(part.unit.into()));
            }
            let Some((digits, fraction)) = part.digits() else {
                return wrong(number, DurationFault::Number(part.number.into()));
            };
            let Some(&(_, ns)) = UNITS.iter().find(|(name, _)| *name == part.unit) else {
                let (span, fault) = match part.unit {
                    "" => (number, DurationFault::NoUnit(part.number.into())),
                    u => (unit, DurationFault::Unit(u.into())),
                };
                let meant = meant(part.unit).map(|u| format!("{}{u}{}", &text[..number.end], &text[unit.end..]));
                return Err(DurationError { span, fault, suggestion: meant });
            };
            let sum = digits.and_then(|d| total.checked_add(d.checked_mul(ns)?));
            total = match sum.map(|t| t + fraction * ns / 10i128.pow(FRACTION as u32)) {
                Some(t) if t <= i128::from(i64::MAX) => t,
                _ => return wrong(number.to(unit), DurationFault::TooLong(text[number.start..unit.end].into())),
            };
            at = unit.end;
        }
        Ok(Duration(total as i64))
    }
}

/// A number and its unit as they are written.
struct Part<'a> {
    number: &'a str,
    unit: &'a str,
}

impl<'a> Part<'a> {
    fn first(text: &'a str) -> Part<'a> {
        let in_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, rest) = text.split_at(text.find(|c| !in_number(c)).unwrap_or(text.len()));
        Part { number, unit: &rest[..rest.find(in_number).unwrap_or(rest.len())] }
    }

    /// The whole part of the number, if it fits, and the rest in units of 10^-[`FRACTION`]. `None` if it is no number.
    fn digits(&self) -> Option<(Option<i128>, i128)> {
        let (whole, fraction) = self.number.split_once('.').unwrap_or((self.number, "0"));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let fraction = &fraction[..fraction.len().min(FRACTION)];
        let scale = 10i128.pow((FRACTION - fraction.len()) as u32);
        Some((whole.parse().ok(), fraction.parse::<i128>().ok()? * scale))
    }
}

/// The unit that people mean by another word, or by none.
fn meant(unit: &str) -> Option<&'static str> {
    let lower = unit.to_lowercase();
    if let Some((name, _)) = UNITS.iter().find(|(name, _)| *name == lower) {
        return Some(name);
    }
    let singular = lower.strip_suffix('s').filter(|s| s.len() > 2).unwrap_or(&lower);
    Some(match singular {
        "" => "ms",
        "nsec" | "nano" | "nanosecond" => "ns",
        "usec" | "µsec" | "micro" | "microsecond" => "us",
        "msec" | "milli" | "millisecond" => "ms",
        "sec" | "second" => "s",
        "mins" | "minute" => "m",
        "hr" | "hour" => "h",
        _ => return None,
    })
}

/// A length of time without loss, in the largest unit in which it is whole. It reads as the same length.
pub fn exact(d: Duration) -> String {
    for (unit, name) in [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")] {
        if d.0 != 0 && d.0 % unit == 0 {
            return format!("{}{name}", d.0 / unit);
        }
    }
    format!("{}ns", d.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ns(text: &str) -> i64 {
        text.parse::<Duration>().unwrap_or_else(|e| panic!("{text}: {e}")).0
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, want) in [
            ("0", 0),
            ("7ns", 7),
            ("250µs", 250_000),
            ("250μs", 250_000),
            ("250us", 250_000),
            ("812.031ms", 812_031_000),
            ("1.509826s", 1_509_826_000),
            ("1s500ms", 1_500_000_000),
            ("1m30s", 90_000_000_000),
            ("2m", 120_000_000_000),
            ("2min", 120_000_000_000),
            ("3m05s", 185_000_000_000),
            ("1h", 3_600_000_000_000),
            ("10h48m", 38_880_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("1.0000000009s", 1_000_000_000),
            ("0.1234567890123456789012345h", 444_444_440_444),
            ("9223372036854775807ns", i64::MAX),
            ("00000000000000000000000001s", 1_000_000_000),
        ] {
            assert_eq!(ns(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_place() {
        for (text, place, message) in [
            ("", "", "a length of time is missing, such as `1.5ms`"),
            ("x", "x", "`x` is not a length of time, such as `1.5ms`"),
            ("12", "12", "`12` has no unit (ns, us, ms, s, m, h); did you mean `12ms`?"),
            ("1m30", "30", "`30` has no unit (ns, us, ms, s, m, h); did you mean `1m30ms`?"),
            ("2sec", "sec", "`sec` is not a unit of time (ns, us, ms, s, m, h); did you mean `2s`?"),
            ("1h2Hours3s", "Hours", "`Hours` is not a unit of time (ns, us, ms, s, m, h); did you mean `1h2h3s`?"),
            ("5MS", "MS", "`MS` is not a unit of time (ns, us, ms, s, m, h); did you mean `5ms`?"),
            ("1s5x", "x", "`x` is not a unit of time (ns, us, ms, s, m, h)"),
            ("1.2.3s", "1.2.3", "`1.2.3` is not a number"),
            ("1.s", "1.", "`1.` is not a number"),
            ("1s.5s", ".5", "`.5` is not a number"),
            ("-3ms", "-", "a length of time has no sign"),
            ("1 ms", " ms", "` ms` is not a unit of time (ns, us, ms, s, m, h)"),
            ("5\x1b", "\x1b", "`\\x1b` is not a unit of time (ns, us, ms, s, m, h)"),
            ("1s99999999h", "99999999h", "`99999999h` is longer than any trace"),
            (
                "99999999999999999999999999999999999999999ns",
                "99999999999999999999999999999999999999999ns",
                "`99999999999999999999999999999999999999999ns` is longer than any trace",
            ),
        ] {
            let e = text.parse::<Duration>().expect_err(text);
            assert_eq!((&text[e.span.start..e.span.end], e.to_string().as_str()), (place, message), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_places_lie_in_the_text(text in "[0-9.nsuµmhi x-]{0,12}") {
            if let Err(e) = text.parse::<Duration>() {
                prop_assert!(text.get(e.span.start..e.span.end).is_some());
                if let Some(better) = e.suggestion {
                    prop_assert!(better.parse::<Duration>().map_or_else(|e| e.span.start, |_| text.len()) >= e.span.start);
                }
            }
        }

        #[test]
        fn what_is_written_reads_as_the_same(n in any::<u64>().prop_map(|n| (n >> (n % 64)) as i64 & i64::MAX)) {
            prop_assert_eq!(ns(&exact(Duration(n))), n);
            // What screens show is rounded to three digits, and from a minute on to the second or minute below.
            let shown = ns(&Duration(n).to_string());
            let off = if n < 60_000_000_000 { n / 180 } else if n < 3_600_000_000_000 { 999_999_999 } else { 59_999_999_999 };
            prop_assert!(shown.abs_diff(n) <= off as u64, "{} shows as {}", n, Duration(n));
        }
    }
}
