//! The detail pane of the profile view: the function under the cursor, and its lines that cost most.

use super::Found;
use crate::base::text;
use crate::model::dict::short_file;
use crate::tui::app::action::Action;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::view::{Command, Ctx, View};
use crate::tui::text as words;
use crate::tui::theme::Role;
use crate::tui::widgets::{table, write};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// The pane.
#[derive(Default)]
pub struct Lines {
    found: Option<Arc<Found>>,
}

impl Lines {
    /// Shows the lines of what was summed up.
    pub fn take(&mut self, found: Arc<Found>) {
        self.found = Some(found);
    }
}

impl View for Lines {
    fn title(&self, cx: &Ctx) -> String {
        let dict = &cx.frames().dict;
        match dict.frames().get(cx.place.frame.index()).filter(|_| cx.place.frame.is_some()) {
            Some(f) => format!("lines of {}", words::func(dict.func_name(f.func))),
            None => "lines".into(),
        }
    }

    fn handle(&mut self, _action: Action, _cx: &Ctx, _out: &mut Vec<Command>) -> bool {
        false
    }

    fn render(&self, area: Rect, buf: &mut Buffer, cx: &Ctx) {
        let dict = &cx.frames().dict;
        let found = self.found.as_ref().filter(|f| f.key.profile == cx.place.profile);
        let (Some(found), ViewId::Profile) = (found, cx.place.view) else { return };
        let Some(f) = dict.frames().get(cx.place.frame.index()).filter(|_| cx.place.frame.is_some()) else { return };
        let func = dict.funcs().get(f.func.0 as usize).map(|f| f.name);
        let costs = func.and_then(|name| found.hot.lines.get(&name)).map_or(&[][..], Vec::as_slice);
        let theme = cx.theme;
        let heading = format!("{:>8} {:>8} {:>6}  line", "flat", "cum", "cum%");
        write(buf, area, area.x + 1, area.y, &heading, theme.style(Role::Dim));
        for (i, c) in costs.iter().enumerate() {
            let line = table::row(area, i as u64 + 1);
            if line.height == 0 {
                return;
            }
            let role = if c.frame == cx.place.frame { Role::Title } else { Role::Text };
            let numbers = format!("{:>8} {:>8} {:>6}", found.change(c.flat), found.change(c.cum), found.share(c.cum));
            let x = write(buf, line, line.x + 1, line.y, &numbers, theme.style(found.role(c.cum, role)));
            let at = dict.frame_of(c.frame);
            let place = match dict.func_file(at.func) {
                "" => "?".to_string(),
                file => format!("{}:{}", text::escape(short_file(file)), at.line),
            };
            let room = usize::from(line.right().saturating_sub(x + 2));
            write(buf, line, x + 2, line.y, &text::fit_end(&place, room), theme.style(Role::Accent));
        }
    }
}
