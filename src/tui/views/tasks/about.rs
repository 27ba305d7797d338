//! The detail pane of the view of spans while its cursor is on a name: how long those of that name took.

use super::{Named, mean, name};
use crate::analysis::spans::sums::{BUCKETS, least};
use crate::base::text::count;
use crate::tui::app::action::Action;
use crate::tui::app::nav::Row;
use crate::tui::app::view::{Command, Ctx, View};
use crate::tui::theme::Role;
use crate::tui::widgets::spans::{self, fact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// The pane.
#[derive(Default)]
pub struct About {
    sums: Option<Arc<super::Shown>>,
}

/// The longest bar of the histogram.
const BAR: u64 = 24;

impl About {
    /// Shows what was summed up.
    pub fn take(&mut self, sums: Arc<super::Shown>) {
        self.sums = Some(sums);
    }

    fn sum(&self, cx: &Ctx) -> Option<&Named> {
        let Some(Row::Span(kind, name)) = cx.place.subject().1 else { return None };
        self.sums.as_ref()?.sums.iter().find(|s| (s.sum.kind, s.sum.name) == (kind, name))
    }
}

impl View for About {
    fn title(&self, cx: &Ctx) -> String {
        let Some(s) = self.sum(cx) else { return String::new() };
        let within = if cx.place.window().is_some() { " · in the range" } else { "" };
        format!("{} {} · {}{within}", s.kind, name(cx.index, s), count(s.sum.count))
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let Some(named) = self.sum(cx) else { return };
        let s = &named.sum;
        let mut lines = vec![
            match cx.place.window() {
                Some(_) => fact("total", format!("{} in the range; lengths below are of whole ones", s.total)),
                None => fact("total", s.total.to_string()),
            },
            fact("mean", mean(s).to_string()),
            fact("p50", s.p50.to_string()),
            fact("p90", s.p90.to_string()),
            fact("p99", s.p99.to_string()),
            fact("max", s.max.to_string()),
        ];
        if s.exact_to.ns() > 0 {
            lines.push(fact("exact to", format!("{}, or better for half of them", s.exact_to)));
        }
        if s.open > 0 {
            lines.push(fact("open", format!("{}, with an end outside the trace", count(s.open))));
        }
        if s.repeats > 0 {
            lines.push(fact("repeated", format!("{}, told from the call before by that alone", count(s.repeats))));
        }
        let some = (0..BUCKETS).filter(|b| s.histogram[*b] > 0);
        let most = s.histogram.iter().copied().max().unwrap_or(0).max(1);
        if let (Some(first), Some(last)) = (some.clone().next(), some.clone().next_back()) {
            let full = cx.theme.level_glyph(1.0);
            for b in first..=last {
                let n = s.histogram[b];
                let bar: String = std::iter::repeat_n(full, (n * BAR).div_ceil(most) as usize).collect();
                let label = format!("{:>8}.. ", least(b).to_string());
                lines.push(vec![(label, Role::Dim), (bar, Role::Accent), (format!(" {}", count(n)), Role::Text)]);
            }
        }
        for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
            spans::draw(line, area, y, false, buf, cx.theme);
        }
    }
}
