//! The line above the profile: of what the numbers are.

use super::rows::{FEW, is_few};
use super::{Found, Profile, Shown, present};
use crate::analysis::cost::lenses::ByLens;
use crate::base::text;
use crate::tui::app::view::Ctx;
use crate::tui::theme::Role;
use crate::tui::views::flame;
use crate::tui::widgets::write;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Parts of the line, and which of them go first where there is not room for all: those with the highest number; those
/// with 0 stay.
#[derive(Default)]
struct Parts(Vec<(String, Role, u8)>);

impl Parts {
    fn add(&mut self, drop: u8, role: Role, text: String) {
        self.0.push((text, role, drop));
    }

    /// Takes parts out until the rest fits into `room` columns, with `between` columns between two of them.
    fn fit(&mut self, room: usize, between: usize) {
        let parts = &mut self.0;
        let width = |parts: &[(String, Role, u8)]| parts.iter().map(|p| text::width(&p.0) + between).sum::<usize>();
        while width(parts) > room + between {
            let Some(worst) = (0..parts.len()).filter(|&i| parts[i].2 > 0).max_by_key(|&i| parts[i].2) else { return };
            parts.remove(worst);
        }
    }
}

/// Draws the line.
pub fn draw(view: &Profile, line: Rect, buf: &mut Buffer, cx: &Ctx) {
    let Some(p) = present(cx) else { return };
    let theme = cx.theme;
    let kind = p.kinds().nth(view.kind(cx)).map_or("", |k| k.0);
    let mut parts = Parts::default();
    parts.add(0, Role::Heading, text::escape(kind).into_owned());
    if cx.profiles.len() > 1 {
        let of = format!("{} of {}: {}", cx.place.profile + 1, cx.profiles.len(), text::escape(&p.name));
        parts.add(3, Role::Text, of);
    }
    let found = view.found.latest().filter(|f| f.key.profile == cx.place.profile);
    if let Some(f) = found {
        numbers(view, f, &mut parts);
    }
    let ask = view.key(cx).ask;
    if ask.mine {
        parts.add(0, Role::Accent, "attributed to your code".into());
    }
    if ask.grouped {
        let (functions, families) = p.variants();
        parts.add(0, Role::Accent, "variants grouped".into());
        parts.add(6, Role::Dim, format!("{functions} functions as {families}"));
    }
    if ask.normalize {
        parts.add(0, Role::Accent, "normalised".into());
    }
    if !view.fresh(cx) {
        parts.add(0, Role::Dim, "adding up …".into());
    }
    if let Some(f) = found.filter(|f| view.shown == Shown::Functions && f.hot.rows.iter().any(is_few)) {
        // Only the table of one profile has a column of counts for the sign to stand in.
        let sign = if f.hot.change.is_some() || view.functions.is_centred() { "dim:" } else { "~" };
        parts.add(7, Role::Dim, format!("{sign} fewer than {FEW}"));
    }
    if let Some(f) = found.filter(|f| f.key.ask.lens != ByLens::No && view.shown == Shown::Graph) {
        for (said, role) in flame::legend(&f.hot.tree, theme) {
            parts.add(8, role, said.trim_start().to_owned());
        }
    }
    let dot = format!(" {} ", theme.glyphs.dot);
    parts.fit(usize::from(line.width.saturating_sub(1)), text::width(&dot));
    let mut x = line.x + 1;
    for (i, (s, role, _)) in parts.0.iter().enumerate() {
        if i > 0 {
            x = write(buf, line, x, line.y, &dot, theme.style(Role::Dim));
        }
        let room = usize::from(line.right().saturating_sub(x));
        x = write(buf, line, x, line.y, &text::fit(s, room), theme.style(*role));
    }
}

/// What there is, and what is left of it.
fn numbers(view: &Profile, f: &Found, parts: &mut Parts) {
    let hot = &f.hot;
    let (what, count, of_all) = &hot.counted;
    let narrowed = !f.key.ask.cuts.is_empty();
    let all = || format!("{} of {}", f.share(hot.left), f.value(hot.total));
    match hot.change {
        Some(change) => {
            let after = hot.left.wrapping_add(change);
            parts.add(0, Role::Text, format!("{} before, {} after", f.value(hot.left), f.value(after)));
            parts.add(0, f.role(change, Role::Text), f.change(change));
            if narrowed {
                parts.add(4, Role::Text, all());
            }
            if view.shown == Shown::Graph {
                let what = if f.key.ask.less { "what shrank" } else { "what grew" };
                parts.add(0, Role::Accent, what.into());
            }
        }
        None if narrowed => parts.add(0, Role::Text, format!("{}, {}", f.value(hot.left), all())),
        None => parts.add(0, Role::Text, f.value(hot.left)),
    }
    let counted = |n: i64| text::count(n.unsigned_abs());
    if hot.change.is_none() && f.unit != "count" {
        let of = if narrowed { format!(" of {}", counted(*of_all)) } else { String::new() };
        parts.add(4, Role::Text, format!("{}{of} {what}", counted(*count)));
    }
    if matches!(view.shown, Shown::Labels { .. }) {
        let n = hot.facets.len();
        parts.add(1, Role::Text, format!("{} label{}", text::count(n as u64), if n == 1 { "" } else { "s" }));
    } else if let (Some(q), true) = (&f.key.ask.query, hot.filtered) {
        let mine = format!("{} of {} functions match", view.functions.len(), hot.rows.len());
        let shown = f.share(hot.tree.matched.min(i64::MAX as u64) as i64);
        parts.add(0, Role::Hit, format!("{mine} /{}: {shown}", text::escape(q)));
    } else {
        parts.add(5, Role::Text, format!("{} functions", hot.rows.len()));
    }
}
