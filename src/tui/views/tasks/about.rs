//! The detail pane of the view of tasks while its cursor is on a name: what all of that name took.

use super::{mean, name, word};
use crate::analysis::tasks::Sum;
use crate::base::text::count;
use crate::tui::app::action::Action;
use crate::tui::app::nav::Row;
use crate::tui::app::view::{Command, Ctx, View};
use crate::tui::widgets::spans::{self, fact};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// The pane.
#[derive(Default)]
pub struct About {
    sums: Option<Arc<Vec<Sum>>>,
}

impl About {
    /// Shows what was summed up.
    pub fn take(&mut self, sums: Arc<Vec<Sum>>) {
        self.sums = Some(sums);
    }

    fn sum(&self, cx: &Ctx) -> Option<&Sum> {
        let Some(Row::Span(what, name)) = cx.place.subject().1 else { return None };
        self.sums.as_ref()?.iter().find(|s| (s.what, s.name) == (what, name))
    }
}

impl View for About {
    fn title(&self, cx: &Ctx) -> String {
        let Some(s) = self.sum(cx) else { return String::new() };
        let within = if cx.place.window().is_some() { " · in the range" } else { "" };
        format!("{} {} · {}{within}", word(s.what), name(cx.index, s), count(s.count))
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let Some(s) = self.sum(cx) else { return };
        let mut lines = vec![
            fact("total", s.total.to_string()),
            fact("mean", mean(s).to_string()),
            fact("p99", s.p99.to_string()),
            fact("max", s.max.to_string()),
        ];
        if s.open > 0 {
            lines.push(fact("open", format!("{}, with an end outside the trace", count(s.open))));
        }
        for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
            spans::draw(line, area, y, false, buf, cx.theme);
        }
    }
}
