//! A map of durations: time from left to right, length from bottom to top in powers of two, and at the right how many were
//! how long.

use super::{axis, write};
use crate::analysis::timeline::Window;
use crate::base::{Duration, Time, text};
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns of the lengths at the left, and of the counts at the right.
const LENGTHS: u16 = 10;
const COUNTS: u16 = 26;

/// What is drawn.
pub struct Heat<'a> {
    /// When each began, and how long it was.
    pub points: &'a [(Time, Duration)],
    /// The time from left to right.
    pub range: (Time, Time),
    /// The trace's start, from which the axis counts.
    pub start: Time,
    /// The colour.
    pub role: Role,
    /// Styles and glyphs.
    pub theme: &'a Theme,
}

/// The power of two, in ns, that a length reaches.
fn power(d: Duration) -> u32 {
    d.ns().max(1).ilog2()
}

/// The rows of a map from the longest down, each from a power of two on: no more than fit, the shortest put together.
fn rows(points: &[(Time, Duration)], most: usize) -> Vec<u32> {
    let powers = points.iter().map(|p| power(p.1));
    let (Some(low), Some(high)) = (powers.clone().min(), powers.max()) else { return Vec::new() };
    (low..=high).rev().take(most).collect()
}

impl Heat<'_> {
    /// Draws the map, the axis below it, and the counts beside it.
    pub fn render(&self, area: Rect, buf: &mut Buffer) {
        let counts = if area.width >= LENGTHS + COUNTS + 20 { COUNTS } else { 0 };
        let map = Rect {
            x: area.x + LENGTHS.min(area.width),
            width: area.width.saturating_sub(LENGTHS + counts),
            height: area.height.saturating_sub(1),
            ..area
        };
        let rows = rows(self.points, usize::from(map.height));
        let (Some(&top), Some(&bottom)) = (rows.first(), rows.last()) else { return };
        if map.width == 0 {
            return;
        }
        let window = Window { from: self.range.0, to: self.range.1, width: usize::from(map.width) };
        let mut cells = vec![vec![0u64; window.width]; rows.len()];
        let mut sums = vec![0u64; rows.len()];
        for &(at, len) in self.points {
            let row = (top - power(len).clamp(bottom, top)) as usize;
            sums[row] += 1;
            // What began before the range is there from its beginning on.
            let at = at.max(window.from).min(window.to - Duration(1));
            if let Some(cell) = window.cell(at) {
                cells[row][cell] += 1;
            }
        }
        let most = cells.iter().flatten().copied().max().unwrap_or(0);
        let largest = sums.iter().copied().max().unwrap_or(0);
        let all: u64 = sums.iter().sum();
        for (i, (&from, y)) in rows.iter().zip(map.y..map.bottom()).enumerate() {
            // A last row in which shorter ones are put together begins with nothing.
            let least = self.points.iter().any(|p| power(p.1) < from) && from == bottom;
            let from = if least { Duration::ZERO } else { Duration(1i64 << from.min(62)) };
            let label = format!("{:>8} ", from.to_string());
            write(buf, area, area.x, y, &label, self.theme.style(Role::Dim));
            for (x, &n) in (map.x..map.right()).zip(&cells[i]) {
                if n > 0 {
                    let share = (1.0 + n as f64).ln() / (1.0 + most as f64).ln();
                    buf[(x, y)].set_char(self.shade(share)).set_style(self.theme.style(self.role));
                }
            }
            if counts > 0 {
                let long = (sums[i] * u64::from(counts - 16)).div_ceil(largest.max(1)) as usize;
                let bar: String = std::iter::repeat_n(self.theme.glyphs.full, long).collect();
                let n = format!(" {:>7} {:>5.1}%", text::count(sums[i]), sums[i] as f64 * 100.0 / all.max(1) as f64);
                let x = write(buf, area, map.right(), y, &n, self.theme.style(Role::Text));
                write(buf, area, x + 1, y, &bar, self.theme.style(self.role));
            }
        }
        let y = map.y + rows.len() as u16;
        let line = Rect { y, height: 1, ..map };
        axis::render(&axis::ticks(self.start, window.from, window.to, window.width), self.theme, line, buf);
    }

    /// The more the fuller: of `share` 0 to 1.
    fn shade(&self, share: f64) -> char {
        let glyphs = if self.theme.is_ascii() { ['.', ':', '+', '#'] } else { ['░', '▒', '▓', '█'] };
        glyphs[((share * 4.0).ceil() as usize).clamp(1, 4) - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Background, ColorLevel};

    fn drawn(points: &[(Time, Duration)], width: u16, height: u16) -> Vec<String> {
        let theme = Theme::new(ColorLevel::None, Background::Dark, false);
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        let range = (Time(0), Time(1_000_000));
        Heat { points, range, start: Time(0), role: Role::WaitLock, theme: &theme }.render(area, &mut buf);
        let line = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
        (0..height).map(line).collect()
    }

    #[test]
    fn each_power_of_two_has_a_row_and_every_point_is_counted() {
        let points: Vec<_> = [(0, 1000), (500_000, 1030), (999_999, 5000), (10, 5000), (20, 6000)]
            .map(|(t, d)| (Time(t), Duration(d)))
            .to_vec();
        let lines = drawn(&points, 60, 6);
        // 4096, 2048, 1024 and 512 ns, and the axis.
        assert!(lines[0].trim_start().starts_with("4.10") && lines[0].contains("3  60.0%"), "{lines:#?}");
        assert!(lines[1].contains("0   0.0%") && lines[2].contains("1  20.0%") && lines[3].contains("1  20.0%"));
        assert!(lines[4].contains('0') && lines[5].is_empty(), "{lines:#?}");
        // With fewer rows the shortest are put together.
        let lines = drawn(&points, 60, 3);
        assert!(lines[0].contains("3  60.0%") && lines[1].contains("2  40.0%"), "{lines:#?}");
        assert!(lines[1].trim_start().starts_with("0ns"), "{lines:#?}");
    }

    #[test]
    fn nothing_is_drawn_of_nothing_and_nothing_outside_of_the_area() {
        assert!(drawn(&[], 60, 5).iter().all(String::is_empty));
        for (w, h) in [(0, 0), (1, 1), (9, 3), (12, 1), (40, 2), (300, 70)] {
            drawn(&[(Time(-5), Duration(i64::MAX)), (Time(2_000_000), Duration(-3))], w, h);
        }
    }
}
