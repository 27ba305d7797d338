//! Values and their units: how pprof scales and prints them.

/// A unit: what it is called in output, what it is called in input, and how many of the base unit it is.
struct Unit {
    name: &'static str,
    aliases: &'static [&'static str],
    factor: f64,
}

/// Units of one kind, and the one used where none is asked for.
struct Kind {
    units: &'static [Unit],
    default: (&'static str, f64),
}

const fn unit(name: &'static str, aliases: &'static [&'static str], factor: f64) -> Unit {
    Unit { name, aliases, factor }
}

const KIB: f64 = 1024.0;

const KINDS: [Kind; 3] = [
    Kind {
        units: &[
            unit("B", &["b", "byte"], 1.0),
            unit("kB", &["kb", "kbyte", "kilobyte"], KIB),
            unit("MB", &["mb", "mbyte", "megabyte"], KIB * KIB),
            unit("GB", &["gb", "gbyte", "gigabyte"], KIB * KIB * KIB),
            unit("TB", &["tb", "tbyte", "terabyte"], KIB * KIB * KIB * KIB),
            unit("PB", &["pb", "pbyte", "petabyte"], KIB * KIB * KIB * KIB * KIB),
        ],
        default: ("B", 1.0),
    },
    Kind {
        units: &[
            unit("ns", &["ns", "nanosecond"], 1.0),
            unit("us", &["μs", "us", "microsecond"], 1e3),
            unit("ms", &["ms", "millisecond"], 1e6),
            unit("s", &["s", "sec", "second"], 1e9),
            unit("hrs", &["hour", "hr"], 3600e9),
        ],
        default: ("s", 1e9),
    },
    // Normalised CPU time.
    Kind {
        units: &[
            unit("n*GCU", &["nanogcu"], 1e-9),
            unit("u*GCU", &["microgcu"], 1e-6),
            unit("m*GCU", &["milligcu"], 1e-3),
            unit("GCU", &["gcu"], 1.0),
            unit("k*GCU", &["kilogcu"], 1e3),
            unit("M*GCU", &["megagcu"], 1e6),
            unit("G*GCU", &["gigagcu"], 1e9),
            unit("T*GCU", &["teragcu"], 1e12),
            unit("P*GCU", &["petagcu"], 1e15),
        ],
        default: ("GCU", 1.0),
    },
];

impl Kind {
    fn find(&self, name: &str) -> Option<&Unit> {
        let name = name.to_lowercase();
        let name = if name.len() > 2 { name.strip_suffix('s').unwrap_or(&name) } else { &name };
        self.units.iter().find(|u| u.aliases.contains(&name))
    }

    /// The largest unit of which `value` (in base units) is at least one.
    fn largest(&self, value: f64) -> Option<&Unit> {
        self.units.iter().rfind(|u| value / u.factor >= 1.0)
    }
}

/// `value` of unit `from` in unit `to`, and the name to print after it. `to` may be `auto` or `minimum`: the largest
/// unit of which it is at least one. Units of another kind, or unknown ones, become the default of the kind of `from`;
/// if that is unknown too, the value stays as it is.
pub fn scale(value: i64, from: &str, to: &str) -> (f64, String) {
    if value < 0 && value != i64::MIN {
        let (v, unit) = scale(-value, from, to);
        return (-v, unit);
    }
    for kind in &KINDS {
        let Some(unit) = kind.find(from) else { continue };
        let base = value as f64 * unit.factor;
        let chosen = if to == "minimum" || to == "auto" { kind.largest(base) } else { kind.find(to) };
        let (name, factor) = chosen.map_or(kind.default, |u| (u.name, u.factor));
        return (base / factor, name.to_string());
    }
    let unit = if matches!(to, "count" | "sample" | "unit" | "minimum" | "auto") { "" } else { to };
    (value as f64, unit.to_string())
}

/// Whether two units measure the same kind of thing.
pub fn same_kind(a: &str, b: &str) -> bool {
    a == b || KINDS.iter().any(|k| k.find(a).is_some() && k.find(b).is_some())
}

/// `value` of unit `from` as text in unit `to`: two digits after the point, none if both are zero.
pub fn scaled_label(value: i64, from: &str, to: &str) -> String {
    let (v, unit) = scale(value, from, to);
    let text = format!("{v:.2}");
    let text = text.strip_suffix(".00").unwrap_or(&text);
    if text == "0" || text == "-0" { "0".to_string() } else { format!("{text}{unit}") }
}

/// One unit for values from `min` to `max`: that of the smallest, or a larger one if the largest is far larger.
pub fn common_unit(min: i64, max: i64, unit: &str) -> String {
    let of = |v: i64| scale(v, unit, "minimum").1;
    let mut chosen = of(min);
    if chosen != of(max) && min.wrapping_mul(100) < max {
        chosen = of(min.wrapping_mul(100));
    }
    if chosen.is_empty() { unit.to_string() } else { chosen }
}

/// `value` in the largest unit of which it is at least one.
pub fn label(value: i64, unit: &str) -> String {
    scaled_label(value, unit, "auto")
}

/// What share of `total` `value` is, without its sign, in six columns: at least two significant digits.
pub fn percentage(value: i64, total: i64) -> String {
    let ratio = if total == 0 { 0.0 } else { (value as f64 / total as f64).abs() * 100.0 };
    if (99.95..=100.05).contains(&ratio) {
        "  100%".to_string()
    } else if ratio >= 1.0 {
        format!("{ratio:5.2}%")
    } else {
        format!("{:>5}%", two_digits(ratio))
    }
}

/// Two significant digits as C's `%.2g` writes them: `0.5`, `0.047`, `1.2e-05`.
fn two_digits(v: f64) -> String {
    let text = format!("{v:.1e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if v == 0.0 {
        return "0".to_string();
    }
    let short = mantissa.strip_suffix(".0").unwrap_or(mantissa);
    if exponent < -4 {
        return format!("{short}e-{:02}", -exponent);
    }
    let digits = short.len().saturating_sub(1).max(1);
    // Rounded already: one more digit than the exponent has, for each digit beyond the first.
    let places = (digits as i32 - 1 - exponent).max(0) as usize;
    format!("{v:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_in_the_unit_asked_for() {
        assert_eq!(scaled_label(1_230_000_000, "nanoseconds", "minimum"), "1.23s");
        assert_eq!(scaled_label(1_230_000_000, "nanoseconds", "ms"), "1230ms");
        assert_eq!(scaled_label(-1536, "bytes", "auto"), "-1.50kB");
        assert_eq!(scaled_label(-1, "bytes", "mb"), "0");
        assert_eq!(scaled_label(12, "count", "minimum"), "12");
        assert_eq!(scaled_label(12, "widgets", "widgets"), "12widgets");
        assert_eq!(scaled_label(5, "nanoseconds", "bytes"), "0");
        assert_eq!(scaled_label(7200, "s", "auto"), "2hrs");
        assert_eq!(scale(i64::MIN, "count", "auto").0, i64::MIN as f64);
    }

    #[test]
    fn percentages_have_two_significant_digits() {
        let cases = [
            ((1, 2), "50.00%"),
            ((9_996, 10_000), "  100%"),
            ((5, 1000), "  0.5%"),
            ((47, 100_000), "0.047%"),
            ((12, 100_000_000), "1.2e-05%"),
            ((1, 10_000_000), "1e-05%"),
            ((996, 100_000), "    1%"),
            ((99, 10_000), " 0.99%"),
            ((0, 7), "    0%"),
            ((7, 0), "    0%"),
            ((-3, 4), "75.00%"),
        ];
        for ((v, t), want) in cases {
            assert_eq!(percentage(v, t), want, "{v} of {t}");
        }
    }
}
