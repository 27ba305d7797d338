//! Lines of text in pieces, each piece in a role of its own.

use super::write;
use crate::base::text;
use crate::tui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// A line in pieces, safe to show.
pub type Spans = Vec<(String, Role)>;

/// A line that says one thing, after what it says it of.
pub fn fact(label: &str, text: String) -> Spans {
    vec![(format!("{label:<12} "), Role::Dim), (text, Role::Text)]
}

/// Writes a line into the row `y` of an area, one column from its left; what does not fit is cut, with a sign.
pub fn draw(spans: &[(String, Role)], area: Rect, y: u16, bold: bool, buf: &mut Buffer, theme: &Theme) {
    let mut x = area.x + 1;
    for (i, (s, role)) in spans.iter().enumerate() {
        let mut style = theme.style(*role);
        if bold {
            style = style.add_modifier(Modifier::BOLD);
        }
        let room = usize::from(area.right().saturating_sub(x));
        // One that fills the line says that there is more behind it.
        let more = text::width(s) == room && spans[i + 1..].iter().any(|(s, _)| !s.trim().is_empty());
        let s = if more { text::fit(&format!("{s}…"), room).into_owned() } else { text::fit(s, room).into_owned() };
        x = write(buf, area, x, y, &s, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Background, ColorLevel};

    #[test]
    fn what_does_not_fit_is_cut_with_a_sign() {
        let theme = Theme::new(ColorLevel::None, Background::Dark, false);
        let line = |spans: &[&str], width| {
            let area = Rect::new(0, 0, width, 1);
            let mut buf = Buffer::empty(area);
            let spans: Vec<_> = spans.iter().map(|s| (s.to_string(), Role::Text)).collect();
            draw(&spans, area, 0, false, &mut buf, &theme);
            buf.content.iter().map(|c| c.symbol()).collect::<String>()
        };
        assert_eq!(line(&["in ", "main.handle"], 15), " in main.handle");
        assert_eq!(line(&["in ", "main.handle"], 14), " in main.hand…");
        assert_eq!(line(&["in ", "main.handle", " ", "more"], 15), " in main.handl…");
        assert_eq!(line(&["in ", "main.handle", "  "], 15), " in main.handle");
    }

    #[test]
    fn a_long_label_does_not_run_into_what_it_says() {
        let text = |label| fact(label, "x".into()).iter().map(|s| s.0.as_str()).collect::<String>();
        assert_eq!((text("on"), text("running until")), ("on           x".into(), "running until x".into()));
    }
}
