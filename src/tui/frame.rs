//! What stands around the views: title, tabs, the line above the panes, the foot.

use super::action::{Action, Scope};
use super::keymap::Keymap;
use super::layout;
use super::model::Notice;
use super::nav::Narrow;
use super::text::{group, instant};
use super::theme::{Role, Theme};
use super::views::{Ctx, Pane, ViewId};
use super::widgets::write;
use crate::analysis::profile::cut::{Cut, What};
use crate::base::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns that a function or a label takes at most in the title.
const LONGEST: usize = 32;

/// What a narrowing of profiles is called.
fn cut(c: &Cut) -> String {
    let short = |s: &str| text::fit_end(s, LONGEST).into_owned();
    match (&c.what, c.without) {
        (What::Func(f), false) => format!("through {}", short(&super::text::func(f))),
        (What::Func(f), true) => format!("not through {}", short(&super::text::func(f))),
        (What::Label(k, Some(v)), without) => {
            let label = format!("{}={}", text::escape(k), text::escape(v));
            format!("{}{}", if without { "not " } else { "" }, text::fit(&label, LONGEST))
        }
        (What::Label(k, None), false) => format!("without {}", text::fit(&text::escape(k), LONGEST)),
        (What::Label(k, None), true) => format!("with {}", text::fit(&text::escape(k), LONGEST)),
    }
}

/// What narrows the views, in the order in which it was added, and the hits: the right end of the title.
fn narrowing(cx: &Ctx) -> Vec<(String, Role)> {
    let mut parts = Vec::new();
    let dict = &cx.index.dict;
    for n in cx.place.narrowing.iter().filter(|n| n.applies(cx.place.view)) {
        let text = match n {
            Narrow::Window(a, b) => {
                let start = cx.index.start;
                format!("{}..{}", instant(*a - start), instant(*b - start))
            }
            Narrow::Group(g) => group(cx.index.groups.get(g.0 as usize).map_or("", |g| dict.str(g.name))),
            Narrow::Go(g) => super::text::goroutine(cx.index, *g),
            Narrow::Query(q) => format!("/{}", text::escape(q)),
            Narrow::Cut(c) => cut(c),
        };
        parts.push((text, Role::Accent));
        // A query says which functions of a profile are shown, and there hits of the trace mean nothing.
        let hits = cx.hits.filter(|_| matches!(n, Narrow::Query(_)) && cx.place.view != ViewId::Profile);
        if let Some(h) = hits {
            let n = h.found.total();
            let more = if h.complete { "" } else { " …" };
            let word = if n == 1 { "hit" } else { "hits" };
            parts.push((format!("{} {word}{more}", text::count(n)), if n > 0 { Role::Hit } else { Role::Dim }));
        }
    }
    // A route is entered after whatever narrows the views.
    if let Some(r) = cx.place.route.as_ref().filter(|_| cx.place.view == ViewId::Timeline) {
        parts.push((r.title.clone(), Role::Accent));
    }
    parts
}

/// Leaves out of `parts` as many of the first as do not fit into `room` columns: the last is what Escape takes off.
fn fitting(mut parts: Vec<(String, Role)>, room: usize) -> Vec<(String, Role)> {
    let width = |parts: &[(String, Role)]| parts.iter().map(|(s, _)| text::width(s) + 2).sum::<usize>();
    let all = parts.len();
    while parts.len() > 1 && width(&parts) + if parts.len() < all { 5 } else { 0 } > room {
        parts.remove(0);
    }
    if parts.len() < all {
        parts.insert(0, (format!("+{}", all - parts.len()), Role::Dim));
    }
    parts
}

/// The title line: the name and the numbers of the trace, and at the right what narrows the views.
pub fn title(area: Rect, buf: &mut Buffer, cx: &Ctx) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let index = cx.index;
    let room = area.width as usize * 2 / 3;
    let right = fitting(narrowing(cx), room);
    let mut width: usize = right.iter().map(|(s, _)| text::width(s) + 2).sum();
    width = width.min(room);

    let mut left = vec![("gotrail".to_string(), Role::Accent), (text::escape(cx.name).into_owned(), Role::Title)];
    if cx.no_trace() {
        for (p, kind) in cx.profiles.iter().flat_map(|p| p.kinds().last().map(|k| (p, k.0))).take(1) {
            left.push((text::escape(kind).into_owned(), Role::Text));
            left.push((format!("{} stacks", text::count(p.profile.samples.len() as u64)), Role::Text));
            left.push((format!("{} functions", text::count(p.profile.functions.len() as u64)), Role::Text));
        }
    } else if index.version != (0, 0) {
        left.push((format!("format {}.{}", index.version.0, index.version.1), Role::Text));
    }
    if !index.complete && !cx.no_trace() {
        left.push((format!("reading {:.0} %", index.progress.clamp(0.0, 1.0) * 100.0), Role::Warning));
    }
    if index.events > 0 {
        left.push((index.duration().to_string(), Role::Text));
        left.push((format!("{} events", text::count(index.events)), Role::Text));
        left.push((format!("{} goroutines", text::count(index.goroutines.len() as u64)), Role::Text));
    }
    if !index.losses.is_empty() {
        left.push(("incomplete".into(), Role::Warning));
    }
    let room = Rect { width: area.width.saturating_sub(width as u16), ..area };
    let mut x = area.x;
    for (i, (s, role)) in left.iter().enumerate() {
        // Whole facts only: one that does not fit would be read wrong.
        if i > 1 && x + 3 + text::width(s) as u16 > room.right() {
            continue;
        }
        if i > 0 {
            x = write(buf, room, x, area.y, &format!(" {} ", theme.glyphs.dot), theme.style(Role::Dim));
        }
        x = write(buf, room, x, area.y, s, theme.style(*role));
    }
    let mut x = area.right().saturating_sub(width as u16);
    for (s, role) in &right {
        x = write(buf, area, x + 2, area.y, s, theme.style(*role));
    }
}

/// The line of tabs: only views that work are there.
pub fn tabs(area: Rect, buf: &mut Buffer, present: ViewId, focused: bool, theme: &Theme) {
    if area.is_empty() {
        return;
    }
    let border = theme.style(Role::Border);
    for x in area.left()..area.right() {
        buf[(x, area.y)].set_char(theme.glyphs.horizontal).set_style(border);
    }
    for (id, label, x) in layout::tabs(area.width, present) {
        let style = match (id == present, focused) {
            (true, true) => theme.style(Role::Selection).patch(theme.style(Role::Title)),
            (true, false) => theme.style(Role::Title),
            (false, _) => theme.style(Role::Dim),
        };
        write(buf, area, area.x + x, area.y, &label, style);
        if id != present {
            write(buf, area, area.x + x + 1, area.y, &id.number().to_string(), theme.style(Role::Key));
        }
    }
}

/// The line above the panes, with their titles.
pub fn rule(area: Rect, buf: &mut Buffer, panes: &[(Pane, Rect, String)], focus: Pane, theme: &Theme) {
    let border = theme.style(Role::Border);
    for x in area.left()..area.right() {
        buf[(x, area.y)].set_char(theme.glyphs.horizontal).set_style(border);
    }
    for (pane, at, title) in panes {
        if at.x > area.x {
            buf[(at.x - 1, area.y)].set_char(theme.glyphs.cross_down);
            for y in at.top()..at.bottom() {
                buf[(at.x - 1, y)].set_char(theme.glyphs.vertical).set_style(border);
            }
        }
        let style = match *pane == focus {
            true => theme.style(Role::Selection).patch(theme.style(Role::Title)),
            false => theme.style(Role::Dim),
        };
        let room = at.width.saturating_sub(3) as usize;
        if room > 0 && !title.is_empty() {
            let title = format!(" {} ", text::fit(title, room.saturating_sub(2)));
            let line = Rect { x: at.x, width: at.width, ..area };
            write(buf, line, at.x + 1, area.y, &title, style);
        }
    }
}

/// What stands in place of a view of a trace where there is none.
pub fn no_trace(pane: Pane, area: Rect, buf: &mut Buffer, theme: &Theme) {
    if pane == Pane::Body {
        let text = "no trace is open, only a profile: 9 shows it";
        write(buf, area, area.x + 1, area.y, text, theme.style(Role::Dim));
    }
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

/// The hints that fit, those that matter most first.
pub fn hints(width: u16, keymap: &Keymap, scope: Scope, query: bool) -> Vec<Hint> {
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
        ]),
        Scope::Profile => wanted.extend([
            (Action::SortNext, "sort"),
            (Action::SampleType, "sample type"),
            (Action::Shape, "graph"),
            (Action::MyCode, "my code"),
            (Action::Labels, "labels"),
            (Action::Narrow, "narrow"),
            (Action::LeaveOut, "leave out"),
            (Action::Variants, "variants"),
        ]),
        Scope::Global => {}
    }
    if trace && scope != Scope::Stacks {
        wanted.extend([(Action::Unblocker, "unblocker"), (Action::Path, "path")]);
    }
    wanted.extend([(Action::Editor, "editor"), (Action::Copy, "copy")]);
    if trace {
        wanted.extend([(Action::Select, "select"), (Action::Expand, "expand"), (Action::Narrow, "narrow")]);
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

/// The foot: a notice if there is one, and else hints.
pub fn foot(area: Rect, buf: &mut Buffer, cx: &Ctx, keymap: &Keymap, scope: Scope, notice: Option<&Notice>) {
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
    for h in hints(area.width, keymap, scope, cx.place.query().is_some()) {
        let x = write(buf, area, area.x + h.x, area.y, &h.key, theme.style(Role::Key));
        write(buf, area, x + 1, area.y, h.word, theme.style(Role::Dim));
    }
}
