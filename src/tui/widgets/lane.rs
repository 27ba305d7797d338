//! One lane of the timeline: a row of cells, a state each.

use crate::base::Duration;
use crate::model::Cell;
use crate::model::reasons::WaitKind;
use crate::tui::theme::{ColorLevel, Role, Theme};
use crate::wire::event::GoState;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Text in a lane, over the cells `from..to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// First cell.
    pub from: usize,
    /// Cell after the last.
    pub to: usize,
    /// The text; left out where it does not fit.
    pub text: String,
    /// Whether the cells are a filled bar, in which the text stands out.
    pub bar: bool,
    /// Whether a bar of another kind touches it on the left, so that a gap must part them.
    pub parted: bool,
}

/// A row of cells.
pub struct Lane<'a> {
    /// The cells, one for each column.
    pub cells: &'a [Cell],
    /// Hits of the query in each cell; may be shorter.
    pub hits: &'a [u32],
    /// What most of the waiting in each cell was for; may be shorter.
    pub kinds: &'a [Option<WaitKind>],
    /// How long a cell is.
    pub cell: Duration,
    /// How many goroutines can run at once in this lane: what a full bar stands for.
    pub capacity: u32,
    /// Text over it, in order.
    pub labels: &'a [Label],
    /// Styles and glyphs.
    pub theme: &'a Theme,
}

impl Lane<'_> {
    /// The glyph and style of a cell. What is rare goes before what is common: a hit before all, activity before
    /// waiting, and a little running time shows rather than not at all: as the lowest bar, or where all else is waiting
    /// as a broken line of that.
    pub fn glyph(&self, i: usize) -> (char, Style) {
        let theme = self.theme;
        let (glyph, style) = self.state(i);
        if !self.hit(i) {
            return (glyph, style);
        }
        // Many hits would hide how busy the lane is: there they only lend the bars their colour.
        let bar = theme.glyphs.levels.contains(&glyph) || theme.glyphs.waking.contains(&glyph);
        let glyph = if bar && theme.level != ColorLevel::None && self.dense() { glyph } else { theme.glyphs.hit };
        (glyph, theme.style(Role::Hit))
    }

    fn hit(&self, i: usize) -> bool {
        self.hits.get(i).is_some_and(|&n| n > 0)
    }

    /// Whether more than a quarter of the cells have hits.
    fn dense(&self) -> bool {
        self.hits.iter().filter(|&&n| n > 0).count() * 4 > self.cells.len()
    }

    /// The glyph and style of a cell but for hits.
    fn state(&self, i: usize) -> (char, Style) {
        let theme = self.theme;
        let Some(c) = self.cells.get(i) else { return (' ', Style::new()) };
        let kind = self.kinds.get(i).copied().flatten();
        let active = c.runnable.max(c.syscall);
        // Where a cell mixes all kinds of things, running time says most, unless the rest is a good part of the cell.
        let all = c.running + c.runnable + c.waiting + c.syscall;
        let waits_more = active > c.running && active.0.saturating_mul(3) >= all.0;
        if c.running > Duration::ZERO && !waits_more {
            let share = c.running.0 as f64 / (self.cell.0.max(1) as f64 * f64::from(self.capacity.max(1)));
            // An eighth is the lowest bar.
            if share <= 0.125 && c.waiting.0 as f64 >= all.0 as f64 * 0.875 {
                return (theme.waking_glyph(kind), theme.wait(kind));
            }
            return (theme.level_glyph(share.clamp(0.001, 1.0)), theme.state(GoState::Running));
        }
        let state = if active > Duration::ZERO {
            if c.syscall >= c.runnable { GoState::Syscall } else { GoState::Runnable }
        } else if c.waiting > Duration::ZERO {
            return (theme.wait_glyph(kind), theme.wait(kind));
        } else if c.samples > 0 {
            return (theme.glyphs.sample, theme.style(Role::Sample));
        } else {
            GoState::NotExist
        };
        (theme.state_glyph(state), theme.state(state))
    }

    /// Draws the lane into the first row of `area`.
    pub fn render(&self, area: Rect, buf: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let width = usize::from(area.width).min(self.cells.len());
        // Where samples are few each is a tick; where they are many they say nothing and would only break up the bars.
        let sampled = self.cells.iter().filter(|c| c.samples > 0).count();
        let ticks = sampled > 0 && sampled * 6 <= self.cells.len();
        let full = self.theme.glyphs.full;
        for i in 0..width {
            let (mut glyph, mut style) = self.glyph(i);
            if ticks && self.cells[i].samples > 0 && glyph == full {
                glyph = self.theme.glyphs.sample;
                style = style.add_modifier(Modifier::REVERSED);
            }
            buf[(area.x + i as u16, area.y)].set_char(glyph).set_style(style);
        }
        for l in self.labels {
            self.label(l, width, area, buf);
        }
    }

    fn label(&self, l: &Label, width: usize, area: Rect, buf: &mut Buffer) {
        let (from, to) = (l.from, l.to.min(width));
        let room = to.saturating_sub(from);
        let len = l.text.chars().count();
        let full = self.theme.glyphs.full;
        if l.parted && room >= 3 && self.theme.glyphs.levels[0] != '.' {
            let cell = &mut buf[(area.x + from as u16, area.y)];
            if cell.symbol() == full.encode_utf8(&mut [0; 4]) {
                cell.set_char('▐');
            }
        }
        if len == 0 || room < len + usize::from(l.bar) * 2 {
            return;
        }
        // Not further in than a few cells, so that the text keeps its place when the end of a long bar moves.
        let start = if l.bar { from + ((room - len) / 2).clamp(1, 4) } else { from };
        if (start..start + len).any(|i| self.hit(i)) {
            return;
        }
        for (k, c) in l.text.chars().enumerate() {
            let cell = &mut buf[(area.x + (start + k) as u16, area.y)];
            cell.set_char(c);
            if l.bar {
                self.theme.fill(cell);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::Background;

    #[test]
    fn who_mostly_waits_is_told_from_who_runs_a_little_and_from_who_only_waits() {
        let cell = |running, waiting, runnable| Cell {
            running: Duration(running),
            waiting: Duration(waiting),
            runnable: Duration(runnable),
            ..Cell::default()
        };
        // Waits but for a moment; only waits; is there for a moment; runs more than the lowest bar; is ready as well.
        let cells = [cell(1, 99, 0), cell(0, 100, 0), cell(1, 0, 0), cell(13, 87, 0), cell(10, 80, 10)];
        let glyphs = |capacity, theme: &Theme| {
            let kinds = &[Some(WaitKind::Channel); 5];
            let lane = Lane { cells: &cells, hits: &[], kinds, cell: Duration(100), capacity, labels: &[], theme };
            (0..cells.len()).map(|i| lane.glyph(i).0).collect::<String>()
        };
        let theme = |ascii| Theme::new(ColorLevel::None, Background::Dark, ascii);
        assert_eq!(glyphs(1, &theme(false)), "╌─▁▂▁");
        assert_eq!(glyphs(1, &theme(true)), "Cc...");
        // Of a group where so many can run at once it is as little.
        let busy = Cell { running: Duration(100), waiting: Duration(9900), ..Cell::default() };
        let group = |capacity| {
            let theme = theme(false);
            let (cells, cell) = (&[busy], Duration(100));
            let lane = Lane { cells, hits: &[], kinds: &[], cell, capacity, labels: &[], theme: &theme };
            lane.glyph(0).0
        };
        assert_eq!((group(1), group(4), group(8)), ('█', '▂', '-'));
    }

    #[test]
    fn kinds_of_waits_differ_by_glyph_from_each_other_and_from_all_else_in_a_lane() {
        for ascii in [false, true] {
            let theme = Theme::new(ColorLevel::None, Background::Dark, ascii);
            let g = theme.glyphs;
            let mut seen = vec![g.runnable, g.syscall, g.hit, g.sample, g.idle];
            seen.extend(g.levels);
            seen.dedup();
            for (k, kind) in WaitKind::ALL.into_iter().enumerate() {
                let only = theme.wait_glyph(Some(kind));
                assert!(!seen.contains(&only), "{only} of {kind:?} is another's");
                seen.push(only);
                // What waits for GC seldom runs.
                let but = g.waking[k];
                assert!(!seen.contains(&but) || kind == WaitKind::Gc && but == only, "{but} of {kind:?} is another's");
                seen.push(but);
            }
        }
        let theme = |level| Theme::new(level, Background::Dark, false);
        for level in [ColorLevel::Basic, ColorLevel::True] {
            let styles: Vec<Style> = WaitKind::ALL.into_iter().map(|k| theme(level).wait(Some(k))).collect();
            assert!((1..styles.len()).all(|i| !styles[..i].contains(&styles[i])), "{styles:?}");
        }
    }

    #[test]
    fn a_few_hits_are_marks_and_many_leave_the_bars_and_lend_them_their_colour() {
        let busy = Cell { running: Duration(50), ..Cell::default() };
        let idle = Cell { waiting: Duration(100), ..Cell::default() };
        let cells = [busy, idle, busy, busy, busy, busy, busy, busy];
        let glyphs = |hits: &[u32], level| {
            let theme = Theme::new(level, Background::Dark, false);
            let cell = Duration(100);
            let lane = Lane { cells: &cells, hits, kinds: &[], cell, capacity: 1, labels: &[], theme: &theme };
            let hit = theme.style(Role::Hit);
            (0..8).map(|i| lane.glyph(i)).map(|(g, s)| if s == hit { (g, 'h') } else { (g, ' ') }).collect::<Vec<_>>()
        };
        let lone = glyphs(&[1, 1], ColorLevel::True);
        assert_eq!(lone[..3], [('◆', 'h'), ('◆', 'h'), ('▄', ' ')]);
        let dense = glyphs(&[1, 1, 1, 1], ColorLevel::True);
        assert_eq!(dense[..3], [('▄', 'h'), ('◆', 'h'), ('▄', 'h')]);
        let plain = glyphs(&[1, 1, 1, 1], ColorLevel::None);
        assert_eq!(plain[..3], [('◆', 'h'), ('◆', 'h'), ('◆', 'h')]);
    }
}
