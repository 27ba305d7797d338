//! The title line: what is open, its numbers, and the scope: what narrows the views, as chips.

use crate::analysis::profile::cut::{Cut, What};
use crate::base::number::Instants;
use crate::base::{Duration, Time, text};
use crate::report;
use crate::tui::app::catalog::ViewId;
use crate::tui::app::nav::Narrow;
use crate::tui::app::view::{Ctx, Obeys, Querying};
use crate::tui::text::{func, goroutine, group};
use crate::tui::theme::Role;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns that a function or a label takes at most in the title.
const LONGEST: usize = 32;

/// What a narrowing of profiles is called.
fn cut(c: &Cut) -> String {
    let short = |s: &str| text::fit_end(s, LONGEST).into_owned();
    match (&c.what, c.without) {
        (What::Func(f), false) => format!("through {}", short(&func(f))),
        (What::Func(f), true) => format!("not through {}", short(&func(f))),
        (What::Label(k, Some(v)), without) => {
            let label = format!("{}={}", text::escape(k), text::escape(v));
            format!("{}{}", if without { "not " } else { "" }, text::fit(&label, LONGEST))
        }
        (What::Label(k, None), false) => format!("without {}", text::fit(&text::escape(k), LONGEST)),
        (What::Label(k, None), true) => format!("with {}", text::fit(&text::escape(k), LONGEST)),
    }
}

/// What a narrowing does in a view: nothing where that shows more than it.
fn does(n: &Narrow, obeys: Obeys) -> Option<&'static str> {
    match n {
        Narrow::Cut(_) => Some(""),
        Narrow::Query(_) => match obeys.query {
            Querying::Filters => Some("filter "),
            Querying::Marks => Some("mark "),
            Querying::Nothing => None,
        },
        Narrow::Window(..) => obeys.range.then_some("range "),
        Narrow::Group(_) => obeys.goroutines.then_some("group "),
        Narrow::Go(_) => obeys.goroutines.then_some(""),
    }
}

/// From where to where a range goes, as precisely as its length can tell.
fn range(cx: &Ctx, a: Time, b: Time) -> String {
    let (a, b) = (a - cx.index.start, b - cx.index.start);
    let at = Instants::new(b, Duration((b - a).ns() / 150));
    let from = at.show(a);
    format!("{}..{}", from.strip_suffix('s').unwrap_or(&from), at.show(b))
}

/// The scope: what narrows the views, in the order in which it was added, and the hits. A chip for each that the present
/// view obeys; what it does not is there all the same, and dim.
fn narrowing(cx: &Ctx, obeys: Obeys) -> Vec<(String, Role)> {
    let mut parts = Vec::new();
    for n in cx.place.narrowing.iter().filter(|n| n.applies(cx.place.view)) {
        let text = match n {
            Narrow::Window(a, b) => range(cx, *a, *b),
            Narrow::Group(g) => group(cx.index.group_name(*g)),
            Narrow::Go(g) => goroutine(cx.index, *g),
            Narrow::Query(q) => format!("/{}", text::escape(q)),
            Narrow::Cut(c) => cut(c),
        };
        parts.push(match does(n, obeys) {
            Some(word) => (format!(" {word}{text} "), Role::Selection),
            // It would be read as obeyed.
            None => (format!("{text} not used here"), Role::Dim),
        });
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
    let timeline = cx.place.view == ViewId::Timeline && cx.place.sheet.is_none();
    if let Some(r) = cx.place.route.as_ref().filter(|_| timeline) {
        parts.push((format!(" {} ", r.title), Role::Selection));
    }
    parts
}

/// Leaves out of `parts` as many of the first as do not fit into `room` columns: the last is what Escape takes off.
fn fitting(mut parts: Vec<(String, Role)>, room: usize) -> Vec<(String, Role)> {
    let width = |parts: &[(String, Role)]| parts.iter().map(|(s, _)| text::width(s) + 1).sum::<usize>();
    let all = parts.len();
    while parts.len() > 1 && width(&parts) + if parts.len() < all { 4 } else { 0 } > room {
        parts.remove(0);
    }
    if parts.len() < all {
        parts.insert(0, (format!("+{}", all - parts.len()), Role::Dim));
    }
    parts
}

/// The title line: the name and the numbers of the trace, and at the right what narrows the views.
pub fn draw(area: Rect, buf: &mut Buffer, cx: &Ctx, obeys: Obeys) {
    if area.is_empty() {
        return;
    }
    let theme = cx.theme;
    let index = cx.index;
    let name = text::escape(cx.name).into_owned();
    // The scope matters more than the facts and the program's name, but not more than which trace it is.
    let room = (area.width as usize).saturating_sub(text::width(&name) + 1).max(area.width as usize * 2 / 3);
    let right = fitting(narrowing(cx, obeys), room);
    let mut width: usize = right.iter().map(|(s, _)| text::width(s) + 1).sum();
    width = width.min(room);

    let mut left = vec![("gotrail".to_string(), Role::Accent), (name, Role::Title)];
    if width + text::width(&left[1].0) + "gotrail · ".len() > area.width as usize {
        left.remove(0);
    }
    if cx.no_trace() {
        for (p, kind) in cx.profiles.iter().flat_map(|p| p.kinds().last().map(|k| (p, k.0))).take(1) {
            left.push((text::escape(kind).into_owned(), Role::Text));
            left.push((format!("{} stacks", text::count(p.profile.samples.len() as u64)), Role::Text));
            left.push((format!("{} functions", text::count(p.profile.functions.len() as u64)), Role::Text));
        }
    } else if index.version != (0, 0) {
        left.push((format!("format {}.{}", index.version.0, index.version.1), Role::Text));
    }
    if let Some(said) = cx.recording {
        left.push((said.to_owned(), Role::Warning));
    } else if !index.complete && !cx.no_trace() {
        left.push((format!("reading {:.0} %", index.progress.clamp(0.0, 1.0) * 100.0), Role::Warning));
    }
    if index.events > 0 {
        left.push((report::summary::lasted(index), Role::Text));
        left.push((format!("{} events", text::count(index.event_count())), Role::Text));
        left.push((format!("{} goroutines", text::count(index.goroutines.len() as u64)), Role::Text));
    }
    if !index.losses.is_empty() {
        left.push(("incomplete".into(), Role::Warning));
    }
    let room = Rect { width: area.width.saturating_sub(width as u16), ..area };
    let mut x = area.x;
    for (i, (s, role)) in left.iter().enumerate() {
        // Whole facts only: one that does not fit would be read wrong.
        if i > 0 && *role != Role::Title && x + 3 + text::width(s) as u16 > room.right() {
            continue;
        }
        if i > 0 {
            x = write(buf, room, x, area.y, &format!(" {} ", theme.glyphs.dot), theme.style(Role::Dim));
        }
        x = write(buf, room, x, area.y, s, theme.style(*role));
    }
    let mut x = area.right().saturating_sub(width as u16);
    for (s, role) in &right {
        x = write(buf, area, x + 1, area.y, s, theme.style(*role));
    }
}
