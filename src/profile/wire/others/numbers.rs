//! Numbers with decimals as whole ones that add up to the same: a profile's values are whole.

use serde_json::Number;

/// A decimal number, exactly: `digits` divided by ten to the power of `decimals`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Decimal {
    digits: i128,
    decimals: u32,
}

/// The most digits before the point that are read; 64 bits hold nineteen.
const DIGITS: usize = 30;
/// Decimals that are read: values are billionths at the finest, of which [`CARRIED`] decimals are carried over.
const KEPT: usize = 9 + CARRIED as usize;

impl Decimal {
    /// Reads a number such as `-12.50`, of whose decimals those beyond [`KEPT`] are cut off; nothing if it is none, or larger
    /// than any value that could be kept.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part = part.trim_end_matches('0');
        if whole.len() > DIGITS || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let part = &part[..part.len().min(KEPT)];
        let digits = format!("{whole}{part}").parse().ok()?;
        Some(Decimal { digits, decimals: part.len() as u32 })
    }

    /// A number of JSON; one with decimals as the shortest text that means it.
    pub fn of(n: &Number) -> Option<Decimal> {
        match n.as_f64() {
            Some(f) if !n.is_i64() && !n.is_u64() => Decimal::parse(&format!("{f}")),
            _ => Decimal::parse(&n.to_string()),
        }
    }

    /// How much larger it is than another number.
    pub fn less(self, other: Decimal) -> Option<Decimal> {
        let decimals = self.decimals.max(other.decimals);
        let digits = self.times_ten_to(decimals)?.checked_sub(other.times_ten_to(decimals)?)?;
        Some(Decimal { digits, decimals })
    }

    /// 1.
    pub fn one() -> Decimal {
        Decimal { digits: 1, decimals: 0 }
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// `self` times ten to the power of `n`, which is not less than its decimals.
    fn times_ten_to(self, n: u32) -> Option<i128> {
        self.digits.checked_mul(10i128.checked_pow(n - self.decimals)?)
    }
}

/// Makes whole values out of decimal numbers: so many times as large, with what is rounded off carried over to the next, so
/// that their sum is right.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// The power of ten that numbers are multiplied by.
    power: u32,
    /// What was rounded off so far, in billionths.
    carried: i128,
    /// How many values were rounded.
    pub rounded: usize,
}

/// Decimals of a whole value that are carried over.
const CARRIED: u32 = 9;

impl Whole {
    /// Numbers times ten to the power of `power`.
    pub fn times_ten_to(power: u32) -> Whole {
        Whole { power, ..Whole::default() }
    }

    /// For counts: the least of whole ones, thousandths, millionths and billionths in which all `numbers` are whole and their
    /// sum fits 64 bits; else the finest in which it fits.
    pub fn counts(numbers: impl Iterator<Item = Decimal> + Clone) -> Whole {
        let wanted = numbers.clone().map(|n| n.decimals).max().unwrap_or(0).div_ceil(3) * 3;
        let sum = numbers.fold(0f64, |sum, n| sum + (n.digits as f64 / 10f64.powi(n.decimals as i32)).abs());
        let fits = |power: &u32| sum * 10f64.powi(*power as i32) < i64::MAX as f64;
        Whole::times_ten_to([9, 6, 3].into_iter().filter(|p| *p <= wanted.min(9)).find(fits).unwrap_or(0))
    }

    /// The unit of such counts.
    pub fn unit(&self) -> &'static str {
        match self.power {
            0 => "count",
            3 => "thousandths",
            6 => "millionths",
            _ => "billionths",
        }
    }

    /// A number as a whole value; nothing if 64 bits do not hold it.
    pub fn value(&mut self, n: Decimal) -> Option<i64> {
        let fine = self.power + CARRIED;
        // What is smaller than a billionth of a value is nothing.
        let n = match n.decimals.checked_sub(fine) {
            Some(more) => Decimal { digits: n.digits / 10i128.checked_pow(more)?, decimals: fine },
            None => n,
        };
        let all = n.times_ten_to(fine)?.checked_add(self.carried)?;
        let one = 10i128.pow(CARRIED);
        let whole = all.checked_add(one / 2)?.div_euclid(one);
        let value = i64::try_from(whole).ok()?;
        self.rounded += usize::from(n.decimals > self.power);
        self.carried = all - whole * one;
        Some(value)
    }

    /// What there is to say of counts.
    pub fn said(&self) -> Option<String> {
        let unit = self.unit();
        match (self.power, self.rounded) {
            (0, 0) => None,
            (_, 0) => Some(format!("its numbers have decimals: values are in {unit}")),
            (0, n) => Some(format!("{n} numbers with decimals were rounded; their sum is right")),
            (_, n) => {
                Some(format!("its numbers have decimals: values are in {unit}, {n} were rounded; their sum is right"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(numbers: &[&str]) -> (Vec<Option<i64>>, Whole) {
        let numbers: Vec<Decimal> = numbers.iter().map(|n| Decimal::parse(n).unwrap()).collect();
        let mut whole = Whole::counts(numbers.iter().copied());
        (numbers.iter().map(|n| whole.value(*n)).collect(), whole)
    }

    #[test]
    fn decimals_are_kept_exactly_or_add_up() {
        for (numbers, values, unit) in [
            (&["3", "4.0"][..], &[3, 4][..], "count"),
            (&["0.5", "2", "-1.25"], &[500, 2000, -1250], "thousandths"),
            (&["0.0004", "0.0004"], &[400, 400], "millionths"),
            (&["0.000000001"], &[1], "billionths"),
        ] {
            let (got, whole) = all(numbers);
            assert_eq!(got, values.iter().map(|v| Some(*v)).collect::<Vec<_>>());
            assert_eq!((whole.unit(), whole.rounded), (unit, 0));
        }
        // A sum of thousandths that does not fit is rounded, and right.
        let (got, whole) = all(&["9000000000000000000", "0.4", "0.4", "0.4"]);
        assert_eq!(got, [Some(9_000_000_000_000_000_000), Some(0), Some(1), Some(0)]);
        assert_eq!((whole.unit(), whole.rounded), ("count", 3));
        assert_eq!(all(&["9223372036854775808"]).0, [None]);
        assert_eq!(Decimal::parse("1".repeat(31).as_str()), None);
    }

    #[test]
    fn what_cannot_be_rounded_does_not_fit() {
        // With half of one it is more than 128 bits hold.
        let most = Decimal::parse("170141183460469231731687303715.8").unwrap();
        assert_eq!(Whole::default().value(most), None);
        assert_eq!(Whole::default().value(Decimal { digits: i128::MIN, decimals: CARRIED }), None);
    }

    #[test]
    fn decimals_beyond_those_carried_are_cut_off() {
        let parse = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(parse("-1.0000000000000000019"), parse("-1.000000000000000001"));
        assert_eq!(parse(&format!("2.{}", "3".repeat(100))), parse("2.333333333333333333"));
        for text in ["1.0000000000000000000x", "1.00000000000000000é", "1.-5", "1.2.3", ".", "-", ""] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        let mut seconds = Whole::times_ten_to(9);
        assert_eq!(
            ["5.5551115123125783e-17", "1e-300", "2"].map(of).map(|n| seconds.value(n)),
            [0, 0, 2_000_000_000].map(Some)
        );
        assert_eq!(seconds.rounded, 2);
    }

    fn of(text: &str) -> Decimal {
        Decimal::of(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn numbers_of_json_are_what_they_say() {
        let of = |text: &str| Decimal::of(&serde_json::from_str(text).unwrap());
        assert_eq!(of("9007199254740993"), Decimal::parse("9007199254740993"), "more than a double holds");
        assert_eq!(of("0.1"), Decimal::parse("0.1"));
        assert_eq!((of("1e3"), of("1e300")), (Decimal::parse("1000"), None));
        let less = Decimal::parse("1.5").unwrap().less(Decimal::parse("0.25").unwrap());
        assert_eq!(less, Decimal::parse("1.25"));
    }
}
