//! How numbers are shown: one format a kind, on every screen and in every text.
//!
//! | kind | function | looks like |
//! |---|---|---|
//! | length of time | `Duration`'s `Display` | `812ns`, `1.51ms`, `3m05s`, `10h48m` |
//! | instant, counted from the trace's start | [`Instants`] | `1.509826s` |
//! | count | [`count`], [`count_in`] | `1 058 233`, `1.06M` |
//! | bytes | [`bytes`] | `812B`, `1.50kB`, `61.32MB` |
//! | share | [`percent`] | `31.7 %` |

use super::Duration;

/// A length of time: three significant digits and one unit below a minute; then minutes and whole seconds, and from an hour
/// on hours and whole minutes.
pub(super) fn duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let n = ns.unsigned_abs();
    let scaled = |unit: u64, name: &str| {
        let v = n as f64 / unit as f64;
        format!("{sign}{v:.*}{name}", digits(v))
    };
    let seconds = n / 1_000_000_000;
    match n {
        0..1_000 => format!("{sign}{n}ns"),
        1_000..999_500 => scaled(1_000, "µs"),
        999_500..999_500_000 => scaled(1_000_000, "ms"),
        999_500_000..60_000_000_000 => scaled(1_000_000_000, "s"),
        60_000_000_000..3_600_000_000_000 => format!("{sign}{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{sign}{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// How many digits behind the point make three significant ones of a number between 1 and 1000.
fn digits(v: f64) -> usize {
    if v >= 99.95 {
        0
    } else if v >= 9.995 {
        1
    } else {
        2
    }
}

/// How instants are written on one screen or in one listing: seconds since the trace's start, all with as many digits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instants {
    digits: usize,
    width: usize,
}

impl Instants {
    /// For instants up to `last` that are to be told apart if `resolution` lies between them: one cell of the screen, or
    /// a nanosecond where nothing may be lost.
    pub fn new(last: Duration, resolution: Duration) -> Instants {
        let mut digits = 0;
        while digits < 9 && 10i64.pow(9 - digits as u32) > resolution.0.max(1) {
            digits += 1;
        }
        let blank = Instants { digits, width: 0 };
        Instants { width: blank.show(last).len(), ..blank }
    }

    /// An instant without padding: `1.509826s`. Digits that do not show are cut off, so that it never shows as later
    /// than it is.
    pub fn show(&self, at: Duration) -> String {
        let sign = if at.0 < 0 { "-" } else { "" };
        let n = at.0.unsigned_abs();
        let (whole, rest) = (n / 1_000_000_000, n % 1_000_000_000);
        match self.digits {
            0 => format!("{sign}{whole}s"),
            d => format!("{sign}{whole}.{:0d$}s", rest / 10u64.pow(9 - d as u32)),
        }
    }

    /// An instant with spaces before it, so that all up to the last one are of one width.
    pub fn pad(&self, at: Duration) -> String {
        format!("{:>1$}", self.show(at), self.width)
    }

    /// The columns that [`pad`](Self::pad) fills, for instants that are not later than the last one.
    pub fn width(&self) -> usize {
        self.width
    }
}

/// An instant that stands alone, to the microsecond: `1.509826s`.
pub fn instant(at: Duration) -> String {
    Instants { digits: 6, width: 0 }.show(at)
}

/// A count in groups of three digits: `1 058 233`.
///
/// The groups are set apart by an ordinary space: in a terminal all spaces are of one width, and this one also exists in
/// ASCII.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}

/// A count for `columns` columns: as [`count`] has it if there is room, or else with three digits and a power of a
/// thousand: `33.1M`. It is never cut, so that it may take more columns than there are (at most five).
pub fn count_in(n: u64, columns: usize) -> String {
    let whole = count(n);
    if whole.len() <= columns || n < 1000 {
        return whole;
    }
    let mut v = n as f64;
    for unit in ["", "k", "M", "G", "T", "P"] {
        if v < 999.5 {
            return format!("{v:.*}{unit}", digits(v));
        }
        v /= 1000.0;
    }
    format!("{v:.*}E", digits(v))
}

/// Bytes in the largest unit of which they are at least one, as pprof writes them: units are powers of 1024, with two
/// digits behind the point, or none if both are zero.
pub fn bytes(n: u64) -> String {
    let mut v = n as f64;
    let mut name = "B";
    for unit in ["kB", "MB", "GB", "TB", "PB"] {
        if v < 1024.0 {
            break;
        }
        v /= 1024.0;
        name = unit;
    }
    let text = format!("{v:.2}");
    format!("{}{name}", text.strip_suffix(".00").unwrap_or(&text))
}

/// What share of `whole` `part` is: `31.7 %`. Of nothing everything is 0.
pub fn percent(part: f64, whole: f64) -> String {
    let share = if whole == 0.0 { 0.0 } else { part * 100.0 / whole };
    format!("{share:.1} %")
}

/// How often something is a second: `12.3`, from a hundred on without a part: `1 234`.
pub fn rate(x: f64) -> String {
    if x < 100.0 { format!("{x:.1}") } else { count(x.round() as u64) }
}

/// From this heap goal on there is none: the GC is off (GOGC=off), and the runtime's goal is the largest number there is.
pub const NO_GOAL: u64 = 1 << 62;

/// A heap goal: `off` where the GC is.
pub fn goal(n: u64) -> String {
    if n >= NO_GOAL { "off".into() } else { bytes(n) }
}

/// The value of sorted lengths that a part of them (0 to 1) does not pass; nothing for none.
pub fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (ns, want) in [
            (0, "0ns"),
            (812, "812ns"),
            (1_243, "1.24µs"),
            (999_499, "999µs"),
            (999_500, "1.00ms"),
            (12_345_678, "12.3ms"),
            (2_000_000_000, "2.00s"),
            (59_960_000_000, "60.0s"),
            (60_000_000_000, "1m00s"),
            (185_900_000_000, "3m05s"),
            (3_599_999_999_999, "59m59s"),
            (3_600_000_000_000, "1h00m"),
            (38_931_000_000_000, "10h48m"),
            (-1_500, "-1.50µs"),
            (i64::MIN, "-2562047h47m"),
        ] {
            assert_eq!(duration(ns), want);
        }
    }

    #[test]
    fn instants_of_one_screen_have_one_width() {
        let micro = Instants::new(Duration(12_509_826_042), Duration(1_000));
        assert_eq!(micro.show(Duration(1_509_826_999)), "1.509826s");
        assert_eq!(micro.pad(Duration(1_509_826_999)), " 1.509826s");
        assert_eq!(micro.pad(Duration(12_509_826_042)).len(), micro.width());
        assert_eq!(Instants::new(Duration(0), Duration(1)).show(Duration(42)), "0.000000042s");
        assert_eq!(Instants::new(Duration(0), Duration(1_999)).show(Duration(-1_500_000)), "-0.001500s");
        assert_eq!(Instants::new(Duration(0), Duration(5_000_000_000)).show(Duration(7_999_000_000)), "7s");
        assert_eq!(instant(Duration(812_031_042)), "0.812031s");
    }

    #[test]
    fn counts_are_grouped_and_never_cut() {
        assert_eq!(count(1_058_233), "1 058 233");
        assert_eq!(count(7), "7");
        assert_eq!(count_in(33_100_000, 10), "33 100 000");
        assert_eq!(count_in(33_100_000, 9), "33.1M");
        assert_eq!(count_in(999, 0), "999");
        assert_eq!(count_in(999_499, 1), "999k");
        assert_eq!(count_in(999_500, 1), "1.00M");
        assert_eq!(count_in(u64::MAX, 5), "18.4E");
    }

    #[test]
    fn a_goal_that_is_none_is_off() {
        assert_eq!([goal(61 << 20), goal(u64::MAX), goal(i64::MAX as u64)], ["61MB", "off", "off"]);
    }

    #[test]
    fn bytes_are_those_of_pprof() {
        for (n, want) in [
            (0, "0B"),
            (812, "812B"),
            (1024, "1kB"),
            (1536, "1.50kB"),
            (64_300_000, "61.32MB"),
            (1 << 30, "1GB"),
            (u64::MAX, "16384PB"),
        ] {
            assert_eq!(bytes(n), want);
        }
    }

    #[test]
    fn shares_have_one_decimal() {
        assert_eq!(percent(317.0, 1000.0), "31.7 %");
        assert_eq!(percent(1.0, 1.0), "100.0 %");
        assert_eq!(percent(1.0, 0.0), "0.0 %");
    }
}
