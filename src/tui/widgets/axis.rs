//! The time axis: round ticks with labels that never touch.

use crate::base::{Duration, Time};
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A tick: its column and its label.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tick {
    /// The column, from the axis's left end.
    pub column: usize,
    /// The offset from the trace's start.
    pub label: String,
}

/// An offset in the unit and with the digits that `step` asks for; `largest` is the largest offset that stands on the
/// same axis, so that all have one unit.
pub fn offset(at: Duration, largest: Duration, step: Duration) -> String {
    let (unit, name) = match largest.0.unsigned_abs() {
        0..1_000 => (0, "ns"),
        1_000..1_000_000 => (3, "µs"),
        1_000_000..1_000_000_000 => (6, "ms"),
        // Seconds with seven or more digits behind the point are hard to read; milliseconds carry them better.
        _ if step.0 < 1_000 && largest.0 < 100_000_000_000 => (6, "ms"),
        _ => (9, "s"),
    };
    decimal(at, unit, step, name)
}

/// `at` in units of 10^`unit` ns with as many digits as it takes to tell `step` apart.
fn decimal(at: Duration, unit: u32, step: Duration, name: &str) -> String {
    let mut digits = 0;
    while digits < unit && step.0 % 10i64.pow(unit - digits) != 0 {
        digits += 1;
    }
    let sign = if at.0 < 0 { "-" } else { "" };
    let n = at.0.unsigned_abs();
    let one = 10u64.pow(unit);
    let whole = n / one;
    if digits == 0 {
        return format!("{sign}{whole}{name}");
    }
    let part = n % one / 10u64.pow(unit - digits);
    format!("{sign}{whole}.{part:0width$}{name}", width = digits as usize)
}

/// An instant's offset from the start with the digits that a cell of that length tells apart: for the cursor.
pub fn position(at: Duration, largest: Duration, cell: Duration) -> String {
    let mut step = 1;
    while step <= cell.0 / 10 {
        step *= 10;
    }
    offset(at, largest, Duration(step))
}

/// The ticks of an axis of `width` columns over `from..to`, with offsets from `start`: at multiples of 1, 2 or 5 times
/// a power of ten nanoseconds, as close as the labels allow.
pub fn ticks(start: Time, from: Time, to: Time, width: usize) -> Vec<Tick> {
    let span = (to - from).0.max(1);
    let (first, last) = (from - start, to - start);
    let largest = if first.0.abs() > last.0.abs() { first } else { last };
    let mut step = 1i64;
    loop {
        let room = i128::from(step) * width as i128 / i128::from(span);
        let label = offset(largest, largest, Duration(step));
        // The tick itself, the label, and two columns of air.
        if room >= label.chars().count() as i128 + 3 {
            break;
        }
        // 1, 2, 5, 10, 20 …
        let next = match step.to_string().as_bytes()[0] {
            b'2' => step.checked_mul(5).map(|s| s / 2),
            _ => step.checked_mul(2),
        };
        match next {
            Some(s) if s <= span.saturating_mul(2) => step = s,
            _ => return Vec::new(),
        }
    }
    let mut out = Vec::new();
    let mut at = first.0.div_euclid(step) * step;
    if at < first.0 {
        at += step;
    }
    while at < last.0 && out.len() < width {
        let column = (i128::from(at - first.0) * width as i128 / i128::from(span)) as usize;
        let label = offset(Duration(at), largest, Duration(step));
        if column + 1 + label.chars().count() <= width {
            out.push(Tick { column, label });
        }
        at = match at.checked_add(step) {
            Some(n) => n,
            None => break,
        };
    }
    out
}

/// Draws an axis into the first row of `area`.
pub fn render(ticks: &[Tick], theme: &Theme, area: Rect, buf: &mut Buffer) {
    for t in ticks {
        let x = area.x + t.column as u16;
        let x =
            super::write(buf, area, x, area.y, theme.glyphs.tick.encode_utf8(&mut [0; 4]), theme.style(Role::Border));
        super::write(buf, area, x, area.y, &t.label, theme.style(Role::Dim));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: i64, to: i64, width: usize) -> String {
        let t = ticks(Time(0), Time(from), Time(to), width);
        t.iter().map(|t| t.label.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round_and_all_in_one_unit() {
        assert_eq!(labels(0, 2_000_000_000, 60), "0.0s 0.5s 1.0s 1.5s");
        assert_eq!(labels(811_900_000, 813_900_000, 80), "812.0ms 812.5ms 813.0ms 813.5ms");
        assert_eq!(labels(812_031_000, 812_031_060, 60), "812.03100ms 812.03102ms 812.03104ms");
        assert_eq!(labels(0, 60, 60), "0ns 10ns 20ns 30ns 40ns 50ns");
    }

    #[test]
    fn labels_never_touch_and_never_leave_the_axis() {
        for width in [0, 1, 7, 20, 55, 100, 226] {
            for span in [1, 10, 226, 999, 12_345, 1_000_000, 77_777_777, 2_000_000_000, 3_600_000_000_000] {
                for from in [0, 1, 999_999, 812_031_123, 10_000_000_000, -5_000] {
                    let all = ticks(Time(0), Time(from), Time(from + span), width);
                    let mut free = 0;
                    for t in &all {
                        assert!(t.column >= free, "{all:?}");
                        free = t.column + 1 + t.label.chars().count() + 1;
                        assert!(free <= width + 1, "{width} {all:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_cursor_has_the_digits_of_its_cell() {
        let all = Duration(2_000_000_000);
        assert_eq!(position(Duration(812_031_245), all, Duration(20_000_000)), "0.81s");
        assert_eq!(position(Duration(812_031_245), Duration(900_000_000), Duration(1_500)), "812.031ms");
        assert_eq!(position(Duration(812_031_245), Duration(900_000_000), Duration(1)), "812.031245ms");
    }
}
