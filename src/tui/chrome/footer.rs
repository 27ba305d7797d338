//! The foot: a notice, or which keys mean what here.

use crate::base::text;
use crate::tui::app::action::{Action, Scope};
use crate::tui::app::found::Found;
use crate::tui::app::keymap::Keymap;
use crate::tui::app::nav::{Place, Row};
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A line for the user, until the next key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}

/// A hint at the foot: what to click or press.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hint {
    /// What it does.
    pub action: Action,
    /// The key.
    pub key: String,
    /// What it is called here.
    pub word: &'static str,
    /// Where it stands, from the foot's left edge.
    pub x: u16,
    /// How wide it is.
    pub width: u16,
}

/// The hints that fit, those that matter most first: whether there is a query, and whether the cursor is on something that
/// has waits.
pub fn hints(width: u16, keymap: &Keymap, scope: Scope, (query, on_wait): (bool, bool)) -> Vec<Hint> {
    let mut wanted: Vec<(Action, &'static str)> = vec![(Action::Help, "help"), (Action::Filter, "search")];
    // What the views of a trace have is not offered in that of a profile.
    let trace = scope != Scope::Profile;
    if query && trace {
        wanted.extend([(Action::NextHit, "next hit"), (Action::PrevHit, "previous"), (Action::Hits, "hits")]);
    }
    wanted.extend([(Action::Enter, "into"), (Action::Escape, "back"), (Action::NextPane, "pane")]);
    match scope {
        Scope::Timeline => wanted.extend([
            (Action::ZoomIn, "zoom in"),
            (Action::ZoomOut, "out"),
            (Action::PanLeft, "left"),
            (Action::PanRight, "right"),
            (Action::Fit, "fit"),
        ]),
        Scope::Table => wanted.extend([(Action::SortNext, "sort"), (Action::SortReverse, "reverse")]),
        Scope::Stacks => wanted.extend([
            (Action::StacksOf, "on/off CPU"),
            (Action::Shape, "flame/tree"),
            (Action::MyCode, "my code"),
            (Action::Lenses, "lenses"),
        ]),
        Scope::Profile => wanted.extend([
            (Action::SortNext, "sort"),
            (Action::SampleType, "sample type"),
            (Action::Shape, "graph"),
            (Action::MyCode, "my code"),
            (Action::Labels, "labels"),
            (Action::Narrow, "filter"),
            (Action::LeaveOut, "leave out"),
            (Action::Variants, "variants"),
        ]),
        Scope::Findings => wanted.extend([(Action::HideRule, "hide rule"), (Action::Copy, "copy as Markdown")]),
        Scope::Global => {}
    }
    if trace && scope != Scope::Stacks && on_wait {
        wanted.extend([(Action::Chain, "chain"), (Action::Path, "path"), (Action::Unblocker, "unblocker")]);
    }
    wanted.push((Action::Editor, "editor"));
    if scope != Scope::Findings {
        wanted.push((Action::Copy, "copy"));
    }
    if trace {
        wanted.extend([(Action::Select, "select"), (Action::Expand, "expand"), (Action::Narrow, "filter")]);
    }
    wanted.extend([(Action::Back, "history"), (Action::Palette, "actions"), (Action::Quit, "quit")]);
    let mut x = 0u16;
    let mut out = Vec::new();
    for (action, word) in wanted {
        let Some(key) = keymap.keys(action).first().map(|k| k.to_string()) else { continue };
        let w = (text::width(&key) + 1 + word.len()) as u16;
        if x + w > width {
            break;
        }
        out.push(Hint { action, key, word, x, width: w });
        x += w + 2;
    }
    out
}

/// Whether the cursor is on something that has waits: a goroutine, an event of one, or a finding that names one.
pub fn on_wait(place: &Place, found: &Found, scope: Scope) -> bool {
    match scope {
        Scope::Findings => found.said().is_some_and(|s| s.items.iter().any(|i| i.go.is_some() && i.time.is_some())),
        _ => {
            let (go, row, event) = place.subject();
            go.is_some() || event.is_some() || matches!(row, Some(Row::Proc(_) | Row::Path))
        }
    }
}

/// The foot: a notice if there is one, else what the view is in the middle of, and else hints.
pub fn draw(
    area: Rect,
    buf: &mut Buffer,
    cx: &Ctx,
    (keymap, scope): (&Keymap, Scope),
    (notice, mode): (Option<&Notice>, Option<String>),
) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    if let Some(n) = notice {
        let role = if n.bad { Role::Error } else { Role::Text };
        let line = text::escape(&n.text);
        write(buf, area, area.x, area.y, &text::fit(&line, area.width as usize), theme.style(role));
        return;
    }
    if let Some(mode) = mode {
        theme.select(buf, area);
        write(
            buf,
            area,
            area.x + 1,
            area.y,
            &text::fit(&mode, usize::from(area.width).saturating_sub(1)),
            theme.style(Role::Selection),
        );
        return;
    }
    let about = (cx.place.query().is_some(), on_wait(cx.place, cx.found, scope));
    for h in hints(area.width, keymap, scope, about) {
        let x = write(buf, area, area.x + h.x, area.y, &h.key, theme.style(Role::Key));
        write(buf, area, x + 1, area.y, h.word, theme.style(Role::Dim));
    }
}
